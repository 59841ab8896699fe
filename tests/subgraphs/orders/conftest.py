"""The stores of orders: over an empty database, and in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from subgraphs.chassis.database.mongodb import connect, prepare_collections
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.orders.published_events import encode
from subgraphs.orders.service import Store
from subgraphs.orders.store import COLLECTIONS, MongoStore
from tests.services import CommandLog
from tests.subgraphs.orders.memory_store import MemoryStore
from tests.subgraphs.orders.own_database import NoRelay, OwnDatabase


@pytest_asyncio.fixture
async def own(mongodb_url: str) -> AsyncIterator[OwnDatabase]:
    settings = ServiceSettings.model_validate({"mongodb_url": mongodb_url, "nats_url": "nats://unused:4222"})
    log = CommandLog()
    database = connect(settings, [log])
    await prepare_collections(database, COLLECTIONS)
    log.commands.clear()
    yield OwnDatabase(database, MongoStore(database, NoRelay(), encode), log)
    database.client.close()


@pytest.fixture(params=["memory", "mongodb"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    own: OwnDatabase = request.getfixturevalue("own")
    return own.store
