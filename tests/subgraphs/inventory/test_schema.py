"""The graph of inventory, over the store in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from subgraphs.chassis.graphql.connection import encode_cursor
from subgraphs.inventory.app import service
from subgraphs.inventory.service import Inventory
from tests.services import ServiceClient, client_of
from tests.subgraphs.inventory.examples import MUG, TEAPOT, lines

PRODUCTS = (
    "query($first: Int!, $after: String) { products(first: $first, after: $after) { edges { cursor node { id "
    "} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
)
ENTITIES = (
    "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on Product { id "
    "name } ... on Order { id reservation { status lines { quantity product { name } } } } } }"
)
CREATE = (
    "mutation($input: CreateProductInput!) { createProduct(input: $input) { product { id price { amount } } "
    "userErrors { code field message } } }"
)
UPDATE = (
    "mutation($input: UpdateProductInput!) { updateProduct(input: $input) { product { name weightGrams } "
    "userErrors { code field } } }"
)
ADJUST = (
    "mutation($input: AdjustStockInput!) { adjustStock(input: $input) { product { stock { onHand } } movement "
    "{ kind onHand } userErrors { code field message } } }"
)
CUP = {"id": "CUP-001", "name": "Cup", "category": "Tableware", "price": {"amount": "7.50"}, "weightGrams": 200}
TAKE_FOUR = {"productId": MUG, "warehouse": "BER", "delta": -4, "reason": "broken", "idempotencyKey": "k1"}
STAFF = "staff_grace"


@pytest.fixture
def client(inventory: Inventory, tmp_path: Path) -> ServiceClient:
    return client_of(service, inventory, tmp_path)


@pytest.mark.asyncio
async def test_a_product_is_there_for_everyone(client: ServiceClient) -> None:
    data = await client.data(
        '{ product(id: "MUG-001") { name price { amount currencyCode } weightGrams active stock { available onHand'
        ' reserved status byWarehouse { warehouse available } } } nothing: product(id: "NO-1") { name } }'
    )
    stock = {
        "available": 14,
        "onHand": 14,
        "reserved": 0,
        "status": "IN_STOCK",
        "byWarehouse": [{"warehouse": "BER", "available": 10}, {"warehouse": "LYO", "available": 4}],
    }
    price = {"amount": "12.50", "currencyCode": "EUR"}
    product = {"name": "Blue Mug", "price": price, "weightGrams": 350, "active": True, "stock": stock}
    assert data == {"product": product, "nothing": None}


@pytest.mark.asyncio
async def test_products_page_by_opaque_cursors(client: ServiceClient) -> None:
    first = (await client.data(PRODUCTS, first=1))["products"]
    rest = (await client.data(PRODUCTS, first=5, after=first["pageInfo"]["endCursor"]))["products"]
    assert [edge["node"]["id"] for edge in first["edges"] + rest["edges"]] == [MUG, TEAPOT]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"first": 100_000}, "PAGE_SIZE_TOO_LARGE"),
        ({"first": -1}, "PAGE_SIZE_NEGATIVE"),
        ({"first": 1, "after": "garbage"}, "INVALID_CURSOR"),
        ({"first": 1, "after": "WzFd"}, "INVALID_CURSOR"),
        ({"first": "many"}, "BAD_USER_INPUT"),
    ],
)
@pytest.mark.asyncio
async def test_an_impossible_page_is_refused(client: ServiceClient, variables: dict[str, Any], code: str) -> None:
    assert await client.error_code(PRODUCTS, **variables) == code


@pytest.mark.asyncio
async def test_only_staff_see_what_is_no_longer_sold(client: ServiceClient) -> None:
    await client.data(UPDATE, STAFF, input={"id": MUG, "active": False})
    everyone = await client.data(PRODUCTS, first=5)
    staff = await client.data(PRODUCTS, STAFF, first=5)
    assert [len(data["products"]["edges"]) for data in (everyone, staff)] == [1, 2]


@pytest.mark.asyncio
async def test_staff_create_products(client: ServiceClient) -> None:
    created = (await client.data(CREATE, STAFF, input=CUP))["createProduct"]
    assert created == {"product": {"id": "CUP-001", "price": {"amount": "7.50"}}, "userErrors": []}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"id": MUG}, "PRODUCT_EXISTS", "id"),
        ({"id": "no sku"}, "PRODUCT_ID_INVALID", "id"),
        ({"name": " "}, "NAME_INVALID", "name"),
        ({"category": ""}, "CATEGORY_INVALID", "category"),
        ({"description": "x" * 5001}, "DESCRIPTION_INVALID", "description"),
        ({"imageUrl": "javascript:alert(1)"}, "IMAGE_URL_INVALID", "imageUrl"),
        ({"imageUrl": "//elsewhere/mug.png"}, "IMAGE_URL_INVALID", "imageUrl"),
        ({"imageUrl": "https://[elsewhere/mug.png"}, "IMAGE_URL_INVALID", "imageUrl"),
        ({"weightGrams": 0}, "WEIGHT_INVALID", "weightGrams"),
        ({"price": {"amount": "7.50", "currencyCode": "USD"}}, "CURRENCY_NOT_SUPPORTED", "price.currencyCode"),
        ({"price": {"amount": "7.505"}}, "PRICE_INVALID", "price.amount"),
        ({"price": {"amount": "-1"}}, "PRICE_INVALID", "price.amount"),
        ({"price": {"amount": "NaN"}}, "PRICE_INVALID", "price.amount"),
        ({"price": {"amount": "1e400"}}, "PRICE_INVALID", "price.amount"),
        ({"price": {"amount": "1e999999"}}, "PRICE_INVALID", "price.amount"),
        ({"price": {"amount": "7.500000000000000000000000000000001"}}, "PRICE_INVALID", "price.amount"),
    ],
)
@pytest.mark.asyncio
async def test_a_product_that_cannot_be_sold_is_refused(
    client: ServiceClient, change: dict[str, Any], code: str, field: str
) -> None:
    refused = (await client.data(CREATE, STAFF, input=CUP | change))["createProduct"]
    assert refused["product"] is None
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [(code, field)]
    assert len((await client.data(PRODUCTS, STAFF, first=5))["products"]["edges"]) == 2


@pytest.mark.asyncio
async def test_an_update_changes_what_it_names(client: ServiceClient) -> None:
    updated = (await client.data(UPDATE, STAFF, input={"id": MUG, "name": "Red Mug"}))["updateProduct"]
    assert updated == {"product": {"name": "Red Mug", "weightGrams": 350}, "userErrors": []}


@pytest.mark.asyncio
async def test_an_adjustment_is_made_once_for_its_key(client: ServiceClient) -> None:
    for _ in range(2):
        adjusted = (await client.data(ADJUST, STAFF, input=TAKE_FOUR))["adjustStock"]
        assert adjusted == {
            "product": {"stock": {"onHand": 10}},
            "movement": {"kind": "ADJUSTMENT", "onHand": -4},
            "userErrors": [],
        }


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"productId": "NO-1"}, "PRODUCT_UNKNOWN", "id"),
        ({"warehouse": "a.b$"}, "WAREHOUSE_INVALID", "warehouse"),
        ({"delta": 0}, "QUANTITY_INVALID", "delta"),
        ({"delta": 1_000_000_000}, "QUANTITY_INVALID", "delta"),
        ({"delta": -11}, "STOCK_INSUFFICIENT", "delta"),
        ({"reason": ""}, "REASON_INVALID", "reason"),
        ({"idempotencyKey": "k" * 101}, "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
    ],
)
@pytest.mark.asyncio
async def test_an_impossible_adjustment_changes_nothing(
    client: ServiceClient, change: dict[str, Any], code: str, field: str
) -> None:
    refused = (await client.data(ADJUST, STAFF, input=TAKE_FOUR | change))["adjustStock"]
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [(code, field)]
    product = (await client.data('{ product(id: "MUG-001") { stock { onHand } } }'))["product"]
    assert product == {"stock": {"onHand": 14}}


@pytest.mark.parametrize(("subject", "code"), [(None, "UNAUTHENTICATED"), ("cus_ada", "FORBIDDEN")])
@pytest.mark.parametrize(
    ("operation", "variables"),
    [
        (CREATE, {"input": CUP}),
        (UPDATE, {"input": {"id": MUG, "name": "x"}}),
        (ADJUST, {"input": TAKE_FOUR}),
        ('{ stockMovements(productId: "MUG-001") { edges { node { id } } } }', {}),
    ],
)
@pytest.mark.asyncio
async def test_what_is_for_staff_is_for_nobody_else(
    client: ServiceClient, operation: str, variables: dict[str, Any], subject: str | None, code: str
) -> None:
    assert await client.error_code(operation, subject, **variables) == code
    products = await client.data("{ products { edges { node { name stock { onHand } } } } }")
    assert [edge["node"] for edge in products["products"]["edges"]] == [
        {"name": "Blue Mug", "stock": {"onHand": 14}},
        {"name": "Green Teapot", "stock": {"onHand": 3}},
    ]


@pytest.mark.asyncio
async def test_staff_read_the_journal(client: ServiceClient) -> None:
    journal = await client.data(
        '{ stockMovements(productId: "TEA-001") { edges { node { warehouse kind onHand reserved reason } } } }', STAFF
    )
    receipt = {"warehouse": "BER", "kind": "RECEIPT", "onHand": 3, "reserved": 0, "reason": "delivery"}
    assert journal == {"stockMovements": {"edges": [{"node": receipt}]}}


@pytest.mark.asyncio
async def test_the_journal_pages_by_its_own_cursors(client: ServiceClient) -> None:
    query = (
        'query($after: String) { stockMovements(productId: "MUG-001", first: 1, after: $after)'
        " { edges { node { warehouse } } pageInfo { endCursor } } }"
    )
    first = (await client.data(query, STAFF))["stockMovements"]
    second = (await client.data(query, STAFF, after=first["pageInfo"]["endCursor"]))["stockMovements"]
    warehouses = {edge["node"]["warehouse"] for edge in first["edges"] + second["edges"]}
    assert warehouses == {"BER", "LYO"}
    for at in ("no time", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert await client.error_code(query, STAFF, after=encode_cursor((at, "mov_1"))) == "INVALID_CURSOR"


@pytest.mark.asyncio
async def test_unknown_keys_yield_null_at_their_positions(client: ServiceClient) -> None:
    keys = [{"__typename": "Product", "id": each} for each in (TEAPOT, "NO-1", MUG)]
    data = await client.data(ENTITIES, representations=keys)
    assert data["_entities"] == [{"id": TEAPOT, "name": "Green Teapot"}, None, {"id": MUG, "name": "Blue Mug"}]


@pytest.mark.parametrize(
    ("subject", "seen"), [("cus_ada", ["HELD", None]), ("cus_bob", [None, None]), (STAFF, ["HELD", None])]
)
@pytest.mark.asyncio
async def test_a_reservation_is_for_its_customer_and_staff(
    client: ServiceClient, inventory: Inventory, subject: str, seen: list[str | None]
) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2), "evt_1")
    keys = [{"__typename": "Order", "id": each} for each in ("ord_1", "ord_2")]
    entities = (await client.data(ENTITIES, subject, representations=keys))["_entities"]
    assert [order and order["reservation"]["status"] for order in entities] == seen


@pytest.mark.asyncio
async def test_a_reservation_names_its_products(client: ServiceClient, inventory: Inventory) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2), "evt_1")
    key = {"__typename": "Order", "id": "ord_1"}
    (order,) = (await client.data(ENTITIES, "cus_ada", representations=[key]))["_entities"]
    assert order["reservation"]["lines"] == [{"quantity": 2, "product": {"name": "Blue Mug"}}]


@pytest.mark.asyncio
async def test_an_order_without_a_token_is_unauthenticated(client: ServiceClient) -> None:
    key = {"__typename": "Order", "id": "ord_1"}
    assert await client.error_code(ENTITIES, representations=[key]) == "UNAUTHENTICATED"


@pytest.mark.asyncio
async def test_a_rejected_order_has_no_reservation(client: ServiceClient, inventory: Inventory) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=99), "evt_1")
    key = {"__typename": "Order", "id": "ord_1"}
    (order,) = (await client.data(ENTITIES, "cus_ada", representations=[key]))["_entities"]
    assert order == {"id": "ord_1", "reservation": None}


def test_the_committed_schema_is_the_printed_one() -> None:
    committed = Path(__file__).parents[3] / "subgraphs" / "inventory" / "schema.graphql"
    assert committed.read_text() == service.schema.as_str() + "\n"
