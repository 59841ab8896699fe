"""Where the composer differs from the reference composer on purpose."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from router import Composition, Subgraph, compose


def test_one_of_is_part_of_graphql_and_reaches_the_supergraph(compose_sdl: Callable[..., Composition]) -> None:
    """The reference refuses ``@oneOf`` as unknown; the GraphQL specification has it."""
    composition = compose_sdl(a="type Query { f(by: By): Int }  input By @oneOf { id: ID  sku: String }")
    assert composition.errors == ()
    assert "input By\n  @join__type(graph: A)\n  @oneOf\n{" in (composition.supergraph_sdl or "")


def test_an_extension_must_be_of_the_kind_that_it_extends(compose_sdl: Callable[..., Composition]) -> None:
    """The reference takes ``extend type`` for an extension of an interface; the GraphQL specification forbids it."""
    composition = compose_sdl(a="type Query { i: I }  interface I { x: Int }  extend type I { y: Int }")
    assert [str(error) for error in composition.errors] == [
        'INVALID_GRAPHQL: [a] The interface "I" is extended as another kind of type (a:2:46)'
    ]


def test_a_directive_that_an_interface_cannot_carry_is_refused_with_a_code(
    compose_sdl: Callable[..., Composition],
) -> None:
    """An ``@interfaceObject`` is an interface in the supergraph; the reference refuses its ``@cost`` without a code."""
    cost = 'extend schema @link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost"])\n'
    composition = compose_sdl(
        a=cost + 'type Query { i: I }  type I @key(fields: "id") @interfaceObject @cost(weight: 2) { id: ID  x: Int }',
        b='interface I @key(fields: "id") { id: ID }  type T implements I @key(fields: "id") { id: ID }',
    )
    assert [str(error) for error in composition.errors] == [
        'INVALID_GRAPHQL: The directive "@cost" on "I" may not be used on an interface, as which the supergraph has it'
    ]


def test_requirements_that_need_each_other_are_an_error(compose_sdl: Callable[..., Composition]) -> None:
    """The reference exhausts its stack."""
    composition = compose_sdl(
        a="""type Query { t: T }
             type T @key(fields: "id") { id: ID  x: Int @requires(fields: "y")  y: Int @external }""",
        b="""type T @key(fields: "id") { id: ID  y: Int @requires(fields: "x")  x: Int @external }""",
    )
    assert [str(error.code) for error in composition.errors] == ["SATISFIABILITY_ERROR", "SATISFIABILITY_ERROR"]


CONTEXT = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", '
    'import: ["@key", "@external", "@requires", "@context", "@fromContext"])\n'
)
TAX = """type Order @key(fields: "id") {
  id: ID  place: Place @external  tax: Int @requires(fields: "place { item { price } }")
}
type Item @key(fields: "id") { id: ID  price: Int @external }
"""
ITEM = """type Query { order: Order }  type Order @key(fields: "id") { id: ID  place: Place }
type Item @key(fields: "id") { id: ID  price(currency: String @fromContext(field: "$shop { currency }")): Int }
"""


def compose_contexts(**sdls: str) -> Composition:
    return compose([Subgraph(name, f"http://{name}", CONTEXT + sdl) for name, sdl in sdls.items()])


def test_a_context_that_is_computed_from_what_needs_it_is_an_error() -> None:
    """The reference exhausts its stack."""
    place = 'type Place @key(fields: "id") @context(name: "shop") { id: ID  currency: String @external  item: Item }'
    composition = compose_contexts(
        a=ITEM + place,
        b=TAX
        + """type Place @key(fields: "id") {
               id: ID  item: Item @external  currency: String @requires(fields: "item { price }")
             }""",
    )
    assert {str(error.code) for error in composition.errors} == {"SATISFIABILITY_ERROR"}
    assert any('what "Place.currency" requires' in error.message for error in composition.errors)


@pytest.mark.parametrize(("context", "codes"), [('@context(name: "shop")', []), ("", ["SATISFIABILITY_ERROR"])])
def test_a_requirement_through_an_interface_has_the_context_that_each_of_its_types_sets(
    context: str, codes: list[str]
) -> None:
    """The reference refuses both, although it lets a client take the same fields; ours plans them type by type."""
    places = f"""interface Place {{ item: Item }}
                 type Shop implements Place @context(name: "shop") {{ currency: String  item: Item }}
                 type Stall implements Place {context} {{ currency: String  item: Item }}"""
    taxed = """interface Place { item: Item }
               type Shop implements Place { item: Item @external }
               type Stall implements Place { item: Item @external }"""
    composition = compose_contexts(a=ITEM + places, b=TAX + taxed)

    assert sorted({str(error.code) for error in composition.errors}) == codes


def test_a_directive_of_an_input_extension_is_checked_for_its_own_place(
    compose_sdl: Callable[..., Composition],
) -> None:
    """The reference takes the fields of ``extend input`` for arguments."""
    composition = compose_sdl(
        a="""directive @d on INPUT_FIELD_DEFINITION
             type Query { f(i: I): Int }
             input I { a: Int @d }
             extend input I { b: Int @d }"""
    )
    assert composition.errors == ()
