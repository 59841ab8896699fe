"""Stores to test: the one in memory, and the real one on an empty database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from subgraphs.chassis.database.mongodb import Database, connect, prepare_collections
from subgraphs.chassis.settings import ServiceSettings, read_settings
from subgraphs.recommendations.service import Store
from subgraphs.recommendations.store import COLLECTIONS, MongoStore
from tests.services import CommandLog
from tests.subgraphs.recommendations.memory_store import MemoryStore


@pytest.fixture
def commands() -> CommandLog:
    """The database commands of the test, by name."""
    return CommandLog()


@pytest_asyncio.fixture
async def database(mongodb_url: str, commands: CommandLog) -> AsyncIterator[Database]:
    """An empty database with the indexes of the service."""
    environment = {"MONGODB_URL": mongodb_url, "NATS_URL": "nats://nobody:listens@127.0.0.1:1"}
    database = connect(read_settings(ServiceSettings, "recommendations", environment), [commands])
    await prepare_collections(database, COLLECTIONS)
    commands.commands.clear()
    yield database
    database.client.close()


@pytest.fixture(params=["memory", "mongodb"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each of the stores that keep the promises."""
    return MemoryStore() if request.param == "memory" else MongoStore(request.getfixturevalue("database"))
