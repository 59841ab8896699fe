"""Servers of one test alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import mongodb
from stack import nats as nats_server
from stack.daemon import free_port
from tests.chassis.own_server import Server

ROOT = Path(__file__).parents[2]


@pytest.fixture
def own_nats(tmp_path: Path) -> Iterator[tuple[str, Server]]:
    """A NATS server of this test alone, and its URL."""
    port = free_port()
    config = nats_server.write_config(tmp_path / "nats", port, "own")
    server = Server(nats_server.server_command(nats_server.server_binary(), config), port, tmp_path / "nats.log")
    server.start()
    yield nats_server.server_url(port, "own"), server
    server.kill()


@pytest.fixture
def own_mongodb(tmp_path: Path) -> Iterator[tuple[str, Server]]:
    """A database server of this test alone, and the URL of its database ``notes``."""
    port, binary, directory = free_port(), mongodb.server_binary(ROOT), tmp_path / "mongodb"
    mongodb.bootstrap(binary, directory, {"root": "own", "notes": "own"})
    server = Server(mongodb.server_command(binary, directory, port), port, tmp_path / "mongodb.log")
    server.start()
    yield mongodb.service_url(f"mongodb://127.0.0.1:{port}/", "notes", "own"), server
    server.kill()
