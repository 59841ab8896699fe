"""Alternatives of scopes and policies multiply where several lists must hold: without inclusions, and up to a bound."""

from __future__ import annotations

from itertools import product
from time import process_time

import pytest

from router import Composition, Subgraph, compose
from router.supergraph.read import read_supergraph

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@external", "@key", "@policy", '
    '"@requires", "@requiresScopes"])\n'
)
SECONDS = 2.0


def compose_wall(directives: list[str]) -> Composition:
    """An interface whose field has one of ``directives`` on each of its types."""
    types = (f"type T{n} implements I {{ f: Int {one} }}" for n, one in enumerate(directives))
    return compose(
        [Subgraph("a", "http://a.test", f"{LINK}type Query {{ i: I }} interface I {{ f: Int }} {' '.join(types)}")]
    )


def scopes(*alternatives: str) -> str:
    return f"@requiresScopes(scopes: [{', '.join(str(one.split()) for one in alternatives)}])".replace("'", '"')


def scopes_of_interface(directives: list[str]) -> set[frozenset[str]]:
    composition = compose_wall(directives)
    assert composition.supergraph_sdl is not None, composition.errors
    return set(read_supergraph(composition.supergraph_sdl).protections["I.f"].scopes)


def test_every_combination_of_twelve_pairs_is_enough() -> None:
    pairs = [(f"a{n}", f"b{n}") for n in range(12)]
    started = process_time()
    found = scopes_of_interface([scopes(*pair) for pair in pairs])
    assert found == {frozenset(combination) for combination in product(*pairs)}
    assert process_time() - started < SECONDS


@pytest.mark.parametrize("count", [13, 14, 60])
@pytest.mark.parametrize(("directive", "argument"), [("requiresScopes", "scopes"), ("policy", "policies")])
def test_more_are_refused_at_once(directive: str, argument: str, count: int) -> None:
    started = process_time()
    composition = compose_wall([f'@{directive}({argument}: [["a{n}"], ["b{n}"]])' for n in range(count)])
    assert composition.supergraph_sdl is None
    assert [str(error) for error in composition.errors] == [
        f"AUTH_REQUIREMENTS_TOO_MANY_ALTERNATIVES: @{directive} of I.f must meet {count} lists of alternatives, which "
        "multiply to more than 4096; name what several alternatives stand for, and ask for that name in their place"
    ]
    assert process_time() - started < SECONDS


def test_a_common_alternative_is_not_multiplied() -> None:
    found = scopes_of_interface([scopes("admin", f"read:{n}") for n in range(40)])
    assert found == {frozenset({"admin"}), frozenset(f"read:{n}" for n in range(40))}


def test_lists_that_a_scope_meets_already_are_not_multiplied() -> None:
    """Whatever stands first: of sixteen pairs nothing is left where one type asks for a scope of each."""
    pairs = [scopes(f"a{n}", f"b{n}") for n in range(16)]
    all_first = " ".join(f"a{n}" for n in range(16))
    assert scopes_of_interface([*pairs, scopes(all_first)]) == {frozenset(all_first.split())}


def test_pairs_that_share_a_scope_leave_the_least_combinations() -> None:
    found = scopes_of_interface([scopes("a", "b"), scopes("b", "c"), scopes("c", "d")])
    assert found == {frozenset("ac"), frozenset("bc"), frozenset("bd")}


def compose_computed(of_type: str, of_field: str, required: str) -> Composition:
    own = f'type Query {{ t: T }} type T @key(fields: "id") {{ id: ID! salary: Int {required} }}'
    other = (
        f'type T @key(fields: "id") {of_type} {{ id: ID! salary: Int @external '
        f'tax: Int @requires(fields: "salary") {of_field} }}'
    )
    return compose([Subgraph("a", "http://a.test", LINK + own), Subgraph("b", "http://b.test", LINK + other)])


@pytest.mark.parametrize(
    ("required", "codes"),
    [
        (scopes("a b", "a d", "c b", "c d"), []),
        (scopes("a", "c x", "c b", "c d"), []),
        (scopes("a b", "a d", "c b"), ["MISSING_TRANSITIVE_AUTH_REQUIREMENTS"]),
        (scopes("a x", "c"), ["MISSING_TRANSITIVE_AUTH_REQUIREMENTS"]),
    ],
)
def test_type_and_field_together_must_ask_for_what_a_required_field_asks(required: str, codes: list[str]) -> None:
    """Who may read the tax has ``a`` or ``c`` for its type, and ``b`` or ``d`` for the field."""
    composition = compose_computed(scopes("a", "c"), scopes("b", "d"), required)
    assert [error.code for error in composition.errors] == codes


def test_what_type_and_field_ask_for_is_not_multiplied() -> None:
    """A thousand alternatives each: a million combinations, if these were written out."""
    walls = [[f"{name}{n}" for n in range(1000)] for name in ("type", "field")]
    started = process_time()
    composition = compose_computed(scopes(*walls[0]), scopes(*walls[1]), scopes(*walls[1]))
    assert composition.errors == ()
    assert process_time() - started < SECONDS
