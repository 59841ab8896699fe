"""Well-formed subgraphs compose into a supergraph with the join specification's marks."""

from __future__ import annotations

from collections.abc import Callable

from router import Composition, Subgraph, compose

INVENTORY = """
type Query { product(id: ID!): Product @tag(name: "shop") }
type Product @key(fields: "id") { id: ID!  weight: Int  price: Money  secret: String @inaccessible }
type Money @shareable { amount: String! }
"""
SHIPPING = """
type Product @key(fields: "id") { id: ID!  weight: Int @external  quote: Money @requires(fields: "weight") }
type Money @shareable { amount: String! }
"""


def test_fields_tell_which_subgraph_resolves_them(compose_sdl: Callable[..., Composition]) -> None:
    composition = compose_sdl(inventory=INVENTORY, shipping=SHIPPING)
    assert composition.errors == ()
    assert composition.supergraph_sdl is not None
    assert (
        """type Product
  @join__type(graph: INVENTORY, key: "id")
  @join__type(graph: SHIPPING, key: "id")
{
  id: ID!
  weight: Int @join__field(graph: INVENTORY) @join__field(graph: SHIPPING, external: true)
  price: Money @join__field(graph: INVENTORY)
  secret: String @join__field(graph: INVENTORY) @inaccessible
  quote: Money @join__field(graph: SHIPPING, requires: "weight")
}
"""
        in composition.supergraph_sdl
    )


def test_shared_value_types_need_no_marks_on_their_fields(compose_sdl: Callable[..., Composition]) -> None:
    sdl = compose_sdl(inventory=INVENTORY, shipping=SHIPPING).supergraph_sdl or ""
    assert "type Money\n  @join__type(graph: INVENTORY)\n  @join__type(graph: SHIPPING)\n{\n  amount: String!\n}" in sdl


def test_only_features_in_use_are_linked(compose_sdl: Callable[..., Composition]) -> None:
    sdl = compose_sdl(inventory=INVENTORY, shipping=SHIPPING).supergraph_sdl or ""
    links = [line.strip() for line in sdl.splitlines() if line.startswith("  @link")]
    assert links == [
        '@link(url: "https://specs.apollo.dev/link/v1.0")',
        '@link(url: "https://specs.apollo.dev/join/v0.4", for: EXECUTION)',
        '@link(url: "https://specs.apollo.dev/tag/v0.3")',
        '@link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)',
    ]


def test_the_order_of_the_subgraphs_does_not_matter(compose_sdl: Callable[..., Composition]) -> None:
    one = compose_sdl(inventory=INVENTORY, shipping=SHIPPING)
    other = compose_sdl(shipping=SHIPPING, inventory=INVENTORY)
    assert one.supergraph_sdl == other.supergraph_sdl


def test_a_field_of_two_subgraphs_must_be_shareable(compose_sdl: Callable[..., Composition]) -> None:
    composition = compose_sdl(a="type Query { x: Int }", b="type Query { x: Int @shareable }")
    assert composition.supergraph_sdl is None
    assert [str(error) for error in composition.errors] == [
        'INVALID_FIELD_SHARING: "Query.x" is resolved by subgraphs "a" and "b", but is not @shareable in subgraph "a" '
        "(a:2:14, b:2:14)"
    ]


def test_errors_name_the_file_line_and_column() -> None:
    sdl = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0")\n\ntype Query {\n  x: Nothing\n}\n'
    composition = compose([Subgraph("shop", "http://shop", sdl, "shop.graphql")])
    assert [str(error) for error in composition.errors] == [
        'INVALID_GRAPHQL: [shop] The type "Nothing" of "Query.x" is not defined (shop.graphql:4:3)'
    ]


def test_sdl_that_does_not_parse_is_an_error_with_its_place() -> None:
    composition = compose([Subgraph("shop", "http://shop", "type Query {\n  x: }\n", "shop.graphql")])
    assert [str(error) for error in composition.errors] == [
        "SYNTAX: [shop] Syntax Error: Expected Name, found '}'. (shop.graphql:2:6)"
    ]
