"""Every query of inventory reads an index, and the database refuses what no order of ours may write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from pymongo.errors import WriteError

from subgraphs.chassis.database.mongodb import Database, connect, prepare_collections
from subgraphs.inventory.app import new_movement_id
from subgraphs.inventory.domain import ReservationLine
from subgraphs.inventory.events import encode
from subgraphs.inventory.reservations import ReturnedParcel
from subgraphs.inventory.service import Inventory
from subgraphs.inventory.store import COLLECTIONS, MongoStore
from subgraphs.inventory.store_contract import ProductQuery
from tests.explained import QueryLog, Watched, collection_scans
from tests.subgraphs.inventory.examples import MUG, NOON, TEAPOT, lines, settings_for, stocked
from tests.subgraphs.inventory.test_database import NoOutbox

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def shop(mongodb_url: str) -> AsyncIterator[tuple[Database, MongoStore, QueryLog]]:
    log = QueryLog()
    database = connect(settings_for(mongodb_url), [log])
    await prepare_collections(database, COLLECTIONS)
    store = MongoStore(database, NoOutbox(), encode)
    await stocked(store)
    yield database, store, log
    database.client.close()


async def test_every_query_reads_an_index(shop: tuple[Database, MongoStore, QueryLog]) -> None:
    database, store, log = shop
    watched: Any = Watched(store)
    await watched.add_all([], [], [])
    await stocked(watched)  # what is there stays as it is
    inventory = Inventory(watched, lambda: NOON, new_movement_id)
    await inventory.update_product(MUG, {"name": "Red Mug"})
    await inventory.adjust_stock(MUG, "BER", 1, "found", "k1")
    for order_id in ("ord_1", "ord_2"):
        await inventory.reserve(order_id, "cus_ada", lines(MUG_001=2, TEA_001=1), f"evt_{order_id}")
    await inventory.confirm("ord_1", "evt_3")
    await inventory.sell("ord_1", "evt_4")
    await inventory.take_back("ord_1", ReturnedParcel("ret_1", "LYO", None, (ReservationLine(MUG, 1),)), "evt_5")
    await Inventory(watched, lambda: NOON + timedelta(days=1), new_movement_id).expire_due()
    await inventory.release("ord_2", "cus_ada", "evt_6")
    journal = await watched.movements(MUG, 5)
    await watched.movements(MUG, 5, (journal[0].at, journal[0].id))
    await watched.archive_journal()
    for query in (ProductQuery(), ProductQuery(active=None), ProductQuery(category="Tea")):
        for after in (None, "a"):
            await watched.list_products(query, 5, after)
    assert len(log.finds) > 40
    assert watched.uncalled() == set()
    assert await collection_scans(database, log) == []


@pytest.mark.parametrize(
    "change",
    [
        {"$inc": {"stock.available": -100}},
        {"$inc": {"stock.warehouses.BER.onHand": -100}},
        {"$inc": {"stock.warehouses.BER.available": -11}},
        {"$set": {"stock.warehouses.XYZ": {"onHand": 1}}},
        {"$set": {"price.amountMinor": 0}},
        {"$unset": {"holds": 1}},
    ],
)
async def test_the_database_refuses_a_product_that_cannot_be(
    shop: tuple[Database, MongoStore, QueryLog], change: Mapping[str, Any]
) -> None:
    database, store, _ = shop
    before = await store.products([MUG, TEAPOT])
    with pytest.raises(WriteError, match="Document failed validation"):
        await database["products"].update_one({"_id": MUG}, change)
    assert await store.products([MUG, TEAPOT]) == before
