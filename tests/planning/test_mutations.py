"""Root mutation fields run in the order written, each once, with what hangs below before the next."""

from __future__ import annotations

from tests.planning.plans import plan_lines

SHOP = {
    "a": """type Query { x: Int } type Mutation { addA(n: Int): T tick: Int }
            type T @key(fields: "id") { id: ID! }""",
    "b": 'type Mutation { addB: Int } type T @key(fields: "id") { id: ID! name: String }',
}


def test_mutations_of_several_subgraphs_follow_each_other() -> None:
    assert plan_lines(SHOP, "mutation { tick addB again: tick }") == [
        "#0 a: mutation { tick }",
        "#1 b after #0: mutation { addB }",
        "#2 a after #0, #1: mutation { again: tick }",
    ]


def test_neighbours_of_one_subgraph_are_one_request() -> None:
    assert plan_lines(SHOP, "mutation { one: addA(n: 1) { id } two: addA(n: 2) { id } }") == [
        "#0 a: mutation { one: addA(n: 1) { id } two: addA(n: 2) { id } }"
    ]


def test_what_hangs_below_is_fetched_before_the_next_mutation() -> None:
    assert plan_lines(SHOP, "mutation { one: addA(n: 1) { name } tick }") == [
        "#0 a: mutation { one: addA(n: 1) { id } }",
        "#1 b after #0: T { id } at one -> { _entities { ... on T { name } } }",
        "#2 a after #0, #1: mutation { tick }",
    ]


def test_mutation_under_two_conditions_is_called_only_if_one_holds() -> None:
    assert plan_lines(
        SHOP,
        "mutation ($a: Boolean!, $b: Boolean!) { addA(n: 1) @include(if: $a) { id } "
        "addA(n: 1) @include(if: $b) { id } }",
    ) == [
        "#0 a: mutation($a: Boolean!, $b: Boolean!) { addA(n: 1) @include(if: $a) { id } "
        "addA(n: 1) @include(if: $b) { id } }"
    ]
