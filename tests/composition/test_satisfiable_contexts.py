"""A field with ``@fromContext`` can be asked only below an object that sets the context."""

from __future__ import annotations

import pytest

from router import Composition, Subgraph, compose

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", '
    'import: ["@key", "@external", "@requires", "@context", "@fromContext"])\n'
)
SHOP = 'type Shop @key(fields: "id") @context(name: "shop") { id: ID  currency: String  item: Item }\n'
ITEM = """type Item @key(fields: "id") {
  id: ID
  price(currency: String @fromContext(field: "$shop { currency }")): Int
}
"""


def run(**sdls: str) -> Composition:
    return compose([Subgraph(name, f"http://{name}", LINK + sdl) for name, sdl in sdls.items()])


def test_a_way_without_the_context_is_shown_with_a_query() -> None:
    composition = run(a="type Query { shop: Shop  item: Item }\n" + SHOP + ITEM)
    assert [error.message for error in composition.errors] == [
        """The supergraph's query
{
  item {
    price
  }
}
cannot be answered by the subgraphs:
- from subgraph "a": "Item.price" needs the context "shop", which no object around it sets in this query."""
    ]


def test_the_context_may_be_set_further_up_and_fetched_from_another_subgraph() -> None:
    shop = 'type Shop @key(fields: "id") @context(name: "shop") { id: ID  currency: String @external }\n'
    composition = run(
        a="type Query { any: Int }\n" + shop + ITEM,
        b="""type Query { shop: Shop }  type Shop @key(fields: "id") { id: ID  currency: String  shelf: Shelf }
             type Shelf { item: Item }  type Item @key(fields: "id") { id: ID }""",
    )
    assert composition.errors == ()


@pytest.mark.parametrize(
    "sdls",
    [
        {"a": "type Query { shop: Shop }  type Mutation { item: Item }\n" + SHOP + ITEM},
        {
            "a": "type Query { shop: Shop }\n" + SHOP + ITEM,
            "b": 'type Query { item: Item }  type Item @key(fields: "id") { id: ID }',
        },
        {
            "a": """type Query { shop: Shop }
                    type Shop @key(fields: "id") @context(name: "shop") {
                      id: ID  currency: String  price(currency: String @fromContext(field: "$shop { currency }")): Int
                    }"""
        },
        {
            "a": "type Query { shop: Shop }\n" + SHOP + ITEM,
            "b": """type Query { any: Int }
                    type Item @key(fields: "id") {
                      id: ID  price: Int @external  tax: Int @requires(fields: "price")
                    }""",
        },
    ],
    ids=["mutation", "another subgraph's root", "the parent itself does not enclose the field", "a requirement"],
)
def test_no_enclosing_object_sets_the_context(sdls: dict[str, str]) -> None:
    assert {str(error.code) for error in run(**sdls).errors} == {"SATISFIABILITY_ERROR"}


# Whether a required ``price`` has its context; @apollo/composition 2.14.2 says the same of each in the two lists.
ORDER = 'type Query { order: Order }  type Order @key(fields: "id") { id: ID  place: Place }\n' + ITEM
TAX = """type Order @key(fields: "id") {
  id: ID  place: Place @external  tax: Int @requires(fields: "place { item { price } }")
}
type Item @key(fields: "id") { id: ID  price: Int @external }
"""
PLACE = SHOP.replace("type Shop", "type Place")
TAXED_PLACE = 'type Place @key(fields: "id") { id: ID  item: Item @external }\n'
UNION = """union Place = Shop | Stall
type Shop @context(name: "shop") { currency: String  item: Item }
"""
TAXED_UNION = "union Place = Shop | Stall  type Shop { item: Item @external }  type Stall { item: Item @external }\n"
TAX_OF_EACH = TAX.replace("item { price }", "... on Shop { item { price } } ... on Stall { item { price } }")


@pytest.mark.parametrize(
    "sdls",
    [
        {"a": ORDER + PLACE, "b": TAX + TAXED_PLACE},
        {
            "a": ORDER + PLACE.replace("item: Item", "shelf: Shelf") + "type Shelf { item: Item }",
            "b": TAX.replace("item { price }", "shelf { item { price } }")
            + 'type Place @key(fields: "id") { id: ID  shelf: Shelf @external }  type Shelf { item: Item @external }',
        },
        {
            "a": ORDER + PLACE.replace("currency: String", "currency: String @external"),
            "b": TAX + TAXED_PLACE,
            "c": 'type Query { any: Int }  type Place @key(fields: "id") { id: ID  currency: String }',
        },
        {
            "a": ORDER + PLACE.replace("currency: String", "currency: String @external  country: String"),
            "b": TAX
            + """type Place @key(fields: "id") {
                   id: ID  item: Item @external
                   country: String @external  currency: String @requires(fields: "country")
                 }""",
        },
        {
            "a": """type Query { order: Order }
                    type Order @key(fields: "id") @context(name: "shop") { id: ID  currency: String  item: Item }
                 """
            + ITEM,
            "b": """type Order @key(fields: "id") {
                      id: ID  item: Item @external  tax: Int @requires(fields: "item { price }")
                    }
                    type Item @key(fields: "id") { id: ID  price: Int @external }""",
        },
        {
            "a": ORDER + UNION + 'type Stall @context(name: "shop") { currency: String  item: Item }',
            "b": TAX_OF_EACH + TAXED_UNION,
        },
        {
            "a": ORDER + PLACE,
            "b": TAX + TAXED_PLACE,
            "c": 'type Order @key(fields: "id") { id: ID  tax: Int @external  fee: Int @requires(fields: "tax") }',
        },
    ],
    ids=[
        "at once",
        "further up",
        "fetched elsewhere",
        "computed elsewhere",
        "by the object that requires",
        "by every type of a union",
        "a requirement of a requirement",
    ],
)
def test_an_object_on_the_way_of_a_requirement_sets_the_context(sdls: dict[str, str]) -> None:
    assert run(**sdls).errors == ()


@pytest.mark.parametrize(
    "sdls",
    [
        {
            "a": """type Query { shop: Shop }
                    type Shop @key(fields: "id") @context(name: "shop") { id: ID  currency: String  box: Box }
                    type Box @key(fields: "id") { id: ID  item: Item }
                 """
            + ITEM,
            "b": """type Box @key(fields: "id") {
                      id: ID  item: Item @external  tax: Int @requires(fields: "item { price }")
                    }
                    type Item @key(fields: "id") { id: ID  price: Int @external }""",
        },
        {
            "a": 'type Query { order: Order }  type Order @key(fields: "id") { id: ID  place: Place }'
            + """type Place @key(fields: "id") @context(name: "shop") {
                   id: ID  currency: String  price(currency: String @fromContext(field: "$shop { currency }")): Int
                 }""",
            "b": """type Order @key(fields: "id") {
                      id: ID  place: Place @external  tax: Int @requires(fields: "place { price }")
                    }
                    type Place @key(fields: "id") { id: ID  price: Int @external }""",
        },
        {
            "a": ORDER.replace("$shop", "$mall")
            + PLACE
            + 'type Mall @context(name: "mall") { currency: String  item: Item }',
            "b": TAX + TAXED_PLACE,
        },
        {"a": ORDER + UNION + "type Stall { currency: String  item: Item }", "b": TAX_OF_EACH + TAXED_UNION},
    ],
    ids=["around the object that requires", "by the field's own parent", "another context", "by one type of a union"],
)
def test_no_object_on_the_way_of_a_requirement_sets_the_context(sdls: dict[str, str]) -> None:
    errors = run(**sdls).errors

    assert {str(error.code) for error in errors} == {"SATISFIABILITY_ERROR"}
    assert any("requires" in error.message and "cannot be fetched" in error.message for error in errors)


@pytest.mark.parametrize(("stall_context", "dead_ends"), [("", 1), ('@context(name: "shop")', 0)])
def test_every_object_type_of_an_interface_must_set_it(stall_context: str, dead_ends: int) -> None:
    places = f"""type Query {{ place: Place }}
                 interface Place {{ item: Item }}
                 type Stall implements Place {stall_context} {{ currency: String  item: Item }}
                 {SHOP.replace("type Shop", "type Shop implements Place")}"""
    assert [error.message.count("... on Stall") for error in run(a=places + ITEM).errors] == [1] * dead_ends
