"""What tests share: one database and one NATS a session, emptied for each test, two authorities, and one whole mall."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import nats
import pytest
import trustme
from nats.js.errors import NotFoundError

from stack import mongodb
from stack import nats as nats_server
from stack.daemon import free_port, running
from subgraphs.chassis.events.nats_bus import DEAD_STREAM, STREAM
from tests.mall import RunningMall, running_mall

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


@pytest.fixture(scope="session")
def new_mongodb_url(mongodb_server: str) -> Callable[[], str]:
    """A function that gives the URL of a new, empty database; they go with the server's directory."""
    return lambda: f"{mongodb_server}/test_{uuid4().hex}?authSource=admin"


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
    with ThreadPoolExecutor(1) as pool:  # the test's own loop may be running already
        pool.submit(asyncio.run, _delete_streams(nats_server_url)).result()
    return nats_server_url


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who signs the certificates that are believed."""
    return trustme.CA()


@pytest.fixture(scope="session")
def stranger() -> trustme.CA:
    """Who signs those that are not."""
    return trustme.CA()


@pytest.fixture(scope="session")
def mall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMall]:
    """A mall for all tests that leave it whole; mark them ``xdist_group("mall")``, so that one worker opens one.

    Its services log each request and each event, as JSON.
    """
    with running_mall(tmp_path_factory.mktemp("mall"), LOG_FORMAT="json", LOG_LEVEL="debug") as mall:
        yield mall


@pytest.fixture
def environment(mongodb_url: str, nats_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a service with an empty database and a NATS without streams."""
    return {"MONGODB_URL": mongodb_url, "NATS_URL": nats_url, "GALLERIA_DATA": str(tmp_path)}


async def _delete_streams(url: str) -> None:
    client = await nats.connect(url)
    for name in (STREAM, DEAD_STREAM):
        try:
            await client.jetstream().delete_stream(name)
        except NotFoundError:
            continue
    await client.close()
