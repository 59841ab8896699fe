"""Supergraphs of every version of the join spec are read; what is not one is refused."""

from __future__ import annotations

import pytest
from graphql import print_schema

from router.errors import InputError
from router.supergraph import SubgraphInfo, read_supergraph

V1 = """
schema @core(feature: "https://specs.apollo.dev/core/v0.1") @core(feature: "https://specs.apollo.dev/join/v0.1") {
  query: Query
}
enum join__Graph { A @join__graph(name: "a" url: "http://a") B @join__graph(name: "b" url: "http://b") }
type Query { user: User @join__field(graph: A) address: Address @join__field(graph: B) }
type User @join__owner(graph: A) @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! @join__field(graph: A) name: String orders: Int @join__field(graph: B, requires: "name")
}
type Address { city: String }
"""

V3 = """
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", as: "j")
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", import: [{ name: "@inaccessible", as: "@hidden" }])
  @link(url: "https://specs.apollo.dev/tag/v0.3") { query: Query }
directive @hidden on FIELD_DEFINITION
directive @tag(name: String!) repeatable on FIELD_DEFINITION
directive @j__graph(name: String!, url: String!) on ENUM_VALUE
directive @shout(times: Int @tag(name: "x"), secret: Int @hidden) on FIELD | FIELD_DEFINITION
scalar j__FieldSet
scalar link__Import
enum j__Graph { A @j__graph(name: "a-1", url: "http://a") }
type Query @j__type(graph: A) {
  user(id: ID!, secret: Int @hidden): User @tag(name: "x") old: Int @deprecated gone: Gone @hidden
}
type User @j__type(graph: A, key: "id") { id: ID! @hidden name: String role: Role }
type Gone @j__type(graph: A) @hidden { x: Int }
enum Role @j__type(graph: A) { ADMIN @hidden USER }
union Thing @j__type(graph: A) = User | Gone
"""


def test_api_schema_has_neither_machinery_nor_inaccessible_elements() -> None:
    printed = print_schema(read_supergraph(V3).api_schema)
    assert printed[printed.index("directive @shout") :] == (
        "directive @shout(times: Int) on FIELD\n\n"
        "type Query {\n  user(id: ID!): User\n  old: Int @deprecated\n}\n\n"
        "type User {\n  name: String\n  role: Role\n}\n\n"
        "enum Role {\n  USER\n}\n\n"
        "union Thing = User"
    )


def test_subgraphs_are_named_as_they_name_themselves() -> None:
    assert dict(read_supergraph(V3).subgraphs) == {"a-1": SubgraphInfo("a-1", "http://a")}


def test_query_graph_keeps_hidden_fields() -> None:
    assert set(read_supergraph(V3).graph.types["a-1", "User"].fields) == {"id", "name", "role"}


def test_first_version_gives_owners_their_fields_and_value_types_to_everyone() -> None:
    graph = read_supergraph(V1).graph

    assert set(graph.types["a", "User"].fields) == {"id", "name"}
    assert set(graph.types["b", "User"].fields) == {"id", "orders"}
    assert set(graph.types["b", "Address"].fields) == {"city"}
    assert [jump.subgraph for jump in graph.jumps["User"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("sdl", "message"),
    [
        (
            "type Query {",
            "The supergraph cannot be read: Syntax Error: Expected Name, found <EOF>. (line 1, column 13)",
        ),
        (
            "type Query { x: Int }",
            "This is not a supergraph: its schema does not link https://specs.apollo.dev/join. "
            "Compose the subgraphs first, for example with `galleria compose`.",
        ),
        (
            'schema @link(url: "https://specs.apollo.dev/join/v0.3") { query: Query } type Query { x: Int }',
            "The supergraph cannot be read: no subgraph is declared by the enum join__Graph.",
        ),
        (
            V1.replace("graph: B, key", "graph: C, key"),
            "The supergraph cannot be read: 'C' is referred to and nowhere declared.",
        ),
        (V1.replace(": Address ", ": Nowhere "), "The supergraph cannot be read: Unknown type 'Nowhere'."),
    ],
)
def test_text_that_is_no_supergraph_is_refused(sdl: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_supergraph(sdl)

    assert (caught.value.code, caught.value.message) == ("INVALID_SUPERGRAPH", message)
