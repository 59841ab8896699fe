"""A WebSocket that is to be closed waits for its client to read what there is, and for nobody who reads nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from router.server.app import create_app
from router.server.config import RouterConfig
from router.server.connections.websocket_protocol import BoundedWebSocketProtocol
from tests.server.subscriptions.live import serve, until

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
# More than what the system takes for a client that reads nothing.
TEXT = "x" * 40_000_000


async def say_much(_: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": TEXT})


async def say_much_and_wait(scope: Scope, receive: Receive, send: Send) -> None:
    await say_much(scope, receive, send)
    while (await receive())["type"] != "websocket.disconnect":
        pass


@dataclass
class Waiting:
    """A server's WebSockets, which wait for ``close_timeout_s`` for who reads nothing."""

    close_timeout_s: float
    ping_timeout_s: float = 60.0
    lost: list[Exception | None] = field(default_factory=list)

    def protocol(self, *args: Any, **wiring: Any) -> BoundedWebSocketProtocol:
        waiting = self

        class Protocol(BoundedWebSocketProtocol):
            def connection_lost(self, exc: Exception | None) -> None:
                super().connection_lost(exc)
                waiting.lost.append(exc)

        protocol = Protocol(*args, **wiring)
        protocol.close_timeout = self.close_timeout_s
        protocol.ping_interval = protocol.ping_timeout = self.ping_timeout_s
        return protocol


@asynccontextmanager
async def connected(app: ASGIApp, waiting: Waiting) -> AsyncIterator[asyncio.StreamReader]:
    """The client's end of a WebSocket to ``app``, of which nothing is read beyond 64 kB until somebody does."""
    async with AsyncExitStack() as resources:
        overload = create_app(RouterConfig()).overload
        served = await serve(app, ws=partial(waiting.protocol, overload))
        resources.push_async_callback(served.stop)
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        resources.callback(writer.close)
        writer.write(HANDSHAKE)
        yield reader


@pytest.mark.asyncio
async def test_who_reads_nothing_is_cut_off_after_the_close_timeout() -> None:
    waiting = Waiting(close_timeout_s=0.2)
    async with connected(say_much, waiting):
        await until(lambda: len(waiting.lost) == 1)


@pytest.mark.asyncio
async def test_who_reads_nothing_and_answers_no_ping_is_cut_off_too() -> None:
    waiting = Waiting(close_timeout_s=0.2, ping_timeout_s=0.2)
    async with connected(say_much_and_wait, waiting):
        await until(lambda: len(waiting.lost) == 1)


@pytest.mark.asyncio
async def test_who_reads_slowly_gets_everything() -> None:
    waiting, got = Waiting(close_timeout_s=2.0), 0
    async with connected(say_much, waiting) as reader:
        for _ in range(12):  # for longer than the timeout: it is about what does not happen meanwhile
            got += len(await reader.read(2_000_000))
            await asyncio.sleep(0.25)
            assert waiting.lost == []
        while more := await reader.read(1_000_000):
            got += len(more)
    assert got > len(TEXT)
