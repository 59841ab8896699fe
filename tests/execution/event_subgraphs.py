"""Subgraphs that send a subscription exactly what a test says, over WebSocket and over server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from router.execution.json_numbers import decode_exact
from router.execution.subscription.event_source import EventRequest, EventSource
from router.execution.subscription.sse_source import SseSource
from router.execution.subscription.websocket_source import WebSocketSource
from tests.execution.raw_server import Exchange, raw_server

BODY = b'{"query":"subscription{ticks}","variables":{"a":1}}'
HEADERS = ((b"authorization", b"Bearer a"),)


class Stream(Protocol):
    """The subgraph's side of one subscription."""

    async def result(self, payload: str) -> None: ...
    async def complete(self) -> None: ...
    async def error(self, errors: list[dict[str, str]]) -> None: ...
    async def nonsense(self) -> None: ...
    async def break_off(self) -> None: ...
    async def until_left(self) -> None: ...


@dataclass(slots=True)
class Asked:
    """What the subgraph was asked: the request, and the authorization that came with it."""

    bodies: list[Any] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)


Tell = Callable[[Stream], Awaitable[None]]


@dataclass(slots=True)
class EventSubgraph:
    """A subgraph, the source that reads it, and what it was asked."""

    source: EventSource
    url: str
    asked: Asked

    def request(self) -> EventRequest:
        return EventRequest("clock", self.url, BODY, HEADERS, decode_exact)


@dataclass(slots=True)
class WebSocketStream:
    socket: ServerConnection
    left: asyncio.Event
    event: str = "next"
    leave: str = "complete"

    async def result(self, payload: str) -> None:
        await self.socket.send(f'{{"id":"1","type":"{self.event}","payload":{payload}}}')

    async def complete(self) -> None:
        await self.socket.send('{"id":"1","type":"complete"}')
        await self.until_left()

    async def error(self, errors: list[dict[str, str]]) -> None:
        await self.socket.send(json.dumps({"id": "1", "type": "error", "payload": errors}))
        await self.until_left()

    async def nonsense(self) -> None:
        await self.socket.send("<html>")
        await self.until_left()

    async def break_off(self) -> None:
        self.socket.transport.abort()

    async def until_left(self) -> None:
        try:
            async for message in self.socket:
                if json.loads(message) == {"id": "1", "type": self.leave}:
                    break
        except ConnectionClosed:
            pass
        self.left.set()


@asynccontextmanager
async def websocket_subgraph(tell: Tell, left: asyncio.Event) -> AsyncIterator[EventSubgraph]:
    """A subgraph that speaks graphql-transport-ws."""
    asked = Asked()

    async def talk(socket: ServerConnection) -> None:
        init = json.loads(await socket.recv())
        assert init["type"] == "connection_init"
        await socket.send('{"type":"ping"}')
        await socket.send('{"type":"connection_ack"}')
        assert json.loads(await socket.recv()) == {"type": "pong"}
        subscribe = json.loads(await socket.recv())
        assert (subscribe["type"], subscribe["id"]) == ("subscribe", "1")
        asked.bodies.append(subscribe["payload"])
        assert socket.request is not None
        assert socket.request.headers["authorization"] == init["payload"]["authorization"]
        asked.authorizations.append(init["payload"]["authorization"])
        await tell(WebSocketStream(socket, left))

    async with serve(talk, "127.0.0.1", 0, subprotocols=[Subprotocol("graphql-transport-ws")]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield EventSubgraph(WebSocketSource(), f"http://127.0.0.1:{port}/graphql", asked)


@dataclass(slots=True)
class OlderWebSocketStream(WebSocketStream):
    """Where an error is a single one, and comments are messages."""

    event: str = "data"
    leave: str = "stop"

    async def result(self, payload: str) -> None:
        await self.socket.send('{"type":"ka"}')
        await super(OlderWebSocketStream, self).result(payload)

    async def error(self, errors: list[dict[str, str]]) -> None:
        [error] = errors
        await self.socket.send(json.dumps({"id": "1", "type": "error", "payload": error}))
        await self.until_left()


@asynccontextmanager
async def older_websocket_subgraph(tell: Tell, left: asyncio.Event) -> AsyncIterator[EventSubgraph]:
    """A subgraph that speaks the protocol of subscriptions-transport-ws alone, whatever else it is offered."""
    asked = Asked()

    async def talk(socket: ServerConnection) -> None:
        init = json.loads(await socket.recv())
        assert init["type"] == "connection_init"
        await socket.send('{"type":"ka"}')
        await socket.send('{"type":"connection_ack"}')
        start = json.loads(await socket.recv())
        assert (start["type"], start["id"]) == ("start", "1")
        asked.bodies.append(start["payload"])
        asked.authorizations.append(init["payload"]["authorization"])
        await tell(OlderWebSocketStream(socket, left))

    async with serve(talk, "127.0.0.1", 0, subprotocols=[Subprotocol("graphql-ws")]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield EventSubgraph(WebSocketSource(), f"http://127.0.0.1:{port}/graphql", asked)


@dataclass(slots=True)
class SseStream:
    exchange: Exchange
    left: asyncio.Event

    async def result(self, payload: str) -> None:
        await self._write(f"event: next\ndata: {payload}\n\n:\n\n")

    async def complete(self) -> None:
        await self._write("event: complete\ndata:\n\n")
        await self.until_left()

    async def error(self, errors: list[dict[str, str]]) -> None:
        await self.result(json.dumps({"errors": errors}))
        await self.complete()

    async def nonsense(self) -> None:
        await self._write("event: next\ndata: <html>\n\n")
        await self.until_left()

    async def break_off(self) -> None:
        self.exchange.reset()

    async def until_left(self) -> None:
        self.left.set()

    async def _write(self, text: str) -> None:
        await self.exchange.write(b"%x\r\n%b\r\n" % (len(text), text.encode()))


@asynccontextmanager
async def sse_subgraph(tell: Tell, left: asyncio.Event) -> AsyncIterator[EventSubgraph]:
    """A subgraph that sends events in graphql-sse's distinct connections mode."""
    asked = Asked()

    async def talk(exchange: Exchange) -> None:
        asked.bodies.append(json.loads(exchange.body))
        lines = dict(line.split(": ", 1) for line in exchange.head.decode().lower().split("\r\n") if ": " in line)
        assert lines["accept"] == "text/event-stream"  # graphql-sse compares it as a whole.
        asked.authorizations.append("Bearer a" if lines.get("authorization") == "bearer a" else None)
        await exchange.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n"
            b"content-encoding: none\r\n\r\n"  # As GraphQL Yoga says.
        )
        await tell(SseStream(exchange, left))

    async with raw_server(talk) as server:
        yield EventSubgraph(SseSource(), server.url, asked)
