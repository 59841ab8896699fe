"""Servers that the tests of the services share: one database and one NATS a session, emptied for each test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import nats
import pytest
from nats.js.errors import NotFoundError
from pymongo import MongoClient

from stack import mongodb
from stack import nats as nats_server
from stack.daemon import free_port, running
from subgraphs.chassis.nats_bus import DEAD_STREAM, STREAM

ROOT = Path(__file__).parent.parent
PASSWORD = "of-the-tests"


@pytest.fixture(scope="session")
def mongodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address and root user of an embedded database server that lives for this session."""
    directory = tmp_path_factory.mktemp("mongodb") / "data"
    binary = mongodb.server_binary(ROOT)
    mongodb.bootstrap(binary, directory, {"root": PASSWORD})
    port = free_port()
    with running(mongodb.server_command(binary, directory, port), port, directory.parent / "mongodb.log"):
        yield f"mongodb://root:{PASSWORD}@127.0.0.1:{port}"


@pytest.fixture
def new_mongodb_url(mongodb_server: str) -> Iterator[Callable[[], str]]:
    """A function that gives the URL of a new, empty database; all of them are dropped after the test."""
    names: list[str] = []

    def new() -> str:
        names.append(f"test_{uuid4().hex}")
        return f"{mongodb_server}/{names[-1]}?authSource=admin"

    yield new
    with MongoClient[dict[str, object]](f"{mongodb_server}/?authSource=admin") as client:
        for name in names:
            client.drop_database(name)


@pytest.fixture
def mongodb_url(new_mongodb_url: Callable[[], str]) -> str:
    """The URL of an empty database of this test alone."""
    return new_mongodb_url()


@pytest.fixture(scope="session")
def nats_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a NATS server with JetStream that lives for this session."""
    directory = tmp_path_factory.mktemp("nats")
    port = free_port()
    config = nats_server.write_config(directory, port, PASSWORD)
    command = nats_server.server_command(nats_server.server_binary(), config)
    with running(command, port, directory / "nats.log"):
        yield nats_server.server_url(port, PASSWORD)


@pytest.fixture
def nats_url(nats_server_url: str) -> str:
    """The URL of a NATS server without any stream."""
    asyncio.run(_delete_streams(nats_server_url))
    return nats_server_url


async def _delete_streams(url: str) -> None:
    client = await nats.connect(url)
    for name in (STREAM, DEAD_STREAM):
        try:
            await client.jetstream().delete_stream(name)
        except NotFoundError:
            continue
    await client.close()
