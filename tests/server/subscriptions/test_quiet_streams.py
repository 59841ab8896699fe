"""Streams that are silent for longer than any limit of a connection are no slow clients: seen on a router process."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from router import Subgraph, compose
from stack.daemon import free_port, running
from tests.server.subscriptions.live import BIDS, live_stack

LIMITS = """
server: {header_timeout_s: 0.5, body_timeout_s: 0.5, keep_alive_s: 0.5, send_timeout_s: 0.5}
subscriptions: {heartbeat_s: 60}
"""
GALLERIA = str(Path(sys.executable).parent / "galleria")
FIRST = {"data": {"bids": {"amount": 7, "product": {"id": "1", "name": "Mug"}}}}


@pytest.mark.asyncio
async def test_subscriptions_outlast_the_limits_of_requests(tmp_path: Path) -> None:
    config, supergraph, port = tmp_path / "router.yaml", tmp_path / "supergraph.graphql", free_port()
    config.write_text(LIMITS)
    async with live_stack() as live:
        named = [Subgraph(n, f"http://{live.subgraphs[n].address}/graphql", sdl) for n, sdl in live.sdls.items()]
        supergraph.write_text(compose(named).supergraph_sdl or "")
        command = [GALLERIA, "serve", "--supergraph", str(supergraph), "--config", str(config), "--port", str(port)]
        with running(command, port, tmp_path / "router.log"):
            protocol = Subprotocol("graphql-transport-ws")
            url = f"127.0.0.1:{port}/graphql"
            headers = {"accept": "text/event-stream"}
            async with (
                connect(f"ws://{url}", subprotocols=[protocol], proxy=None, ping_interval=None) as socket,
                httpx.AsyncClient(trust_env=False, timeout=60) as client,
                client.stream("POST", f"http://{url}", json={"query": BIDS}, headers=headers) as events,
            ):
                await socket.send('{"type":"connection_init"}')
                await socket.recv()
                await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": BIDS}}))
                await live.auction.followed_by(1)  # equal subscriptions are one
                await asyncio.sleep(2.0)  # Four times the limits: it is about what does not happen meanwhile.
                live.auction.bid(7)
                async with asyncio.timeout(10):
                    assert json.loads(await socket.recv())["payload"] == FIRST
                    data = await anext(line async for line in events.aiter_lines() if line.startswith("data: {"))
                assert json.loads(data.removeprefix("data: ")) == FIRST
