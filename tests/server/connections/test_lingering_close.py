"""A connection that lingers lets its client read the last answer, within its bounds: over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from router.server.connections.lingering_close import LingerBounds, LingeringCloses

pytestmark = pytest.mark.asyncio

REFUSAL = b"refused" * 1000
SOON_S = 10.0


class Refusing(asyncio.Protocol):
    """Refuses whatever comes first, and lingers."""

    def __init__(self, lingering: LingeringCloses, connections: set[object]) -> None:
        self._lingering = lingering
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, _: bytes) -> None:
        self._transport.pause_reading()
        self._transport.write(REFUSAL)
        self._lingering.close(self._transport, self._connections)


class Server:
    """What refuses at ``port``, and the ``connections`` that linger there."""

    def __init__(self, port: int, connections: set[object]) -> None:
        self.port = port
        self.connections = connections

    @asynccontextmanager
    async def refused(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection that was refused, of which nothing but the first byte was read."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"x")
            assert await reader.readexactly(1) == REFUSAL[:1]
            yield reader, writer
        finally:
            writer.transport.abort()

    async def is_left_by_all(self) -> None:
        """Wait until nothing lingers."""
        async with asyncio.timeout(SOON_S):
            while self.connections:  # noqa: ASYNC110 - the sockets' ends are told to nobody here
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(bounds: LingerBounds) -> AsyncIterator[Server]:
    connections = set[object]()
    lingering = LingeringCloses(bounds)
    listener = await asyncio.get_running_loop().create_server(lambda: Refusing(lingering, connections), "127.0.0.1", 0)
    async with listener:
        server = Server(listener.sockets[0].getsockname()[1], connections)
        yield server
        await server.is_left_by_all()


async def send(writer: asyncio.StreamWriter, size: int) -> None:
    writer.write(b"x" * size)
    await writer.drain()


async def send_without_end(writer: asyncio.StreamWriter) -> None:
    async with asyncio.timeout(SOON_S):
        while True:
            await send(writer, 100_000)


async def test_who_sends_megabytes_first_reads_the_whole_answer_and_then_the_end() -> None:
    async with serving(LingerBounds()) as server, server.refused() as (reader, writer):
        await send(writer, 10_000_000)
        assert await reader.read() == REFUSAL[1:]
        assert len(server.connections) == 1
        writer.close()


async def test_who_closes_neither_is_cut_after_a_while() -> None:
    async with serving(LingerBounds(seconds=0.1)) as server, server.refused() as (reader, _):
        assert await reader.read() == REFUSAL[1:]
        await server.is_left_by_all()


async def test_who_sends_without_end_is_cut() -> None:
    async with serving(LingerBounds(max_discarded_bytes=1_000_000)) as server, server.refused() as (_, writer):
        with pytest.raises(ConnectionError):
            await send_without_end(writer)


async def test_where_there_are_too_many_the_oldest_is_cut() -> None:
    async with (
        serving(LingerBounds(max_lingering=2)) as server,
        server.refused() as (_, oldest),
        server.refused() as (reader, writer),
        server.refused(),
    ):
        with pytest.raises(ConnectionError):
            await send_without_end(oldest)
        await send(writer, 1_000_000)
        assert await reader.read() == REFUSAL[1:]
        assert len(server.connections) == 2
