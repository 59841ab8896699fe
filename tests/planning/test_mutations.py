"""Root mutation fields run in the order written, each once, with what hangs below before the next."""

from __future__ import annotations

import pytest

from router.errors import PlanningError
from router.planning import render_text
from tests.planning.plans import plan_lines, plan_of

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


def test_mutation_runs_where_it_is_first_included_and_once_with_all_that_is_selected() -> None:
    text = "mutation ($a: Boolean!) { addA @include(if: $a) { id } addB addA { again: id } }"

    assert plan_lines(SHOP, text) == [
        "#0 a: mutation { addA { id again: id } }",
        "#1 b after #0: mutation { addB }",
        "#2 a after #0, #1: mutation { addA { again: id } }",
    ]
    assert _heads(text) == ["#0 a if $a", "#1 b after #0", "#2 a after #0, #1 if not $a"]


def test_mentions_apart_are_no_one_request_even_where_one_subgraph_has_all() -> None:
    text = "mutation ($a: Boolean!) { addA @include(if: $a) { id } tick addA { again: id } }"

    assert plan_lines(SHOP, text) == [
        "#0 a: mutation($a: Boolean!) { addA @include(if: $a) { id again: id } tick }",
        "#1 a after #0: mutation { addA { again: id } }",
    ]
    assert _heads(text) == ["#0 a", "#1 a after #0 if not $a"]


def test_later_mention_of_a_mutation_under_other_conditions_runs_only_in_place_of_the_earlier() -> None:
    text = (
        "mutation ($a: Boolean!, $b: Boolean!, $c: Boolean!) "
        "{ ... @include(if: $a) { tick @include(if: $b) } addB tick @include(if: $c) }"
    )

    assert _heads(text) == [
        "#0 a if $a and $b",
        "#1 b after #0",
        "#2 a after #0, #1 if not $a and $c or $a and not $b and $c",
    ]


def test_later_mention_under_the_opposite_condition_runs_with_its_own_fields_alone() -> None:
    text = "mutation ($a: Boolean!) { addA @include(if: $a) { id } addB addA @skip(if: $a) { again: id } }"

    assert plan_lines(SHOP, text) == [
        "#0 a: mutation { addA { id } }",
        "#1 b after #0: mutation { addB }",
        "#2 a after #0, #1: mutation { addA { again: id } }",
    ]
    assert _heads(text) == ["#0 a if $a", "#1 b after #0", "#2 a after #0, #1 if not $a"]


def test_earlier_mention_takes_in_what_later_ones_select_under_their_conditions() -> None:
    """The last mention never runs: whenever it is included, the first has run with its fields."""
    text = (
        "mutation ($a: Boolean!, $b: Boolean!) { addA @include(if: $a) { id } addB "
        "addA @include(if: $b) { one: id } last: addB addA @include(if: $a) { two: id } }"
    )

    assert plan_lines(SHOP, text) == [
        "#0 a: mutation($b: Boolean!) { addA { id one: id @include(if: $b) two: id } }",
        "#1 b after #0: mutation { addB }",
        "#2 a after #0, #1: mutation { addA { one: id } }",
        "#3 b after #0, #1, #2: mutation { last: addB }",
    ]
    assert _heads(text) == [
        "#0 a if $a",
        "#1 b after #0",
        "#2 a after #0, #1 if not $a and $b",
        "#3 b after #0, #1, #2",
    ]


def test_mentions_of_a_mutation_that_follow_each_other_run_once_with_what_hangs_below() -> None:
    assert plan_lines(
        SHOP,
        "mutation ($a: Boolean!, $b: Boolean!) { addA @include(if: $a) { name } addA @include(if: $b) { id } addB }",
    ) == [
        "#0 a: mutation($a: Boolean!, $b: Boolean!) { addA @include(if: $a) { id } addA @include(if: $b) { id } }",
        "#1 b after #0: T { id } at addA -> { _entities { ... on T { name } } }",
        "#2 b after #0, #1: mutation { addB }",
    ]


def test_mutation_selected_under_too_many_conditions_is_refused() -> None:
    variables = [f"v{number}" for number in range(16)]
    declared = ", ".join(f"${name}: Boolean!" for name in variables)
    pairs = zip(variables[::2], variables[1::2], strict=True)
    mentions = " ".join(
        f"... @include(if: ${one}) {{ tick @include(if: ${other}) }} {one}: addB" for one, other in pairs
    )

    with pytest.raises(PlanningError) as caught:
        plan_lines(SHOP, f"mutation ({declared}) {{ {mentions} }}")

    assert caught.value.code == "QUERY_PLANNING_LIMIT"
    assert caught.value.message == "The field tick is selected under too many conditions: select it once."


def _heads(text: str) -> list[str]:
    """Who is asked, after what, and under which conditions."""
    return [line for line in render_text(plan_of(SHOP, text)).splitlines() if line.startswith("#")]
