"""Every query of the supergraph must be answerable; where one is not, a witness query and the reasons say why."""

from __future__ import annotations

from collections.abc import Callable

from router import Composition


def test_a_field_that_no_hop_leads_to_is_shown_with_a_query(compose_sdl: Callable[..., Composition]) -> None:
    composition = compose_sdl(
        a="type Query { product(id: ID!): Product }  type Product { name: String @shareable }",
        b="type Product { name: String @shareable  price: Int }",
    )
    assert [error.message for error in composition.errors] == [
        """The supergraph's query
{
  product(id: "<any id>") {
    price
  }
}
cannot be answered by the subgraphs:
- from subgraph "a":
  - it has no field "Product.price".
  - one cannot move to subgraph "b", where "Product" has no @key."""
    ]


def test_a_key_may_be_fetched_by_way_of_a_third_subgraph(compose_sdl: Callable[..., Composition]) -> None:
    composition = compose_sdl(
        a='type Query { p: P }  type P @key(fields: "id") { id: ID }',
        b='type P @key(fields: "id") @key(fields: "sku") { id: ID  sku: ID }',
        c='type P @key(fields: "sku") { sku: ID  stock: Int }',
    )
    assert composition.errors == ()


def test_a_key_that_is_not_resolvable_is_no_way_in(compose_sdl: Callable[..., Composition]) -> None:
    composition = compose_sdl(
        a='type Query { p: P }  type P @key(fields: "id") { id: ID }',
        b='type P @key(fields: "id", resolvable: false) { id: ID  stock: Int }',
    )
    assert ["stock" in error.message for error in composition.errors] == [True]


def test_provided_fields_need_no_hop(compose_sdl: Callable[..., Composition]) -> None:
    composition = compose_sdl(
        a='type Query { p: P @provides(fields: "name") }  type P { name: String @external }',
        b="type P { name: String @shareable }  type Query { all: [P] }",
    )
    assert composition.errors == ()


def test_paths_that_multiply_are_walked_quickly(compose_sdl: Callable[..., Composition]) -> None:
    """Seven subgraphs that share seven types which all lead to each other: paths explode, sets of vertices do not."""
    names = "ABCDEFG"
    fields = " ".join(f"{name.lower()}: {name}" for name in names)
    types = " ".join(f'type {name} @key(fields: "id") @shareable {{ id: ID {fields} }}' for name in names)
    composition = compose_sdl(**{f"s{n}": f"type Query {{ a: A @shareable }} {types}" for n in range(7)})
    assert composition.errors == ()


def test_long_chains_of_keys_do_not_exhaust_the_stack(compose_sdl: Callable[..., Composition]) -> None:
    chain = {
        f"s{n:03}": f'type T @key(fields: "k{n}") {{ k{n}: ID @shareable  k{n + 1}: ID @shareable  f{n}: Int }}'
        for n in range(150)
    }
    chain["s000"] += " type Query { t: T }"
    assert compose_sdl(**chain).errors == ()
