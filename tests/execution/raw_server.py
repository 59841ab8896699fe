"""A server that speaks exactly the bytes that a test gives it, and tells what it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Talk = Callable[["Exchange"], Awaitable[None]]


@dataclass(slots=True)
class Exchange:
    """One request on one connection: answer by ``write``; ``close`` or ``reset`` end the connection."""

    connection: int
    number: int
    head: bytes
    body: bytes
    _writer: asyncio.StreamWriter

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()

    def reset(self) -> None:
        self._writer.transport.abort()


@dataclass(slots=True)
class RawServer:
    """``url`` to send to; ``exchanges`` are the requests that came, ``connections`` how many were opened."""

    url: str = ""
    connections: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    closed: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def until_closed(self) -> None:
        """Wait until a client has closed one more connection."""
        async with asyncio.timeout(60):
            await self.closed.acquire()


@asynccontextmanager
async def raw_server(talk: Talk, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """A server on ``port``, or a free one, that lets ``talk`` answer every request."""
    state = RawServer()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        state.connections += 1
        connection = state.connections
        try:
            for number in range(1, 1000):
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                length = next((int(line.partition(b":")[2]) for line in lines if b"content-length" in line), 0)
                exchange = Exchange(connection, number, head, await reader.readexactly(length), writer)
                state.exchanges.append(exchange)
                await talk(exchange)
        except (asyncio.IncompleteReadError, ConnectionError):
            state.closed.release()
        except asyncio.CancelledError:
            pass  # The test is over.
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port, ssl=tls)
    host, listening = server.sockets[0].getsockname()
    state.url = f"http://{host}:{listening}/graphql"
    try:
        yield state
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(slots=True)
class SilentServer:
    """Its ``port``; whether a client has ``begun`` to speak, and whether one has ``closed`` its connection."""

    port: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def silent_server() -> AsyncIterator[SilentServer]:
    """A server that takes connections, reads, and never says a word."""
    state = SilentServer()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            state.begun.set()
        state.closed.set()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        state.port = server.sockets[0].getsockname()[1]
        yield state


def ok(body: bytes, *headers: bytes) -> bytes:
    """A response of status 200, framed by its length."""
    lines = [b"HTTP/1.1 200 OK", b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
