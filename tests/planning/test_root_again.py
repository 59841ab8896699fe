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
