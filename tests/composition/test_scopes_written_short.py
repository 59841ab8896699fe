"""GraphQL takes one value for a list of it, so that ``scopes: "a"`` and ``scopes: ["a"]`` ask for the scope ``a``."""

from __future__ import annotations

import pytest

from router import Subgraph, compose
from router.supergraph.protections import Requirement
from router.supergraph.read import read_supergraph

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@external", "@key", "@policy", '
    '"@requires", "@requiresScopes", "@shareable"])\n'
)


def requirement(*directives: str) -> Requirement:
    """What the supergraph of some subgraphs asks for, of which each has one of ``directives`` on the same field."""
    subgraphs = [
        Subgraph(f"s{number}", "http://s.test", f"{LINK}type Query {{ salary: Int @shareable {one} }}")
        for number, one in enumerate(directives)
    ]
    composition = compose(subgraphs)
    assert composition.supergraph_sdl is not None, composition.errors
    return read_supergraph(composition.supergraph_sdl).protections["Query.salary"]


def scopes(*alternatives: set[str]) -> Requirement:
    return Requirement(scopes=tuple(map(frozenset, alternatives)))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"pay:read"', scopes({"pay:read"})),
        ('["pay:read", "admin"]', scopes({"pay:read"}, {"admin"})),
        ('[["pay:read", "staff"], "admin"]', scopes({"pay:read", "staff"}, {"admin"})),
    ],
)
def test_one_scope_stands_for_a_list_of_it(written: str, expected: Requirement) -> None:
    assert requirement(f"@requiresScopes(scopes: {written})") == expected


def test_one_policy_does_too() -> None:
    assert requirement('@policy(policies: "owner")') == Requirement(policies=(frozenset({"owner"}),))


def test_what_one_subgraph_asks_for_in_short_is_asked_for_beside_what_others_do() -> None:
    found = requirement('@requiresScopes(scopes: "a")', '@requiresScopes(scopes: [["b"], ["c"]])')
    assert found == scopes({"a", "b"}, {"a", "c"})


def test_a_field_that_requires_a_protected_one_must_ask_for_its_scope_however_that_is_written() -> None:
    own = 'type Query { me: User } type User @key(fields: "id") { id: ID! salary: Int @requiresScopes(scopes: "pay") }'
    other = 'type User @key(fields: "id") { id: ID! salary: Int @external tax: Int @requires(fields: "salary") }'
    composition = compose([Subgraph("a", "http://a.test", LINK + own), Subgraph("b", "http://b.test", LINK + other)])
    assert [error.code for error in composition.errors] == ["MISSING_TRANSITIVE_AUTH_REQUIREMENTS"]
