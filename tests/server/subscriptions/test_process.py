"""``galleria serve`` with subscriptions under way: its end, and a supergraph that changes in its file."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from stack.daemon import free_port, running
from tests.server.graphs.test_reload import write
from tests.server.running_router import GALLERIA, RunningRouter
from tests.server.subscriptions.live import BIDS, Auction, Client, auction_app, catalog_app, serve


@dataclass(slots=True)
class Mall:
    """The router as a process over an auction and a catalog in this one."""

    auction: Auction
    router: RunningRouter
    folder: Path

    @asynccontextmanager
    async def subscribed(self) -> AsyncIterator[Client]:
        url = self.router.url.replace("http", "ws") + "/graphql"
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as connection:
            client = Client(connection)
            await client.send(type="connection_init")
            assert await client.receive() == {"type": "connection_ack"}
            await client.subscribe()
            yield client


@asynccontextmanager
async def mall(folder: Path) -> AsyncIterator[Mall]:
    auction, subgraphs = Auction(), {}
    async with AsyncExitStack() as resources:
        for name, (sdl, app) in {"auction": auction_app(auction), "catalog": catalog_app()}.items():
            served = await serve(app)
            resources.push_async_callback(served.stop)
            write(folder / f"{name}.graphql", sdl)
            routing_url = f"http://{served.address}/graphql"
            subgraphs[name] = {"routing_url": routing_url, "schema": {"file": f"{name}.graphql"}}
        path, log, port = folder / "supergraph.yaml", folder / "router.log", free_port()
        write(path, json.dumps({"subgraphs": subgraphs}))
        command = [GALLERIA, "serve", "--supergraph", str(path), "--port", str(port)]
        process = resources.enter_context(running(command, port, log))
        yield Mall(auction, RunningRouter(process, f"http://127.0.0.1:{port}", log), folder)


@pytest.mark.asyncio
async def test_sigterm_ends_streams_at_once_so_that_clients_come_again(tmp_path: Path) -> None:
    async with (
        mall(tmp_path) as one,
        one.subscribed() as client,
        httpx.AsyncClient(trust_env=False, timeout=60) as http,
    ):
        accept = {"accept": "text/event-stream"}
        async with http.stream("POST", f"{one.router.url}/graphql", json={"query": BIDS}, headers=accept) as response:
            await one.auction.followed_by(1)
            started = time.monotonic()
            one.router.process.send_signal(signal.SIGTERM)
            assert await client.closed_with() == 1012
            assert (await response.aread()).replace(b":\n\n", b"") == b""
        assert await asyncio.to_thread(one.router.process.wait, 10) == 0
        assert time.monotonic() - started < 5
        await one.auction.followed_by(0)
        assert "Traceback" not in one.router.log.read_text()


@pytest.mark.asyncio
async def test_a_subscription_goes_on_over_a_supergraph_that_changed_in_its_file(tmp_path: Path) -> None:
    async with (
        mall(tmp_path) as one,
        one.subscribed() as client,
        httpx.AsyncClient(trust_env=False, timeout=60) as http,
    ):
        await one.auction.followed_by(1)
        sdl = (tmp_path / "catalog.graphql").read_text()
        write(tmp_path / "catalog.graphql", sdl.replace("name: String!", "name: String!\n  size: Int"))
        query = {"query": "{ product { size } }", "variables": {}}
        headers = {"accept": "application/graphql-response+json"}
        async with asyncio.timeout(20):
            while (await http.post(f"{one.router.url}/graphql", json=query, headers=headers)).status_code == 400:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.05)
        one.auction.bid(4)
        data = {"bids": {"amount": 4, "product": {"id": "1", "name": "Mug"}}}
        assert await client.receive() == {"id": "1", "type": "next", "payload": {"data": data}}
        assert one.auction.begun == 1
