"""``@include`` and ``@skip``: a fetch that only excluded fields need is not made."""

from __future__ import annotations

from router.operation.model import Condition
from tests.planning.plans import plan_lines, plan_of

USERS = {
    "a": 'type Query { user: User } type User @key(fields: "id") { id: ID! name: String }',
    "b": 'type User @key(fields: "id") { id: ID! orders: Int returns: Int }',
}


def test_fetch_runs_only_if_one_of_its_fields_is_included() -> None:
    plan = plan_of(
        USERS, "query ($a: Boolean!, $b: Boolean!) { user { name orders @include(if: $a) returns @skip(if: $b) } }"
    )

    assert plan.fetches[0].run_if == ()
    assert plan.fetches[1].run_if == ((Condition("a", include=True),), (Condition("b", include=False),))
    assert plan.fetches[1].variables == ("a", "b")


def test_key_of_a_conditional_fetch_is_read_under_its_condition() -> None:
    assert plan_lines(USERS, "query ($a: Boolean!) { user { name orders @include(if: $a) } }") == [
        "#0 a: query($a: Boolean!) { user { name id @include(if: $a) } }",
        "#1 b after #0: User { id } at user -> { _entities { ... on User { orders } } }",
    ]


def test_constant_conditions_are_folded() -> None:
    assert plan_lines(USERS, "{ user { name @include(if: true) orders @skip(if: true) } }") == [
        "#0 a: { user { name } }"
    ]


def test_object_whose_fields_are_all_conditional_is_still_fetched() -> None:
    assert plan_lines(USERS, "query ($a: Boolean!) { user { name @include(if: $a) } }") == [
        "#0 a: query($a: Boolean!) { user { name @include(if: $a) __typename } }"
    ]


def test_field_selected_under_two_conditions_is_asked_for_under_each() -> None:
    assert plan_lines(
        USERS, "query ($a: Boolean!, $b: Boolean!) { user { __typename name @include(if: $a) name @skip(if: $b) } }"
    ) == ["#0 a: query($a: Boolean!, $b: Boolean!) { user { name @include(if: $a) name @skip(if: $b) __typename } }"]


def test_field_that_its_conditions_and_those_above_exclude_is_not_planned() -> None:
    text = "query ($a: Boolean!) { user @skip(if: $a) { name orders @include(if: $a) } }"

    assert plan_lines(USERS, text) == ["#0 a: { user { name } }"]
