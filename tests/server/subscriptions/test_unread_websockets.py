"""A client that does not read what it is told, and a connection that the server has closed by itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from router.server.config import RouterConfig, SubscriptionSettings
from router.server.subscriptions.websocket import MAX_UNREAD_ENDINGS
from tests.server.subscriptions.live import live_stack, until

SCOPE = {
    "type": "websocket",
    "path": "/graphql",
    "headers": [],
    "subprotocols": ["graphql-transport-ws"],
    "client": ("127.0.0.1", 1),
}


class Wire:
    """A WebSocket as an ASGI server brings it: the client sends all ``messages`` at once, and then goes away."""

    def __init__(self, messages: list[dict[str, object]]) -> None:
        self.taken = 0
        self.told: list[Any] = []
        self.is_read = asyncio.Event()
        self.is_closed_by_the_server = False
        self.refused = 0
        self._texts = [json.dumps(one) for one in ({"type": "connection_init"}, *messages)]
        self._has_connected = False

    async def receive(self) -> dict[str, Any]:
        if not self._has_connected:
            self._has_connected = True
            return {"type": "websocket.connect"}
        if self.taken < len(self._texts):
            self.taken += 1
            return {"type": "websocket.receive", "text": self._texts[self.taken - 1]}
        await until(lambda: len(self.told) >= len(self._texts) or self.refused > 0)
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(self, message: Any) -> None:
        if message["type"] != "websocket.send":
            return
        told = json.loads(message["text"])
        if told["type"] != "connection_ack":
            await self.is_read.wait()
            if self.is_closed_by_the_server:
                self.refused += 1
                raise RuntimeError("Unexpected ASGI message 'websocket.send', after sending 'websocket.close'.")
        self.told.append(told)


@pytest.mark.asyncio
async def test_a_client_that_reads_no_refusals_is_not_read_on_until_it_does() -> None:
    wrong: list[dict[str, object]] = [
        {"type": "subscribe", "id": str(n), "payload": {"query": "{"}} for n in range(1000)
    ]
    wire, settings = Wire(wrong), SubscriptionSettings(max_per_connection=5)
    async with live_stack(RouterConfig(subscriptions=settings)) as stack, asyncio.timeout(20):
        talk = asyncio.create_task(stack.app(SCOPE, wire.receive, wire.send))
        most = 5 + MAX_UNREAD_ENDINGS
        await until(lambda: wire.taken >= most)
        assert wire.taken <= most + 2  # and the opening, and the one that waits
        wire.is_read.set()
        await talk
    assert sorted(int(one["id"]) for one in wire.told[1:]) == list(range(1000))


@pytest.mark.asyncio
async def test_a_connection_that_the_server_has_closed_is_no_fault_of_the_router(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wire = Wire([{"type": "subscribe", "id": "1", "payload": {"query": "{ highest }"}}])
    wire.is_closed_by_the_server = True
    wire.is_read.set()
    async with live_stack() as stack, asyncio.timeout(20):
        await stack.app(SCOPE, wire.receive, wire.send)
    assert [told["type"] for told in wire.told] == ["connection_ack"]
    assert [one for one in caplog.messages if "internal error" in one] == []
