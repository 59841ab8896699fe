"""What only the real database can show: numbers of queries, indexes, and buyers side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from subgraphs.chassis.database.mongodb import connect, is_empty
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.identity.auth import ANONYMOUS
from subgraphs.chassis.service import Runtime
from subgraphs.inventory.adjustments import MAXIMUM_QUANTITY, MAXIMUM_STOCK
from subgraphs.inventory.app import new_movement_id, service
from subgraphs.inventory.documents import hold_document
from subgraphs.inventory.domain import (
    MAXIMUM_HOLDS,
    Allocation,
    InventoryError,
    Product,
    ProductChanged,
    Rejection,
    ReservationStatus,
)
from subgraphs.inventory.events import encode
from subgraphs.inventory.service import Inventory
from subgraphs.inventory.store import COLLECTIONS, MongoStore, products_filter
from subgraphs.inventory.store_contract import ProductQuery
from tests.services import CommandLog
from tests.subgraphs.inventory.examples import MUG, NOON, TEAPOT, facts, lines, receipt, settings_for

ENTITIES = (
    "query($keys: [_Any!]!) { _entities(representations: $keys) { ... on Product { name stock { available } } } }"
)


class NoOutbox:
    def wake(self) -> None:
        """Nobody relays in these tests."""


@pytest.mark.usefixtures("mongo_store")
@pytest.mark.asyncio
async def test_a_hundred_entities_are_one_query(mongodb_url: str) -> None:
    log = CommandLog()
    database = connect(settings_for(mongodb_url), [log])
    inventory = Inventory(MongoStore(database, NoOutbox(), encode), lambda: NOON, new_movement_id)
    context = RequestContext(ANONYMOUS, lambda: inventory, service.loaders)
    keys = [{"__typename": "Product", "id": each} for each in [MUG, TEAPOT, "NO-1", MUG] * 25]
    result = await service.schema.execute(ENTITIES, {"keys": keys}, context)
    database.client.close()
    assert result.errors is None
    assert result.data is not None
    mug = {"name": "Blue Mug", "stock": {"available": 14}}
    teapot = {"name": "Green Teapot", "stock": {"available": 3}}
    assert result.data["_entities"] == [mug, teapot, None, mug] * 25
    assert [name for name in log.commands if name not in ("hello", "saslStart", "saslContinue", "endSessions")] == [
        "find"
    ]


@pytest.mark.asyncio
async def test_fifty_buyers_of_ten_pieces_leave_none_and_forty_are_told(mongo_store: MongoStore) -> None:
    await mongo_store.adjust(receipt(TEAPOT, 7))
    inventory = Inventory(mongo_store, lambda: NOON, new_movement_id)
    buyers = [inventory.reserve(f"ord_{number}", "cus_ada", lines(TEA_001=1), f"evt_{number}") for number in range(50)]
    reservations = await asyncio.gather(*buyers)
    sold = [each for each in reservations if each.status is ReservationStatus.HELD]
    refused = [each.rejection.code for each in reservations if each.rejection]
    assert (len(sold), refused) == (10, ["OUT_OF_STOCK"] * 40)
    for each in sold:
        await inventory.sell(each.order_id, f"dispatch of {each.order_id}")
    stock = (await mongo_store.products([TEAPOT]))[TEAPOT].stock
    assert (stock.on_hand, stock.reserved, stock.available) == (0, 0, 0)
    journal = await mongo_store.movements(TEAPOT, 100)
    assert (sum(each.on_hand for each in journal), sum(each.reserved for each in journal)) == (0, 0)


@pytest.mark.asyncio
async def test_a_product_with_too_many_open_orders_is_refused_until_one_has_left(
    mongo_store: MongoStore, mongodb_url: str
) -> None:
    count = MAXIMUM_HOLDS - 1
    await mongo_store.add_product(jug := Product("AAA-001", facts("Jug")), ProductChanged(jug, NOON))
    await mongo_store.adjust(receipt("AAA-001", 1))
    await mongo_store.adjust(receipt(MUG, 2 * MAXIMUM_HOLDS))
    holds = [hold_document(f"res_{number:032x}", Allocation("BER", 1)) for number in range(count)]
    taken = {f"stock.warehouses.BER.{each}": sign * count for each, sign in (("reserved", 1), ("available", -1))}
    database = connect(settings_for(mongodb_url))
    held = {"$set": {"holds": holds}, "$inc": {**taken, "stock.available": -count}}
    await database["products"].update_one({"_id": MUG}, held)
    database.client.close()
    inventory = Inventory(mongo_store, lambda: NOON, new_movement_id)

    last = await inventory.reserve("ord_last", "cus_ada", lines(MUG_001=1), "evt_1")
    refused = await inventory.reserve("ord_refused", "cus_ada", lines(AAA_001=1, MUG_001=1), "evt_2")
    await inventory.sell("ord_last", "evt_3")
    next_one = await inventory.reserve("ord_next", "cus_ada", lines(MUG_001=1), "evt_4")

    assert [each.status.value for each in (last, refused, next_one)] == ["HELD", "REJECTED", "HELD"]
    message = "Too many orders of MUG-001 wait to be sent; order it again when some have left."
    assert refused.rejection == Rejection("TOO_MANY_OPEN_ORDERS", message, (MUG,))
    stocks = {each.id: each.stock.reserved for each in (await mongo_store.products([MUG, "AAA-001"])).values()}
    assert stocks == {MUG: MAXIMUM_HOLDS, "AAA-001": 0}


@pytest.mark.asyncio
async def test_deliveries_side_by_side_stop_at_what_can_be_answered(mongo_store: MongoStore) -> None:
    await mongo_store.adjust(receipt(TEAPOT, MAXIMUM_STOCK - 3 - 5 * MAXIMUM_QUANTITY))
    inventory = Inventory(mongo_store, lambda: NOON, new_movement_id)

    async def deliver(number: int) -> str:
        try:
            await inventory.adjust_stock(TEAPOT, f"W{number}", MAXIMUM_QUANTITY, "delivery", f"delivery {number}")
        except InventoryError as error:
            return error.code
        return "taken"

    outcomes = await asyncio.gather(*(deliver(number) for number in range(10)))
    assert sorted(outcomes) == ["STOCK_TOO_LARGE"] * 5 + ["taken"] * 5
    assert (await mongo_store.products([TEAPOT]))[TEAPOT].stock.on_hand == MAXIMUM_STOCK


@pytest.mark.asyncio
async def test_orders_for_the_same_products_in_any_order_all_end(mongo_store: MongoStore) -> None:
    inventory = Inventory(mongo_store, lambda: NOON, new_movement_id)
    baskets = [lines(MUG_001=2, TEA_001=1), lines(TEA_001=1, MUG_001=2)] * 4
    buyers = [inventory.reserve(f"ord_{n}", "cus_ada", basket, f"evt_{n}") for n, basket in enumerate(baskets)]
    reservations = await asyncio.gather(*buyers)
    held = [each for each in reservations if each.status is ReservationStatus.HELD]
    products = await mongo_store.products([MUG, TEAPOT])
    assert len(held) == 3
    assert {each.id: each.stock.reserved for each in products.values()} == {MUG: 6, TEAPOT: 3}
    journal = await mongo_store.movements(MUG, 100)
    assert (sum(each.on_hand for each in journal), sum(each.reserved for each in journal)) == (14, 6)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (ProductQuery(), "active_by_name"),
        (ProductQuery(active=None), "all_by_name"),
        (ProductQuery(category="Tea"), "by_category"),
    ],
)
@pytest.mark.usefixtures("mongo_store")
@pytest.mark.asyncio
async def test_lists_are_read_from_an_index(mongodb_url: str, query: ProductQuery, index: str) -> None:
    database = connect(settings_for(mongodb_url))
    plan = await database["products"].find(products_filter(query, "a")).sort("sortKey").limit(5).explain()
    database.client.close()
    assert index in _index_names(plan["queryPlanner"]["winningPlan"])


@pytest.mark.asyncio
async def test_the_seed_fills_an_empty_database_and_adds_up(mongodb_url: str, mongo_store: MongoStore) -> None:
    database = connect(settings_for(mongodb_url))
    for collection in COLLECTIONS:
        await database[collection.name].delete_many({})
    runtime = Runtime(settings_for(mongodb_url), database, NoOutbox(), lambda: NOON)
    first = await service.seed(runtime, NOON)
    again = await service.seed(runtime, NOON)
    assert first == again == sum([await database[each.name].count_documents({}) for each in COLLECTIONS])
    assert not await is_empty(database, COLLECTIONS)
    for product in await mongo_store.list_products(ProductQuery(active=None), 1000, None):
        journal = await mongo_store.movements(product.id, 1000)
        sums = (sum(each.on_hand for each in journal), sum(each.reserved for each in journal))
        assert sums == (product.stock.on_hand, product.stock.reserved), product.id
    database.client.close()


def _index_names(plan: Mapping[str, Any]) -> list[str]:
    assert plan["stage"] != "COLLSCAN"
    names = [plan["indexName"]] if "indexName" in plan else []
    return names + (_index_names(plan["inputStage"]) if "inputStage" in plan else [])
