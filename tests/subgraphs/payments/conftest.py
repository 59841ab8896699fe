"""Stores to test: the one in memory, and the real one on an empty database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from subgraphs.chassis.database.mongodb import Database, connect, prepare_collections
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.payments.events import encode
from subgraphs.payments.service import Store
from subgraphs.payments.store import COLLECTIONS, MongoStore
from tests.services import CommandLog
from tests.subgraphs.payments.memory_store import MemoryStore


class SilentOutbox:
    """Nobody relays what these tests write."""

    def wake(self) -> None:
        """Nothing to do."""


@pytest.fixture
def commands() -> CommandLog:
    return CommandLog()


@pytest_asyncio.fixture
async def database(mongodb_url: str, commands: CommandLog) -> AsyncIterator[Database]:
    settings = ServiceSettings.model_validate({"mongodb_url": mongodb_url, "nats_url": "nats://127.0.0.1:1"})
    database = connect(settings, [commands])
    await prepare_collections(database, COLLECTIONS)
    commands.commands.clear()
    yield database
    database.client.close()


@pytest.fixture
def mongo_store(database: Database) -> MongoStore:
    return MongoStore(database, SilentOutbox(), encode)


@pytest.fixture(params=["memory", "mongodb"])
def store(request: pytest.FixtureRequest) -> Store:
    kept: Store = MemoryStore() if request.param == "memory" else request.getfixturevalue("mongo_store")
    return kept
