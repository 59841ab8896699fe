"""Stores with two products: in memory, and in a real database."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from subgraphs.chassis.database.mongodb import connect, prepare_collections
from subgraphs.chassis.events.outbox import Relay
from subgraphs.chassis.observation.metrics import Metrics
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.inventory.events import encode
from subgraphs.inventory.service import Inventory
from subgraphs.inventory.store import COLLECTIONS, MongoStore
from tests.subgraphs.inventory.examples import NOON, stocked
from tests.subgraphs.inventory.memory_store import MemoryStore


@pytest_asyncio.fixture
async def memory_store() -> MemoryStore:
    store = MemoryStore()
    await stocked(store)
    store.events.clear()
    return store


@pytest.fixture
def inventory(memory_store: MemoryStore) -> Inventory:
    numbers = itertools.count(1)
    return Inventory(memory_store, lambda: NOON, lambda: f"mov_{next(numbers)}")


@pytest_asyncio.fixture
async def mongo_store(mongodb_url: str) -> AsyncIterator[MongoStore]:
    settings = ServiceSettings(mongodb_url=SecretStr(mongodb_url), nats_url=SecretStr("nats://unused"))
    database = connect(settings)
    await prepare_collections(database, COLLECTIONS)
    store = MongoStore(database, Relay(COLLECTIONS, Metrics()), encode)
    await stocked(store)
    yield store
    database.client.close()
