"""Every query of orders reads an index, and the database refuses an order that cannot be."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio
from pymongo.errors import WriteError

from subgraphs.chassis.mongodb import Database, connect, prepare_collections
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.orders.domain import Customer, OrderStatus
from subgraphs.orders.events import encode
from subgraphs.orders.service import Orders, Slice
from subgraphs.orders.store import COLLECTIONS, MongoStore
from tests.explained import QueryLog, collection_scans
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
    orders = Orders(store, lambda: NOW, itertools.count(1).__next__)
    await orders.change_product(MUG, 1)
    await orders.change_product(MUG, 2)
    order = await orders.place(Customer("cus_ada"), a_request())
    await orders.cancel(order.id, "why not", None)
    await store.customers(["cus_ada"])
    for status, after, customer_id in itertools.product((None, OrderStatus.PENDING), (None, "2026"), (None, "cus_ada")):
        await store.newest(Slice(5, after, status), customer_id)
    assert len(log.finds) > 15
    # The list of all orders has nothing to look for: it reads the first ones of the index that it is sorted by.
    assert await collection_scans(database, [find for find in log.finds if find["filter"]]) == []


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
