"""Every query of orders reads an index, and the database refuses an order that cannot be."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio
from pymongo.errors import WriteError

from subgraphs.chassis.database.mongodb import Database, connect, prepare_collections
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.orders.domain import Customer
from subgraphs.orders.order_life import OrderStatus
from subgraphs.orders.published_events import encode
from subgraphs.orders.service import Orders, Slice
from subgraphs.orders.store import COLLECTIONS, MongoStore
from tests.explained import QueryLog, Watched, collection_scans
from tests.subgraphs.orders.examples import MUG, NOW, a_request, an_order
from tests.subgraphs.orders.own_database import NoRelay

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def shop(mongodb_url: str) -> AsyncIterator[tuple[Database, MongoStore, QueryLog]]:
    log = QueryLog()
    settings = ServiceSettings.model_validate({"mongodb_url": mongodb_url, "nats_url": "nats://unused:4222"})
    database = connect(settings, [log])
    await prepare_collections(database, COLLECTIONS)
    yield database, MongoStore(database, NoRelay(), encode), log
    database.client.close()


async def test_every_query_reads_an_index(shop: tuple[Database, MongoStore, QueryLog]) -> None:
    database, store, log = shop
    watched: Any = Watched(store)
    orders = Orders(watched, lambda: NOW, itertools.count(1).__next__)
    await orders.change_product(MUG, 1)
    await orders.change_product(MUG, 2)
    order = await orders.place(Customer("cus_ada"), a_request())
    await orders.cancel(order.id, "why not", None)
    await watched.customers(["cus_ada"])
    for status, after, customer_id in itertools.product((None, OrderStatus.PENDING), (None, "2026"), (None, "cus_ada")):
        await watched.newest(Slice(5, after, status), customer_id)
        await watched.newest_by_customer(["cus_ada", "cus_bob"], Slice(5, after, status))
    await watched.add_all([an_order()], [MUG], [Customer("cus_bob")])
    assert watched.uncalled() == set()
    assert len(log.finds) > 30
    assert await collection_scans(database, log) == []


@pytest.mark.parametrize(
    "change",
    [
        {"$set": {"stage": "LOST"}},
        {"$set": {"shippingFee.amountMinor": -1}},
        {"$set": {"lines": []}},
        {"$set": {"lines.0.quantity": 0}},
        {"$unset": {"history": 1}},
    ],
)
async def test_the_database_refuses_an_order_that_cannot_be(
    shop: tuple[Database, MongoStore, QueryLog], change: Mapping[str, Any]
) -> None:
    database, store, _ = shop
    await store.insert(an_order(), [])
    with pytest.raises(WriteError, match="Document failed validation"):
        await database["orders"].update_one({"_id": "ord_1"}, change)
    assert await store.orders(["ord_1"]) == {"ord_1": an_order()}
