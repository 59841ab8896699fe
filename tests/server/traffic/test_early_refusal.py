"""What is refused for overload is refused by its head alone, unless a layer has to tell of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from starlette.types import Scope

from router.server.app import RouterApp
from router.server.config import RouterConfig
from router.server.connections.bounded_protocol import ConnectionSweeper
from router.server.connections.known_heads import KnownHeads
from router.server.connections.shedding_protocol import SheddingProtocol
from tests.server.shop import Shop, router_over
from tests.server.subscriptions.live import Served, serve

BODY = b'{"query":"{ __typename }"}'
POST = b"POST /graphql HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\ncontent-length: %d\r\n" % len(BODY)
HEAD = POST + b"\r\n"
REFUSED = b"HTTP/1.1 503 Service Unavailable"
ANSWERED = b"HTTP/1.1 200 OK"


@dataclass(frozen=True, slots=True)
class Answer:
    status: bytes
    headers: dict[bytes, bytes]
    body: bytes


@dataclass(frozen=True, slots=True)
class Client:
    """A connection to ``router``, which has no room until it is given some."""

    router: RouterApp
    served: Served
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, data: bytes) -> Answer:
        """Send ``data``; the next answer."""
        self.writer.write(data)
        async with asyncio.timeout(10):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
            headers = dict(line.split(b": ", 1) for line in lines[1:] if line)
            return Answer(lines[0], headers, await self.reader.readexactly(int(headers[b"content-length"])))


@asynccontextmanager
async def connected(**settings: Any) -> AsyncIterator[Client]:
    config = RouterConfig.model_validate(settings)
    router = router_over(Shop(), config)
    router.overload.limit = 0
    protocol = partial(
        SheddingProtocol, router.is_shed, config.server, ConnectionSweeper(config.server), router.overload, KnownHeads()
    )
    served = await serve(router, http=protocol)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        yield Client(router, served, reader, writer)
    finally:
        writer.close()
        await served.stop()


def scope(method: str = "POST", path: str = "/graphql", **headers: str) -> Scope:
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": path, "headers": sent}


@pytest.mark.asyncio
async def test_the_answer_comes_before_the_body_and_the_connection_is_kept() -> None:
    async with connected() as client:
        refused = await client.ask(HEAD)
        assert (refused.status, refused.headers[b"retry-after"]) == (REFUSED, b"1")
        assert b'"code":"OVERLOADED"' in refused.body
        assert (client.router.overload.refused, client.router.overload.in_flight) == (1, 0)
        client.router.overload.limit = 1
        assert (await client.ask(BODY + HEAD + BODY)).status == ANSWERED


@pytest.mark.asyncio
async def test_a_request_in_one_piece_is_refused_with_the_same_bytes_and_the_connection_is_kept() -> None:
    async with connected() as client:
        by_head, at_sight = await client.ask(HEAD), await client.ask(BODY + HEAD + BODY)
        assert at_sight == by_head
        assert [await client.ask(HEAD + BODY) for _ in range(2)] == [by_head] * 2
        assert (client.router.overload.refused, client.router.overload.in_flight) == (4, 0)
        client.router.overload.limit = 1
        assert (await client.ask(HEAD + BODY)).status == ANSWERED


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("odd", "status"),
    [(b"content-length: 1\r\n", 400), (b"host: other\r\n", 400), (b"transfer-encoding: chunked\r\n", 400)],
)
async def test_what_the_parser_refuses_is_bad_and_no_overload(odd: bytes, status: int) -> None:
    async with connected() as client:
        client.writer.write(POST + odd + b"\r\n" + BODY)
        assert (await client.reader.readline()).startswith(b"HTTP/1.1 %d " % status)
        assert client.router.overload.refused == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("in_a_piece", [1, 100])
async def test_who_reads_no_refusals_is_read_no_more(in_a_piece: int) -> None:
    """Each request makes more bytes than it has, so that what nobody takes would fill the memory."""
    async with connected() as client:
        [connection] = client.served.server.server_state.connections
        assert isinstance(connection, SheddingProtocol)
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]  # a client that never reads
        for transport in (client.writer.transport, connection.transport):
            for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, buffer, 4096)
        async with asyncio.timeout(30):
            while not (connection.flow.read_paused or connection.transport.is_closing()):
                client.writer.write((HEAD + BODY) * in_a_piece)
                await asyncio.sleep(0)
                assert connection.transport.get_write_buffer_size() < 1_000_000
        client.writer.transport.abort()


@pytest.mark.asyncio
async def test_requests_in_a_row_are_refused_in_order() -> None:
    async with connected() as client:
        client.writer.write((HEAD + BODY) * 3)
        assert [(await client.ask(b"")).status for _ in range(3)] == [REFUSED] * 3
        assert client.router.overload.refused == 3


@pytest.mark.asyncio
async def test_who_wants_no_more_is_told_so_and_closed() -> None:
    async with connected() as client:
        refused = await client.ask(POST + b"connection: close\r\n\r\n" + BODY)
        assert (refused.status, refused.headers[b"connection"]) == (REFUSED, b"close")
        assert await client.reader.read() == b""


@pytest.mark.asyncio
async def test_health_and_metrics_are_answered_all_the_same() -> None:
    async with connected() as client:
        for path in (b"/health/live", b"/health/ready", b"/metrics"):
            assert (await client.ask(b"GET %b HTTP/1.1\r\nhost: shop\r\n\r\n" % path)).status == ANSWERED


@pytest.mark.asyncio
async def test_a_page_of_another_origin_may_read_its_refusal() -> None:
    async with connected(cors={"origins": ["https://shop.test"]}) as client:
        refused = await client.ask(POST + b"origin: https://shop.test\r\n\r\n" + BODY)
        assert (refused.status, refused.headers[b"retry-after"]) == (REFUSED, b"1")
        assert refused.headers[b"access-control-allow-origin"] == b"https://shop.test"
        assert client.router.overload.refused == 1


@pytest.mark.asyncio
async def test_only_graphql_requests_are_refused_early_and_only_where_no_layer_tells_of_them() -> None:
    def is_shed(sent: Scope, **settings: Any) -> bool:
        router = router_over(Shop(), RouterConfig.model_validate(settings))
        router.overload.limit = 0
        return router.is_shed(sent)

    assert is_shed(scope())
    assert is_shed(scope("GET"))
    assert not is_shed(scope("OPTIONS"))
    assert not is_shed(scope("GET", "/health/ready"))
    assert not is_shed(scope(origin="https://shop.test"))
    assert not is_shed(scope(), telemetry={"access_log": True})
    assert not is_shed(scope(), traffic={"shedding": {"enabled": False}})
