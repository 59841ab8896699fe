"""Progressive ``@override``: which subgraph has the field is decided per request, by the labels that are active."""

from __future__ import annotations

from router.planning import plan_operation
from router.supergraph import read_supergraph
from tests.planning.plans import line_of, operation_of

SUPERGRAPH = """
schema @link(url: "https://specs.apollo.dev/join/v0.4", for: EXECUTION) { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
type Query @join__type(graph: A) @join__type(graph: B) { t: T @join__field(graph: A) }
type T @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  name: String
    @join__field(graph: A, overrideLabel: "percent(10)")
    @join__field(graph: B, override: "a", overrideLabel: "percent(10)")
}
"""


def test_inactive_label_leaves_the_field_where_it_was() -> None:
    supergraph = read_supergraph(SUPERGRAPH)
    plan = plan_operation(supergraph, operation_of(supergraph, "{ t { name } }"))

    assert [line_of(fetch) for fetch in plan.fetches] == ["#0 a: { t { name } }"]


def test_active_label_moves_the_field() -> None:
    supergraph = read_supergraph(SUPERGRAPH)
    operation = operation_of(supergraph, "{ t { name } }")
    plan = plan_operation(supergraph, operation, override_labels=frozenset({"percent(10)"}))

    assert [line_of(fetch) for fetch in plan.fetches] == [
        "#0 a: { t { id } }",
        "#1 b after #0: T { id } at t -> { _entities { ... on T { name } } }",
    ]
