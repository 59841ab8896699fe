"""What ``@fromContext`` may take, and of whom: each rule refuses what the reference composer refuses, by its code."""

from __future__ import annotations

import pytest

from router import Composition, Subgraph, compose

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", '
    'import: ["@key", "@shareable", "@interfaceObject", "@context", "@fromContext", "@authenticated"]) '
)
SHOP = """
    type Query { shop: Shop }
    type Shop @context(name: "shop") { tax: Int  names: [String!]  sub: Sub  subs: [Sub]  item: Item }
    type Sub { deep: Int }
"""


def of_item(fields: str, key: str = '@key(fields: "id")') -> str:
    return f"type Item {key} {{ id: ID  {fields} }}"


def composed(*sdls: str) -> Composition:
    return compose([Subgraph(name, f"http://{name}", LINK + sdl) for name, sdl in zip("ab", sdls, strict=False)])


def told(composition: Composition) -> list[tuple[str, str]]:
    return [(str(error.code), error.message) for error in composition.errors]


@pytest.mark.parametrize(
    ("argument", "code", "message"),
    [
        ('r: Int @fromContext(field: "$shop { tax }")', None, ""),
        ('r: Int @fromContext(field: "$shop { sub { deep } }")', None, ""),
        ('r: [String] @fromContext(field: "$shop { names }")', None, ""),
        ('r: [Int] @fromContext(field: "$shop { subs { deep } }")', None, ""),
        (
            'r: Int = 3 @fromContext(field: "$shop { tax }")',
            "CONTEXT_NOT_SET",
            'The contextual argument "Item.price(r:)" cannot have a default value',
        ),
        (
            'r: Int @fromContext(field: "{ tax }")',
            "NO_CONTEXT_IN_SELECTION",
            '@fromContext on "Item.price(r:)" names no context, as in "$user { id }"',
        ),
        (
            'r: Int @fromContext(field: "$mall { tax }")',
            "CONTEXT_NOT_SET",
            '"Item.price(r:)" uses the context "mall", which no type sets',
        ),
        (
            'r: Int @fromContext(field: "$shop")',
            "NO_CONTEXT_IN_SELECTION",
            '@fromContext on "Item.price(r:)" selects nothing of "shop"',
        ),
        *(
            (
                f'r: {type_} @fromContext(field: "$shop {selection}")',
                "CONTEXT_INVALID_SELECTION",
                f'The selection of "Item.price(r:)" from context "shop" {fault}',
            )
            for type_, selection, fault in (
                ("Int", "{ tax ", "cannot be read: Syntax Error: Expected Name, found <EOF>."),
                ("Int", "{ tax @skip(if: true) }", "applies directives"),
                ("Int", "{ sub { deep @skip(if: true) } }", "applies directives"),
                ("Int", "{ t: tax }", "uses aliases"),
                ("Int", "{ sub { d: deep } }", "uses aliases"),
                ("Int", "{ tax names }", 'is invalid on "Shop": it selects more than one field'),
                ("Int", "{ none }", 'is invalid on "Shop": there is no field "none"'),
                ("Int", "{ sub }", 'is invalid on "Shop": "sub" needs a selection of its fields'),
                ("Int", "{ tax { deep } }", 'is invalid on "Shop": "tax" has no fields to select'),
                ("Int!", "{ tax }", 'is of type Int on "Shop", not Int!'),
                ("String", "{ names }", 'is of type [String!] on "Shop", not String'),
                ("Int", "{ subs { deep } }", 'is of type [Int] on "Shop", not Int'),
            )
        ),
    ],
)
def test_what_an_argument_may_take_of_a_context(argument: str, code: str | None, message: str) -> None:
    composition = composed(SHOP + of_item(f"price({argument}): Int"))

    assert told(composition) == ([(code, message)] if code else [])


CONTEXT = '@context(name: "one")'
ONE_OF = """
    type Query { u: U }
    union U @context(name: "one") = S | T
    type S { x: Int  item: Item }
    type T { y: Int  item: Item }
    type Item @key(fields: "id") { id: ID  price(%s @fromContext(field: "$one ... on S { x }")): Int }
"""
PRICE = 'price(r: Int @fromContext(field: "$shop { tax }")): Int'


@pytest.mark.parametrize(
    ("a", "b", "code", "message"),
    [
        (
            SHOP
            + f'interface Priced {{ price: Int }} type Item implements Priced @key(fields: "id") {{ id: ID {PRICE} }}',
            "",
            "CONTEXT_NOT_SET",
            '"Item.price(r:)" cannot be contextual, as its field implements one of the interface "Priced"',
        ),
        (
            SHOP + of_item(PRICE, '@key(fields: "id", resolvable: false)'),
            "",
            "CONTEXT_NO_RESOLVABLE_KEY",
            '"Item" has the contextual argument "Item.price(r:)" and needs a resolvable @key',
        ),
        (
            SHOP.replace("type Shop", 'type Shop @key(fields: "tax") @interfaceObject') + of_item(PRICE),
            'interface Shop @key(fields: "tax") { tax: Int } '
            'type Stall implements Shop @key(fields: "tax") { tax: Int @shareable }',
            "CONTEXT_INVALID_SELECTION",
            'The selection of "Item.price(r:)" from context "shop" is read on "Shop", which is an @interfaceObject',
        ),
        (
            SHOP.replace("shop: Shop", "shop: Shop  stall: Stall")
            + 'type Stall @context(name: "shop") { tax: String  item: Item }'
            + of_item(PRICE),
            "",
            "CONTEXT_INVALID_SELECTION",
            'The selection of "Item.price(r:)" from context "shop" is of type String on "Stall", not Int',
        ),
        (
            SHOP + of_item(f"{PRICE} @shareable"),
            of_item("price(r: Int!): Int @shareable"),
            "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
            'The argument "Item.price(r:)" is contextual in subgraph "a" but a required argument in subgraph "b"',
        ),
        (SHOP + of_item(f"{PRICE} @shareable"), of_item("price(r: Int): Int @shareable"), None, ""),
        (ONE_OF % "r: Int", "", None, ""),
        (
            ONE_OF.replace("x: Int", "x: Int!") % "r: Int!",
            "",
            "CONTEXT_INVALID_SELECTION",
            'The selection of "Item.price(r:)" from context "one" is invalid on "T": no type condition of it matches',
        ),
        (
            ONE_OF.replace("type S", f"type S {CONTEXT}").replace("type T", f"type T {CONTEXT}") % "r: Int",
            "",
            "CONTEXT_INVALID_SELECTION",
            'The selection of "Item.price(r:)" from context "one" is invalid on "T": no type condition of it matches',
        ),
    ],
)
def test_which_fields_and_objects_a_context_may_join(a: str, b: str, code: str | None, message: str) -> None:
    assert told(composed(a, b) if b else composed(a)) == ([(code, message)] if code else [])


@pytest.mark.parametrize(
    ("shop", "tax", "price", "place"),
    [
        ("", "@authenticated", "", "Shop.tax"),
        ("@authenticated", "", "", "Shop"),
        ("", "@authenticated", "@authenticated", None),
        ("@authenticated", "", "@authenticated", None),
    ],
)
def test_a_field_asks_for_all_that_what_it_takes_of_a_context_asks_for(
    shop: str, tax: str, price: str, place: str | None
) -> None:
    """Else a caller without a login could compute from what only others may see."""
    sdl = SHOP.replace("type Shop", f"type Shop {shop}").replace("tax: Int", f"tax: Int {tax}")
    message = (
        f'"Item.price" takes "{place}" from a context, but asks for less than that field; '
        "add the @authenticated, @requiresScopes or @policy that it needs"
    )

    assert told(composed(sdl + of_item(f"{PRICE} {price}"))) == (
        [("MISSING_TRANSITIVE_AUTH_REQUIREMENTS", message)] if place else []
    )
