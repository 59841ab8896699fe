"""``@link``: names that would mean two things, and versions that are not known."""

from __future__ import annotations

import pytest

from router import Subgraph, compose

FEDERATION = '@link(url: "https://specs.apollo.dev/federation/v2.9", import: [%s])'


def errors(imports: str, rest: str = "") -> list[str]:
    sdl = f"extend schema {FEDERATION % imports}\n{rest}\ntype Query {{ x: Int }}"
    return [str(error) for error in compose([Subgraph("a", "http://a", sdl)]).errors]


@pytest.mark.parametrize(
    ("imports", "fault"),
    [
        (
            '{name: "@key", as: "@tag"}, "@tag"',
            '"@tag" of https://specs.apollo.dev/federation/v2.9 cannot be imported as "@tag", '
            'as this is the name of "@key" of https://specs.apollo.dev/federation/v2.9 already',
        ),
        (
            '"@key", {name: "@key", as: "@id"}',
            '"@key" of https://specs.apollo.dev/federation/v2.9 cannot be imported as "@id", '
            'as it is imported as "@key" already',
        ),
        (
            '{name: "@key", as: "@link"}',
            '"@key" of https://specs.apollo.dev/federation/v2.9 cannot be imported as "@link", '
            "which is the prefixed name of an element of https://specs.apollo.dev/link/v1.0",
        ),
    ],
)
def test_an_alias_that_means_something_else_is_refused(imports: str, fault: str) -> None:
    assert errors(imports) == [f"INVALID_LINK_DIRECTIVE_USAGE: [a] {fault}; choose another alias (a:1:15)"]


def test_two_specifications_cannot_share_a_name() -> None:
    rest = 'extend schema @link(url: "https://x.dev/foo/v1.0", import: ["@key"])'
    assert errors('"@key"', rest) == [
        'INVALID_LINK_DIRECTIVE_USAGE: [a] "@key" of https://x.dev/foo/v1.0 cannot be imported as "@key", '
        'as this is the name of "@key" of https://specs.apollo.dev/federation/v2.9 already; '
        "choose another alias (a:2:15)"
    ]


def test_the_same_import_twice_is_one() -> None:
    assert errors('"@key", "@key"') == []


@pytest.mark.parametrize(("version", "is_known"), [("v0.1", True), ("v0.2", False), ("v1.0", False)])
def test_a_feature_is_known_in_its_own_versions_only(version: str, *, is_known: bool) -> None:
    rest = f'extend schema @link(url: "https://specs.apollo.dev/cost/{version}", import: ["@cost"])'
    found = errors('"@key"', f"{rest} type T {{ x: Int @cost(weight: 1) }}")
    assert [error.partition(":")[0] for error in found] == ([] if is_known else ["INVALID_GRAPHQL"])


_IMPORT = '; import "@shareable" in the @link that brings it, or write "@federation__shareable"'
_LATER = '; it is in @link(url: "https://specs.apollo.dev/federation/%s", import: ["@%s"]), and in later versions'


@pytest.mark.parametrize(
    ("schema", "directive", "advice"),
    [
        (
            FEDERATION % '"@key"',
            "shareable",
            '; import "@shareable" in the @link that brings it, or write "@federation__shareable"',
        ),
        (FEDERATION.replace("v2.9", "v2.3") % '"@key"', "authenticated", _LATER % ("v2.5", "authenticated")),
        ('@link(url: "https://x.dev/foo/v1.0")', "shareable", _LATER % ("v2.0", "shareable")),
        (FEDERATION % '"@key", "@shareable"', "sharable", '; did you mean "@shareable"?'),
        (FEDERATION % '"@key"', "nothing_like_it", ""),
    ],
    ids=["not imported", "of a later version", "without federation", "misspelled", "unheard of"],
)
def test_a_directive_that_is_not_known_is_told_with_the_way_to_it(schema: str, directive: str, advice: str) -> None:
    sdl = f"extend schema {schema}\ntype Query {{ x: Int @{directive} }}"
    assert [str(error) for error in compose([Subgraph("a", "http://a", sdl)]).errors] == [
        f'INVALID_GRAPHQL: [a] The directive "@{directive}" is not known{advice} (a:2:21)'
    ]


def test_a_misspelled_import_is_told_with_what_was_meant() -> None:
    assert errors('"@sharable"') == [
        'INVALID_LINK_DIRECTIVE_USAGE: [a] The import "@sharable" is not an element of '
        'https://specs.apollo.dev/federation/v2.9; did you mean "@shareable"? (a:1:15)'
    ]
