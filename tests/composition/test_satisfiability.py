"""Every query of the supergraph must be answerable; where one is not, a witness query and the reasons say why."""

from __future__ import annotations

import time
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


def test_an_external_key_that_is_left_over_of_federation_1_is_named(compose_sdl: Callable[..., Composition]) -> None:
    shipping = 'type P @key(fields: "id") { id: ID! %s  weight: Int @external  cost: Int @requires(fields: "weight") }'
    products = 'type Query { p: P }  type P @key(fields: "id") { id: ID!  weight: Int }'
    composition = compose_sdl(products=products, shipping=shipping % "@external")
    assert [error.message for error in composition.errors] == [
        """The supergraph's query
{
  p {
    cost
  }
}
cannot be answered by the subgraphs:
- from subgraph "products":
  - it has no field "P.cost".
  - one can move to subgraph "shipping", but there what "P.cost" requires ("weight") cannot be fetched, """
        """as "id" of its @key is @external there: leave that out."""
    ]
    assert compose_sdl(products=products, shipping=shipping % "").errors == ()


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


def test_a_field_may_rely_on_the_choice_of_an_override_above_it(compose_sdl: Callable[..., Composition]) -> None:
    """Where the label is active both fields are of a, and else of b: there is no key to change between them."""
    composition = compose_sdl(
        a="""type Query { t: T @override(from: "b", label: "l") }
             type T { x: Int @override(from: "b", label: "l") }""",
        b="type Query { t: T }  type T { x: Int }",
    )
    assert composition.errors == ()


def test_a_field_may_not_rely_on_the_choice_of_another_label(compose_sdl: Callable[..., Composition]) -> None:
    composition = compose_sdl(
        a="""type Query { t: T @override(from: "b", label: "l") }
             type T { x: Int @override(from: "b", label: "m") }""",
        b="type Query { t: T }  type T { x: Int }",
    )
    assert [str(error.code) for error in composition.errors] == ["SATISFIABILITY_ERROR", "SATISFIABILITY_ERROR"]


def _migrating(count: int, more: str = "") -> dict[str, str]:
    """A ring of types, each of which leads to the next by a field that is being migrated under a label of its own."""
    types = {
        "a": """type T{n} @key(fields: "id") {{ id: ID @shareable  next: T{m} @override(from: "b", label: "l{n}") }}""",
        "b": """type T{n} @key(fields: "id") {{ id: ID @shareable  next: T{m} }}""",
    }
    rings = {
        name: " ".join(type_.format(n=number, m=(number + 1) % count) for number in range(count))
        for name, type_ in types.items()
    }
    return {"a": f"type Query {{ t: T0  v: V }}  type V {{ x: Int @shareable }}  {rings['a']}", "b": rings["b"] + more}


def test_many_labels_on_the_way_of_a_query_do_not_multiply(compose_sdl: Callable[..., Composition]) -> None:
    """Sixty labels can be chosen in a million million million ways."""
    started = time.process_time()

    assert compose_sdl(**_migrating(60)).errors == ()
    assert time.process_time() - started < 5


def test_an_error_beside_many_labels_is_told_in_time(compose_sdl: Callable[..., Composition]) -> None:
    started = time.process_time()
    composition = compose_sdl(**_migrating(60, more="  type V { x: Int @shareable  y: Int }"))

    assert [error.message.partition("cannot")[0] for error in composition.errors] == [
        "The supergraph's query\n{\n  v {\n    y\n  }\n}\n"
    ]
    assert time.process_time() - started < 10
