"""Stores to test: the one in memory, and the real one on an empty database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from motor.motor_asyncio import AsyncIOMotorClient

from stack.daemon import free_port, running
from stack.mongodb import server_binary, server_command
from subgraphs.chassis.mongodb import Database, Document, create_indexes
from subgraphs.recommendations.service import Store
from subgraphs.recommendations.store import COLLECTIONS, MongoStore
from tests.subgraphs.recommendations.memory_store import MemoryStore

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture(scope="session")
def mongodb_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory, port = tmp_path_factory.mktemp("mongodb"), free_port()
    (directory / "secantusd.toml").touch()
    command = server_command(server_binary(ROOT), directory, port, auth=False)
    with running(command, port, directory.parent / "mongodb.log"):
        yield f"mongodb://127.0.0.1:{port}/"


@pytest_asyncio.fixture
async def database(mongodb_server_url: str) -> AsyncIterator[Database]:
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(mongodb_server_url, tz_aware=True, timeoutMS=10_000)
    name = f"test_{uuid4().hex}"
    yield client[name]
    await client.drop_database(name)
    client.close()


@pytest.fixture(params=["memory", "mongodb"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest_asyncio.fixture
async def store(kind: str, database: Database) -> Store:
    if kind == "memory":
        return MemoryStore()
    await create_indexes(database, COLLECTIONS)
    return MongoStore(database)
