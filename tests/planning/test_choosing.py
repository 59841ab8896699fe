"""Which subgraph reads what: fewest hops, then fewest fetches; external fields under ``@provides`` alone."""

from __future__ import annotations

import pytest

from router.errors import PlanningError
from router.operation import build_operation, parse_document, split_deferred
from router.planning import PlanningLimits, plan_deferred, plan_operation
from router.supergraph import read_supergraph
from tests.planning.plans import operation_of, plan_lines, plan_of, supergraph_of

REVIEWS = {
    "reviews": """
        type Query { review: Review author: User }
        type Review @key(fields: "id") { id: ID! author: User @provides(fields: "name") }
        type User @key(fields: "id") { id: ID! name: String @external }
    """,
    "users": 'type User @key(fields: "id") { id: ID! name: String @shareable }',
}


def test_provided_field_is_read_where_it_is_provided() -> None:
    assert plan_lines(REVIEWS, "{ review { author { name } } }") == ["#0 reviews: { review { author { name } } }"]


def test_external_field_is_not_read_where_nothing_provides_it() -> None:
    assert plan_lines(REVIEWS, "{ author { name } }") == [
        "#0 reviews: { author { id } }",
        "#1 users after #0: User { id } at author -> { _entities { ... on User { name } } }",
    ]


def test_shareable_field_is_read_where_one_already_stands() -> None:
    subgraphs = {
        "a": 'type Query { t: T } type T @key(fields: "id") { id: ID! name: String @shareable }',
        "b": 'type T @key(fields: "id") { id: ID! name: String @shareable }',
    }

    assert plan_lines(subgraphs, "{ t { name } }") == ["#0 a: { t { name } }"]


def test_of_two_subgraphs_the_one_that_is_asked_anyway_is_chosen() -> None:
    subgraphs = {
        "a": 'type Query { t: T } type T @key(fields: "id") { id: ID! }',
        "b": 'type T @key(fields: "id") { id: ID! x: Int @shareable }',
        "c": 'type T @key(fields: "id") { id: ID! x: Int @shareable y: Int }',
    }

    assert plan_lines(subgraphs, "{ t { x y } }") == [
        "#0 a: { t { id } }",
        "#1 c after #0: T { id } at t -> { _entities { ... on T { x y } } }",
    ]


def test_combination_with_fewest_requests_is_found_where_the_first_choice_is_not_it() -> None:
    subgraphs = {
        "a": 'type Query { t: T } type T @key(fields: "id") { id: ID! }',
        "b": 'type T @key(fields: "id") { id: ID! x: Int @shareable z: Int @shareable }',
        "c": 'type T @key(fields: "id") { id: ID! x: Int @shareable y: Int @shareable }',
        "d": 'type T @key(fields: "id") { id: ID! y: Int @shareable w: Int @shareable z: Int @shareable }',
        "e": 'type T @key(fields: "id") { id: ID! w: Int @shareable }',
    }

    assert len(plan_of(subgraphs, "{ t { x y z w } }").fetches) == 3


def test_overridden_field_is_never_read_from_the_subgraph_that_lost_it() -> None:
    subgraphs = {
        "a": 'type Query { t: T } type T @key(fields: "id") { id: ID! name: String }',
        "b": 'type T @key(fields: "id") { id: ID! name: String @override(from: "a") }',
    }

    assert plan_lines(subgraphs, "{ t { name } }") == [
        "#0 a: { t { id } }",
        "#1 b after #0: T { id } at t -> { _entities { ... on T { name } } }",
    ]


def test_lookups_of_one_subgraph_at_one_moment_are_one_request() -> None:
    subgraphs = {
        "a": """type Query { user: User product: Product } type User @key(fields: "id") { id: ID! }
                type Product @key(fields: "id") { id: ID! }""",
        "b": """type User @key(fields: "id") { id: ID! name: String }
                type Product @key(fields: "id") { id: ID! name: String }""",
    }

    assert plan_lines(subgraphs, "{ user { name } product { name } again: user { name } }") == [
        "#0 a: { user { id } product { id } again: user { id } }",
        "#1 b after #0: User { id } at user, again & Product { id } at product -> { _entities_0: _entities "
        "{ ... on User { name } } _entities_1: _entities { ... on Product { name } } }",
    ]


UNSATISFIABLE = """
schema @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
type Query @join__type(graph: A) @join__type(graph: B) { t: T @join__field(graph: A) }
type T @join__type(graph: A) @join__type(graph: B) {
  x: Int @join__field(graph: A) y: Int @join__field(graph: B) next: T @join__field(graph: A)
}
"""


def test_field_that_cannot_be_planned_is_refused_with_its_path() -> None:
    supergraph = read_supergraph(UNSATISFIABLE)

    with pytest.raises(PlanningError) as caught:
        plan_operation(supergraph, operation_of(supergraph, "{ here: t { there: next { x y } } }"))

    assert caught.value.code == "QUERY_PLANNING_FAILED"
    assert caught.value.message == (
        "No plan for T.y at here.there.y: it can be read from none of the subgraphs reached, a."
    )
    assert caught.value.errors[0].extensions == {"code": "QUERY_PLANNING_FAILED", "path": ["here", "there", "y"]}


def test_deferred_field_that_cannot_be_planned_is_refused_with_its_path() -> None:
    supergraph = read_supergraph(UNSATISFIABLE)
    document = parse_document("{ here: t { x ... @defer { y } } }")
    deferred = split_deferred(
        supergraph.api_schema, build_operation(supergraph.api_schema, document, deferring_with={})
    )
    assert deferred is not None

    with pytest.raises(PlanningError) as caught:
        plan_deferred(supergraph, deferred)

    assert caught.value.code == "QUERY_PLANNING_FAILED"
    assert caught.value.errors[0].extensions == {"code": "QUERY_PLANNING_FAILED", "path": ["here", "y"]}


def test_search_stops_at_its_limit_with_a_clear_error() -> None:
    supergraph = supergraph_of(REVIEWS)
    operation = operation_of(supergraph, "{ review { author { name } } }")

    with pytest.raises(PlanningError) as caught:
        plan_operation(supergraph, operation, PlanningLimits(max_steps=2))

    assert caught.value.code == "QUERY_PLANNING_LIMIT"
    assert caught.value.message == (
        "Planning this operation takes more than 2 steps: ask for less at once, "
        "or raise the planning limit of the router."
    )


def test_root_fields_of_several_subgraphs_are_asked_at_once_though_lookups_follow() -> None:
    subgraphs = {
        "a": 'type Query { t: T } type T @key(fields: "id") { id: ID! }',
        "b": 'type Query { y: Int } type T @key(fields: "id") { id: ID! x: Int }',
    }

    assert plan_lines(subgraphs, "{ t { x } y }") == [
        "#0 a: { t { id } }",
        "#1 b: { y }",
        "#2 b after #0: T { id } at t -> { _entities { ... on T { x } } }",
    ]
