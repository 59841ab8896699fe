"""Each stage gates the next: what only follows from an error, or cannot be judged because of it, is not reported."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from router import Composition, Subgraph, compose

Q = "type Query { q: Int }\n"

STAGES: list[tuple[str, dict[str, str], set[str]]] = [
    (
        "invalid GraphQL hides the rules of Federation",
        {"a": Q + 'type T @key(fields: "nope") { x: Int @nothing }'},
        {"INVALID_GRAPHQL"},
    ),
    (
        "unknown directives are told beside definitions that differ, types that do not fit are not",
        {
            "a": Q
            + "directive @shareable(a: Int) on OBJECT  type T implements I { x: Int @nothing }  interface I { y: Int }"
        },
        {"DIRECTIVE_DEFINITION_INVALID", "INVALID_GRAPHQL"},
    ),
    (
        "definitions that differ hide types that do not fit",
        {"a": Q + "directive @shareable(a: Int) on OBJECT  type T implements I { x: Int }  interface I { y: Int }"},
        {"DIRECTIVE_DEFINITION_INVALID"},
    ),
    (
        "nothing else is judged while it is not known what is provided",
        {"a": 'type Query { x: Int @provides(fields: "y") }  type T @key(fields: "nope") { id: ID }'},
        {"PROVIDES_ON_NON_OBJECT_FIELD"},
    ),
    (
        "rules of Federation are independent of one another",
        {"a": Q + 'type T @key(fields: "nope") { id: ID @external }  type U { x: Int @requires(fields: "no") }'},
        {"KEY_INVALID_FIELDS", "EXTERNAL_UNUSED", "REQUIRES_INVALID_FIELDS"},
    ),
    (
        "a field set uses what it selects before its first mistake",
        {"a": Q + 'type T { v: Int @external  w: Int @external  y: Int @requires(fields: "v nope w") }'},
        {"REQUIRES_INVALID_FIELDS", "EXTERNAL_UNUSED"},
    ),
    (
        "a type of two kinds keeps no other type from being judged",
        {"a": "type K { x: Int }  type S { x: Int }", "b": "interface K { x: Int }  type S { x: Int }"},
        {"TYPE_KIND_MISMATCH", "INVALID_FIELD_SHARING", "NO_QUERIES"},
    ),
    (
        "errors of the merge hide those of the whole",
        {
            "a": Q + "interface I { x: Int }  type T implements I @shareable { x: Int }  type S { x: Int }",
            "b": "interface I { y: Int }  type S { x: Int }",
        },
        {"INVALID_FIELD_SHARING"},
    ),
    (
        "errors of the whole hide what clients cannot see or fetch",
        {
            "a": "type Query { s: S }  type S { x: Int }  "
            "interface I { x: Int }  type T implements I @shareable { x: Int }",
            "b": "interface I { y: Int }  type S { z: Int }  type H { x: Int @inaccessible }",
        },
        {"INTERFACE_FIELD_NO_IMPLEM"},
    ),
    (
        "what clients cannot see hides what they cannot fetch",
        {"a": "type Query { s: S }  type S { x: Int }", "b": "type S { z: Int }  type H { x: Int @inaccessible }"},
        {"ONLY_INACCESSIBLE_CHILDREN"},
    ),
]


@pytest.mark.parametrize(("sdls", "codes"), [pytest.param(sdls, codes, id=name) for name, sdls, codes in STAGES])
def test_stage(sdls: dict[str, str], codes: set[str], compose_sdl: Callable[..., Composition]) -> None:
    assert {str(error.code) for error in compose_sdl(**sdls).errors} == codes


LINK = "https://specs.apollo.dev/link/v1.0"
FEDERATION = "https://specs.apollo.dev/federation/v2.3"


@pytest.mark.parametrize(
    ("sdl", "codes"),
    [
        ('@link(url: "%F", import: ["@nope"]) type A @foo { x: Int }', {"INVALID_LINK_DIRECTIVE_USAGE"}),
        (
            '@link(url: "%L") @link(url: "%F", import: ["@nope"]) type A @foo { x: Int }',
            {"INVALID_LINK_DIRECTIVE_USAGE", "INVALID_GRAPHQL"},
        ),
        ('@link(url: "%L") @link(url: "%F", import: ["@nope"]) @foo type A { x: Int }', {"INVALID_GRAPHQL"}),
        (
            '@link(url: "https://specs.apollo.dev/federation/v2.99") type A @foo { x: Int }',
            {"UNKNOWN_FEDERATION_LINK_VERSION", "INVALID_GRAPHQL"},
        ),
    ],
    ids=["wrong link", "link linked", "link linked, unknown on schema", "unknown version"],
)
def test_wrong_links_and_unknown_directives(sdl: str, codes: set[str]) -> None:
    """Unknown directives are told beside a wrong link where the link specification is linked itself."""
    text = f"extend schema {sdl} {Q}".replace("%F", FEDERATION).replace("%L", LINK)
    assert {str(error.code) for error in compose([Subgraph("a", "", text)]).errors} == codes
