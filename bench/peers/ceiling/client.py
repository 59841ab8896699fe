"""The least that an HTTP/1.1 client can be: a pool of kept connections, and httptools for the framing."""

from __future__ import annotations

import asyncio
from typing import Any

import httptools


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time."""

    __slots__ = ("chunks", "parser", "pool", "transport", "waiter")

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.waiter: asyncio.Future[bytes] | None = None
        self.chunks: list[bytes] = []
        self.parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.chunks.append(body)

    def on_message_complete(self) -> None:
        chunks, self.chunks = self.chunks, []
        waiter, self.waiter = self.waiter, None
        if self.parser.should_keep_alive():
            self.pool.idle.append(self)
        else:
            self.transport.close()
        if waiter is not None and not waiter.done():
            waiter.set_result(chunks[0] if len(chunks) == 1 else b"".join(chunks))

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self.pool.idle:
            self.pool.idle.remove(self)
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(exc or ConnectionError("closed"))


class Pool:
    """Connections to one address."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.idle: list[Connection] = []
        self.loop = asyncio.get_running_loop()
        self.head = (
            f" HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-type: application/json\r\naccept: application/json\r\n"
            "content-length: "
        ).encode()

    async def post(self, path: bytes, body: bytes) -> bytes:
        """The body of the answer, whatever its status."""
        if self.idle:
            connection = self.idle.pop()
        else:
            _, connection = await self.loop.create_connection(lambda: Connection(self), self.host, self.port)
        waiter: asyncio.Future[bytes] = self.loop.create_future()
        connection.waiter = waiter
        connection.transport.write(b"POST " + path + self.head + b"%d\r\n\r\n" % len(body) + body)
        return await waiter
