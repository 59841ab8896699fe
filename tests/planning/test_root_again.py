"""A ``Query`` object below the root, as mutations return it, has the root fields of all subgraphs."""

from __future__ import annotations

from router.planning.query_plan import PathStep
from tests.planning.plans import plan_lines, plan_of

SUBGRAPHS = {
    "a": "type Query { x: Int } type Mutation { change: Payload } type Payload { query: Query }",
    "b": "type Query { y: Int }",
}


def test_root_field_of_another_subgraph_is_asked_again_below() -> None:
    text = "mutation { change { query { x y } } }"

    assert plan_lines(SUBGRAPHS, text) == [
        "#0 a: mutation { change { query { x __typename } } }",
        "#1 b after #0: { y }",
    ]
    assert plan_of(SUBGRAPHS, text).fetches[1].at == ((PathStep("change"), PathStep("query")),)


def test_mutation_below_the_root_is_asked_again_as_a_mutation() -> None:
    subgraphs = {
        "a": "type Query { shop: Shop } type Shop { change: Mutation } type Mutation { x: Int }",
        "b": "type Mutation { y: Int }",
    }

    assert plan_lines(subgraphs, "{ shop { change { x y } } }") == [
        "#0 a: { shop { change { x __typename } } }",
        "#1 b after #0: mutation { y }",
    ]
