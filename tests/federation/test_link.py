"""@link says which specifications a schema uses, and under which names."""

from __future__ import annotations

import pytest
from graphql import SchemaExtensionNode, parse

from router.federation.link import LinkProblem, Links, read_links

FEDERATION = "https://specs.apollo.dev/federation/v2.3"


def links(applications: str) -> tuple[Links, tuple[LinkProblem, ...]]:
    definition = parse(f"extend schema {applications}").definitions[0]
    assert isinstance(definition, SchemaExtensionNode)
    return read_links(definition.directives or ())


def test_imports_name_elements_and_the_rest_is_prefixed() -> None:
    found, problems = links(f'@link(url: "{FEDERATION}", import: ["@key", {{name: "@tag", as: "@label"}}])')
    assert problems == ()
    federation = found.federation
    assert federation is not None
    assert [federation.directive_name(name) for name in ("key", "tag", "shareable")] == [
        "key",
        "label",
        "federation__shareable",
    ]


def test_as_changes_the_prefix() -> None:
    found, _ = links(f'@link(url: "{FEDERATION}", as: "fed")')
    assert found.resolve_directive("fed__key") == (found.federation, "key")
    assert found.resolve_directive("key") is None


def test_link_itself_may_be_renamed() -> None:
    found, _ = links(f'@uses(url: "https://specs.apollo.dev/link/v1.0", as: "uses") @uses(url: "{FEDERATION}")')
    assert found.link_directive == "uses"
    assert found.federation is not None


@pytest.mark.parametrize(
    ("application", "code", "message"),
    [
        ('url: "https://a"', "INVALID_LINK_IDENTIFIER", "The feature url 'https://a' has no path"),
        (
            'url: "https://a/foo/1"',
            "INVALID_LINK_IDENTIFIER",
            "The feature url 'https://a/foo/1' must end in a version such as v1.2, but ends in '1'",
        ),
        (
            'url: "https://a/v1.0"',
            "INVALID_LINK_IDENTIFIER",
            "The feature url 'https://a/v1.0' has no name before its version",
        ),
        (
            'url: "https://specs.apollo.dev/federation/v3.0"',
            "UNKNOWN_FEDERATION_LINK_VERSION",
            "Federation v3.0 is not known; the versions are v2.0 to v2.14",
        ),
        (
            f'url: "{FEDERATION}", import: ["key"]',
            "INVALID_LINK_DIRECTIVE_USAGE",
            f'The import "key" is not an element of {FEDERATION}; did you mean "@key"?',
        ),
        (
            f'url: "{FEDERATION}", import: [1]',
            "INVALID_LINK_DIRECTIVE_USAGE",
            'The import 1 of @link must be a string or an object {name: "<element>", as: "<alias>"}',
        ),
        (
            f'url: "{FEDERATION}", as: "a__b"',
            "INVALID_LINK_DIRECTIVE_USAGE",
            'The specification "https://specs.apollo.dev/federation" cannot be linked as "a__b", '
            'which contains "__"; rename it with "as"',
        ),
    ],
)
def test_a_wrong_link_is_a_problem(application: str, code: str, message: str) -> None:
    _, problems = links(f"@link({application})")
    assert [(str(problem.code), problem.message) for problem in problems] == [(code, message)]
