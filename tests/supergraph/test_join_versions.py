"""A supergraph of each version of the join specification, as composers of its time wrote it, is planned alike."""

from __future__ import annotations

import pytest

from router.planning import plan_operation
from router.supergraph import read_supergraph
from tests.planning.plans import line_of, operation_of

V1 = """
schema @core(feature: "https://specs.apollo.dev/core/v0.1") @core(feature: "https://specs.apollo.dev/join/v0.1") {
  query: Query
}
directive @core(feature: String!) repeatable on SCHEMA
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet) on FIELD_DEFINITION
directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on OBJECT | INTERFACE
directive @join__owner(graph: join__Graph!) on OBJECT | INTERFACE
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
scalar join__FieldSet
enum join__Graph { A @join__graph(name: "a" url: "http://a") B @join__graph(name: "b" url: "http://b") }
type Query { product: Product @join__field(graph: A) }
type Product @join__owner(graph: A) @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! @join__field(graph: A)
  size: Size @join__field(graph: A)
  weight: Int @join__field(graph: A)
  fee: Int @join__field(graph: B, requires: "weight")
}
type Size { height: Int }
"""
HEAD = """
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/{}", for: EXECUTION) {{
  query: Query
}}
enum join__Graph {{ A @join__graph(name: "a", url: "http://a") B @join__graph(name: "b", url: "http://b") }}
type Query @join__type(graph: A) @join__type(graph: B) {{ product: Product @join__field(graph: A) }}
type Size @join__type(graph: A) {{ height: Int }}
"""
PRODUCT = """
type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  size: Size @join__field(graph: A)
  weight: Int @join__field(graph: A) @join__field(graph: B, external: true)
  fee: Int @join__field(graph: B, requires: "weight")
}
"""


@pytest.mark.parametrize(
    "sdl",
    [V1, *(HEAD.format(version) + PRODUCT for version in ("v0.2", "v0.3", "v0.4", "v0.5"))],
    ids=["v0.1", "v0.2", "v0.3", "v0.4", "v0.5"],
)
def test_supergraph_of_every_version_is_planned_alike(sdl: str) -> None:
    supergraph = read_supergraph(sdl)
    plan = plan_operation(supergraph, operation_of(supergraph, "{ product { size { height } fee } }"))

    assert [line_of(fetch) for fetch in plan.fetches] == [
        "#0 a: { product { size { height } id weight } }",
        "#1 b after #0: Product { id weight } at product -> { _entities { ... on Product { fee } } }",
    ]


UNION = """
union Thing @join__type(graph: A) @join__type(graph: B) @join__unionMember(graph: A, member: "Product")
  @join__unionMember(graph: B, member: "Size") = Product | Size
"""


def test_members_of_a_union_are_by_subgraph_since_v0_3() -> None:
    types = read_supergraph(HEAD.format("v0.3") + PRODUCT + UNION).graph.types

    assert types["a", "Thing"].possible == ("Product",)


LABELLED = PRODUCT.replace(
    "weight: Int @join__field(graph: A) @join__field(graph: B, external: true)",
    'weight: Int @join__field(graph: A, usedOverridden: true, overrideLabel: "percent(5)") '
    '@join__field(graph: B, override: "a", overrideLabel: "percent(5)")',
)


def test_override_labels_are_read_since_v0_4() -> None:
    assert read_supergraph(HEAD.format("v0.4") + LABELLED).override_labels == ("percent(5)",)


CONTEXT = """
type Product @join__type(graph: A, key: "id") @context(name: "a__p") { id: ID! part: Part }
type Part @join__type(graph: A, key: "id") {
  id: ID!
  f: Int @join__field(graph: A, contextArguments: [{context: "a__p", name: "x", type: "ID", selection: "{ id }"}])
}
"""


def test_contextual_arguments_are_read_since_v0_5() -> None:
    link = '@link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY) {'
    supergraph = read_supergraph(HEAD.format("v0.5").replace("{", link, 1) + CONTEXT)

    assert [argument.name for argument in supergraph.graph.types["a", "Part"].fields["f"].contextual] == ["x"]
    assert supergraph.graph.contexts == {"a__p": frozenset({"Product"})}
