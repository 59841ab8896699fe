"""Clients that are slow, or send too much, hold neither the router nor its memory: raw sockets at a router process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.awake_clock import awake_clock
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.mall import await_condition
from tests.server.running_router import RunningRouter, running_router

LIMITS = """
server: {header_timeout_s: 1, body_timeout_s: 1, keep_alive_s: 1, send_timeout_s: 1, max_connections: 600}
telemetry: {access_log: false}
"""
QUERY = b'{"query":"{__typename}"}'
HEAD = b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
WHOLE = HEAD + b"content-length: %d\r\n\r\n%b" % (len(QUERY), QUERY)
# The limit of a second, a look that may come a quarter late, and what a busy machine takes.
SOON_S = 8.0


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRouter]:
    folder = tmp_path_factory.mktemp("router")
    config = folder / "router.yaml"
    config.write_text(LIMITS)
    with running_router(folder, "--config", str(config)) as running:
        yield running


class Client:
    """A connection that sends and receives bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    async def rest(self) -> bytes:
        """What comes until the router closes the connection."""
        received = b""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(SOON_S):
                while chunk := await self.reader.read(65536):
                    received += chunk
        return received

    async def answer(self) -> bytes:
        """The body of one answer."""
        async with asyncio.timeout(SOON_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            return await self.reader.readexactly(length)


@asynccontextmanager
async def connected(router: RunningRouter) -> AsyncIterator[Client]:
    host, _, port = router.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


def memory(router: RunningRouter) -> int:
    size: int = psutil.Process(router.process.pid).memory_info().rss
    return size


def code_in(answer: bytes) -> tuple[bytes, str]:
    """The status line, and the code of the error."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], json.loads(body)["errors"][0]["extensions"]["code"]


async def is_served(router: RunningRouter) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        response = await client.post(
            f"{router.url}/graphql", content=QUERY, headers={"content-type": "application/json"}
        )
    assert response.json() == {"data": {"__typename": "Query"}}


SLOW = {"nothing": b"", "half a head": HEAD, "half a body": HEAD + b"content-length: 100\r\n\r\n{"}


@pytest.mark.asyncio
async def test_five_hundred_slow_connections_stop_nobody_and_are_closed(router: RunningRouter) -> None:
    before = memory(router)
    async with contextlib.AsyncExitStack() as clients:
        now = clients.enter_context(awake_clock())
        slow = [await clients.enter_async_context(connected(router)) for _ in range(500)]
        began = now()
        for number, client in enumerate(slow):
            await client.send(list(SLOW.values())[number % 3])
        await is_served(router)
        assert now() - began < SOON_S
        await asyncio.gather(*(client.rest() for client in slow))
        assert now() - began < 2 * SOON_S
    assert memory(router) - before < 30_000_000
    await is_served(router)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("half a head", b"HTTP/1.1 408 Request Timeout"),
        ("half a body", b"HTTP/1.1 408 Request Timeout"),
        ("nothing", b""),
    ],
)
async def test_a_slow_request_is_told_and_its_connection_closed(
    router: RunningRouter, sent: str, status: bytes
) -> None:
    async with connected(router) as client:
        await client.send(SLOW[sent])
        answer = await client.rest()
        assert answer.split(b"\r\n")[0] == status
        if answer:
            assert code_in(answer)[1] == "REQUEST_TIMEOUT"


@pytest.mark.asyncio
@pytest.mark.parametrize("sent", ["half a head", "half a body"])
async def test_who_sends_on_after_the_refusal_still_reads_all_of_it(router: RunningRouter, sent: str) -> None:
    async with connected(router) as client:
        await client.send(SLOW[sent])
        async with asyncio.timeout(SOON_S):
            first = await client.reader.readexactly(1)
        await client.send(b"a" * 5_000_000)
        assert code_in(first + await client.rest()) == (b"HTTP/1.1 408 Request Timeout", "REQUEST_TIMEOUT")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "start", [HEAD, HEAD + b"content-length: 100000\r\n\r\n", b"\r\n"], ids=["head", "body", "lines"]
)
async def test_a_byte_now_and_then_does_not_help(router: RunningRouter, start: bytes) -> None:
    async with connected(router) as client:
        await client.send(start)
        ended = asyncio.create_task(client.rest())
        while not ended.done():
            await client.send(b"\r\n" if start == b"\r\n" else b"a")
            await asyncio.wait([ended], timeout=0.1)
        await ended


@pytest.mark.asyncio
async def test_an_unused_connection_is_closed(router: RunningRouter) -> None:
    async with connected(router) as client:
        await client.send(WHOLE)
        assert json.loads(await client.answer()) == {"data": {"__typename": "Query"}}
        assert await client.rest() == b""
        assert client.reader.at_eof()


@pytest.mark.asyncio
@pytest.mark.parametrize("shape", ["one header", "many headers", "url"])
async def test_a_head_of_a_megabyte_is_refused_in_bounded_memory(router: RunningRouter, shape: str) -> None:
    big = 1_000_000
    heads = {
        "one header": HEAD + b"x-a: " + b"a" * big + b"\r\n\r\n",
        "many headers": HEAD + b"x: y\r\n" * (big // 6) + b"\r\n",
        "url": b"GET /graphql?query=" + b"a" * big + b" HTTP/1.1\r\nhost: a\r\n\r\n",
    }
    before = memory(router)
    for _ in range(20):
        async with connected(router) as client:
            await client.send(heads[shape])
            answer = await client.rest()
            assert code_in(answer) == (b"HTTP/1.1 431 Request Header Fields Too Large", "HEADERS_TOO_LARGE")
    assert memory(router) - before < 20_000_000
    await is_served(router)


@pytest.mark.asyncio
async def test_the_limit_of_a_head_is_exact_enough(router: RunningRouter) -> None:
    for size, status in ((32_000, b"200 OK"), (33_000, b"431 Request Header Fields Too Large")):
        async with connected(router) as client:
            padding = b"x-a: " + b"a" * (size - len(HEAD)) + b"\r\n"
            await client.send(
                HEAD + padding + b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(QUERY), QUERY)
            )
            assert (await client.rest()).split(b"\r\n")[0] == b"HTTP/1.1 " + status


@pytest.mark.asyncio
async def test_a_head_has_two_hundred_lines_at_most(router: RunningRouter) -> None:
    for more, status in ((196, b"200 OK"), (197, b"431 Request Header Fields Too Large")):
        async with connected(router) as client:
            lines = b"a: b\r\n" * more
            await client.send(HEAD + lines + b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(QUERY), QUERY))
            assert (await client.rest()).split(b"\r\n")[0] == b"HTTP/1.1 " + status


@pytest.mark.asyncio
async def test_trailers_without_an_end_are_refused(router: RunningRouter) -> None:
    before = memory(router)
    async with connected(router) as client:
        await client.send(HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n")
        ended = asyncio.create_task(client.rest())
        for _ in range(200):
            if ended.done():
                break
            await client.send(b"x-trailer: " + b"a" * 10_000 + b"\r\n")
        await ended
    assert ended.done()
    assert memory(router) - before < 10_000_000


@pytest.mark.asyncio
async def test_what_is_no_http_is_refused_and_fills_no_log(router: RunningRouter) -> None:
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        HEAD.replace(b"1.1", b"9.9") + b"\r\n",
    ):
        async with connected(router) as client:
            await client.send(sent)
            assert (await client.rest()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert "Invalid" not in router.log.read_text()
    await is_served(router)


@pytest.mark.asyncio
async def test_requests_in_a_row_are_answered_in_order(router: RunningRouter) -> None:
    async with connected(router) as client:
        await client.send(WHOLE * 10)
        for _ in range(10):
            assert json.loads(await client.answer()) == {"data": {"__typename": "Query"}}


@pytest.mark.asyncio
async def test_too_many_requests_in_a_row_end_the_connection_and_not_the_memory(tmp_path: Path) -> None:
    async def never(_: Exchange) -> None:
        await asyncio.Event().wait()

    query = b'{"query":"{warehouses}"}'
    waiting = HEAD + b"content-length: %d\r\n\r\n%b" % (len(query), query)
    async with raw_server(never) as subgraph:
        with running_router(tmp_path, stock=subgraph.url) as router:
            before = memory(router)
            async with connected(router) as client:
                await client.send(waiting)
                ended = asyncio.create_task(client.rest())
                for _ in range(100):
                    if ended.done():
                        break
                    await client.send(WHOLE * 200)
                    await asyncio.sleep(0)
                assert await ended == b""
            assert memory(router) - before < 20_000_000
            await is_served(router)


@pytest.mark.asyncio
async def test_a_client_that_takes_nothing_of_its_answer_is_given_up(tmp_path: Path) -> None:
    async def large(exchange: Exchange) -> None:
        await exchange.write(ok(b'{"data":{"warehouses":["%b"]}}' % (b"x" * 20_000_000)))

    (tmp_path / "router.yaml").write_text(LIMITS)
    query = b'{"query":"{warehouses}"}'
    async with raw_server(large) as subgraph:
        with running_router(tmp_path, "--config", str(tmp_path / "router.yaml"), stock=subgraph.url) as router:
            connections = psutil.Process(router.process.pid)
            host, _, port = router.url.removeprefix("http://").partition(":")
            _, writer = await asyncio.open_connection(host, int(port), limit=1)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(HEAD + b"content-length: %d\r\n\r\n%b" % (len(query), query))
            own = writer.get_extra_info("sockname")[1]

            def is_open() -> bool:
                return any(one.raddr[1:] == (own,) for one in connections.net_connections("tcp"))

            async with asyncio.timeout(SOON_S):
                while not subgraph.exchanges:  # noqa: ASYNC110 - of another process, which tells nobody
                    await asyncio.sleep(0.05)
                while is_open():  # noqa: ASYNC110 - of another process, which tells nobody
                    await asyncio.sleep(0.1)
            writer.transport.abort()
            await is_served(router)


@pytest.mark.asyncio
async def test_more_connections_than_the_limit_are_refused_and_the_others_served(tmp_path: Path) -> None:
    (tmp_path / "router.yaml").write_text("server: {max_connections: 5}")
    with running_router(tmp_path, "--config", str(tmp_path / "router.yaml")) as router:
        async with contextlib.AsyncExitStack() as clients:
            kept = list[Client]()
            for _ in range(5):
                # One after the other: the connection that asked whether the router is there may not be closed yet.
                kept.append(await clients.enter_async_context(connected(router)))
                await kept[-1].send(WHOLE)
                assert json.loads(await kept[-1].answer()) == {"data": {"__typename": "Query"}}
            async with connected(router) as refused:
                await refused.send(HEAD + b"content-length: 5000000\r\n\r\n" + b"a" * 5_000_000)
                expected = (b"HTTP/1.1 503 Service Unavailable", "OVERLOADED")
                assert code_in(await refused.rest()) == expected
            await kept[0].send(WHOLE)
            assert json.loads(await kept[0].answer()) == {"data": {"__typename": "Query"}}
        await is_served(router)


def test_what_many_connections_took_is_given_back_when_they_are_gone(tmp_path: Path) -> None:
    with running_router(tmp_path) as router:
        taken = psutil.Process(router.process.pid).memory_info
        before = taken().rss
        with ExitStack() as resources:
            address = ("127.0.0.1", httpx.URL(router.url).port)
            held = [resources.enter_context(socket.create_connection(address)) for _ in range(1000)]
            for one in held:
                with contextlib.suppress(ConnectionError):  # All together they hold more than they may.
                    one.sendall(HEAD + b"x-a: " + b"a" * 30_000)
            await_condition(lambda: taken().rss - before > 20_000_000 or None, SOON_S, "what they hold")
        await_condition(lambda: taken().rss - before < 12_000_000 or None, SOON_S, "what they held, given back")
