"""A request whose head was parsed before is taken without the parser, and comes to what the parser makes of it."""

from __future__ import annotations

import asyncio
import random
import weakref
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from router.server.config import RouterConfig
from router.server.connections.bounded_protocol import BoundedProtocol, ConnectionSweeper
from router.server.connections.known_heads import (
    MOST_BODY_BYTES,
    MOST_BYTES,
    MOST_REMEMBERED,
    KnownHead,
    KnownHeads,
    known_head_in,
)
from router.server.http.body import whole_body
from router.server.http.header_section import HeaderSections
from router.server.shedding.overload import Overload, overload_policy
from tests.server.connections.test_http_protocol import Transport

POST = b"POST /graphql?a=%20b HTTP/1.1\r\nHost: router\r\n"
PLAIN = POST + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
GET = b"GET /graphql?query=%7Ba%7D HTTP/1.1\r\nhost: router\r\n\r\n"


class NoHeads(KnownHeads):
    """Knows none, so that all goes through the parser."""

    def find(self, _: bytes) -> KnownHead | None:
        return None


class Socket(Transport):
    """Hands what comes to whoever took the connection over; says no more where it said its last."""

    taken_over: asyncio.BaseProtocol | None = None

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.taken_over = protocol

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None: ...

    def abort(self) -> None:
        self.close()


class Server:
    """A connection that knows ``heads``; ``seen`` are the scopes of its requests, and the bodies that are whole."""

    def __init__(self, heads: KnownHeads, overload: Overload | None = None, **limits: Any) -> None:
        settings = RouterConfig.model_validate({"server": limits})

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            self.is_known = known_head_in(scope) is not None
            told = {name: value for name, value in scope.items() if not name.startswith("galleria")}
            self.seen.append((told, whole_body(receive, 1_000_000)))
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"{}"})

        config = Config(app, date_header=False, server_header=False, access_log=False, log_config=None)
        config.load()
        self.seen: list[tuple[Scope, Any]] = []
        self.is_known = False
        self.transport = Socket()
        self._state = ServerState()
        room = overload if overload is not None else Overload(overload_policy(settings))
        bounds = settings.server, ConnectionSweeper(settings.server), room
        loop = asyncio.get_running_loop()
        self.protocol = BoundedProtocol(
            *bounds, heads, config=config, server_state=self._state, app_state={}, _loop=loop
        )
        self.protocol.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        if not self.transport.is_closed and self.transport.taken_over is None:
            self.protocol.data_received(data)

    async def answered(self) -> list[bytes]:
        """What was written when the server has nothing left to do."""
        while self._state.tasks:
            await asyncio.wait(self._state.tasks)
        return self.transport.written

    async def ask(self, data: bytes) -> bool:
        """Whether the head of the last request in ``data`` was known."""
        self.send(data)
        await self.answered()
        return self.is_known


async def knowing(request: bytes) -> KnownHeads:
    """What is remembered where ``request`` came twice."""
    heads = KnownHeads()
    server = Server(heads)
    for _ in range(2):
        await server.ask(request)
    return heads


@pytest.mark.asyncio
@pytest.mark.parametrize("request_", [PLAIN, GET], ids=["POST", "GET"])
async def test_a_head_that_came_twice_is_not_parsed_again_and_looks_as_before(request_: bytes) -> None:
    server = Server(KnownHeads())
    assert [await server.ask(request_) for _ in range(4)] == [False, False, True, True]
    assert server.seen == [server.seen[0]] * 4
    assert len(server.transport.written) == 4
    assert server.protocol.is_between_requests()


@pytest.mark.asyncio
async def test_heads_are_known_on_all_connections_with_another_body_of_the_same_length() -> None:
    heads = await knowing(PLAIN)
    server = Server(heads)
    assert await server.ask(PLAIN[:-2] + b"[]")
    assert server.seen[0][1] == b"[]"


@pytest.mark.asyncio
async def test_who_asks_for_the_end_of_the_connection_gets_it_each_time() -> None:
    heads, request = KnownHeads(), POST + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
    for _ in range(3):
        server = Server(heads)
        assert not await server.ask(request)
        assert server.transport.is_closed


@pytest.mark.asyncio
async def test_headers_that_somebody_has_changed_are_not_those_of_the_head() -> None:
    known = (await knowing(PLAIN)).find(PLAIN)
    assert known is not None
    scope: Scope = {"headers": list(known.headers), "galleria.known_head": known}
    assert known_head_in(scope) is known
    assert known_head_in({**scope, "headers": [*known.headers, (b"authorization", b"Bearer ada")]}) is None
    assert known_head_in({**scope, "headers": known.headers[1:]}) is None


@pytest.mark.asyncio
async def test_a_head_keeps_nothing_of_settings_that_are_no_more() -> None:
    known = (await knowing(PLAIN)).find(PLAIN)
    assert known is not None
    scope: Scope = {"headers": known.headers, "galleria.known_head": known}
    sections = HeaderSections()
    section, _ = sections.of(scope)
    assert sections.of(scope)[0] is section
    gone = weakref.ref(sections)
    del sections, section
    assert gone() is None


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "request_",
    [
        POST + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        POST + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n{}",
        POST + b"te: trailers\r\ncontent-length: 2\r\n\r\n{}",
        POST + b"content-length: 02\r\n\r\n{}",
        POST + b"accept: a\r\naccept: b\r\ncontent-length: 2\r\n\r\n{}",
        POST + b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ncontent-length: 2\r\n\r\n{}",
        POST + b"x-request-id: 7\r\ncontent-length: 2\r\n\r\n{}",
        POST + b"x: " + b"y" * MOST_BYTES + b"\r\ncontent-length: 2\r\n\r\n{}",
        POST + b"content-length: %d\r\n\r\n" % (MOST_BODY_BYTES + 1) + b" " * (MOST_BODY_BYTES + 1),
        b"\r\n\r\n" + PLAIN,
        PLAIN + PLAIN,
        PLAIN.replace(b"1.1", b"1.0"),
        POST + b"connection: close\r\ncontent-length: 2\r\n\r\n{}",
        b"DELETE /graphql HTTP/1.1\r\nhost: router\r\n\r\n",
    ],
)
async def test_what_is_not_plain_is_not_remembered(request_: bytes) -> None:
    assert len(await knowing(request_)) == 0


@pytest.mark.asyncio
async def test_what_came_in_pieces_is_not_remembered() -> None:
    heads = KnownHeads()
    server = Server(heads)
    for _ in range(3):
        server.send(PLAIN[:40])
        await server.ask(PLAIN[40:])
    assert len(server.seen) == 3
    assert len(heads) == 0


@pytest.mark.asyncio
async def test_a_known_request_that_comes_while_another_is_answered_waits_for_its_turn() -> None:
    server = Server(await knowing(PLAIN))
    for body in (b"11", b"22", b"33"):
        server.send(PLAIN[:-2] + body)
    await server.answered()
    assert [body for _, body in server.seen] == [b"11", b"22", b"33"]


@pytest.mark.asyncio
async def test_a_head_that_is_too_large_by_now_is_refused() -> None:
    large = POST + b"x: " + b"y" * 2000 + b"\r\ncontent-length: 2\r\n\r\n{}"
    heads = await knowing(large)
    assert len(heads) == 1
    stricter = Server(heads, max_header_bytes=1024)
    stricter.send(large)
    [refusal] = stricter.transport.written
    assert refusal.startswith(b"HTTP/1.1 431 ")


@pytest.mark.asyncio
async def test_a_head_that_is_not_whole_is_measured_without_what_came_before_it_on_the_connection() -> None:
    server = Server(NoHeads(), max_header_bytes=1024)
    server.send(POST + b"content-length: 2000\r\n\r\n" + bytes(2000) + POST)  # half a head behind a request
    server.send(b"content-length: 2\r\n\r\n{}")
    assert [one[:15] for one in await server.answered()] == [b"HTTP/1.1 200 OK"] * 2
    server.send(POST + b"x: " + b"y" * 900)
    assert len(server.transport.written) == 2
    server.send(b"y" * 200)
    assert server.transport.written[2].startswith(b"HTTP/1.1 431 ")


@pytest.mark.asyncio
async def test_many_heads_take_a_bounded_room() -> None:
    heads = KnownHeads()
    server = Server(heads)
    for number in range(2000):
        request = PLAIN.replace(b"Host: router", b"Host: h%d" % number)
        assert [await server.ask(request) for _ in range(3)] == [False, False, True]
        assert len(heads) <= MOST_REMEMBERED


LINES = [
    b"Host: router",
    b"host: other",
    b"content-type: application/json",
    b"Authorization: Bearer ada",
    b"transfer-encoding: chunked",
    b"connection: close",
    b"connection: keep-alive",
    b"expect: 100-continue",
    b"x:",
    b" folded",
    b"no colon",
]
STARTS = [
    b"POST /graphql HTTP/1.1",
    b"GET /?a=%7B HTTP/1.1",
    b"POST / HTTP/1.0",
    b"PUT /x HTTP/1.1",
    b"\r\nPOST / HTTP/1.1",
]
BODIES = [b"", b"{}", b"[1]", b"\r\n\r\n", b"{\r\n\r\n}", b"2\r\n{}\r\n0\r\n\r\n"]


def some_request(draw: random.Random) -> bytes:
    """Mostly what a client may send, seldom what it may not."""
    body = draw.choice(BODIES)
    likely = [LINES[0]] if draw.random() < 0.97 else []
    lines = likely + draw.sample(LINES[1:4], draw.randint(0, 2)) * (draw.random() < 0.5)
    if draw.random() < 0.1:
        lines.insert(draw.randint(0, len(lines)), draw.choice(LINES))
    if body or draw.random() < 0.5:
        told = len(body) if draw.random() < 0.95 else draw.choice([0, 1, 2, 4, 6, 9])
        lines.append(draw.choice([b"content-length: %d", b"Content-Length: %d"]) % told)
    start = STARTS[0] if draw.random() < 0.7 else draw.choice(STARTS)
    ending = b"\r\n" if draw.random() < 0.98 else b"\n"
    return ending.join([start, *lines, b"", body])


def some_pieces(draw: random.Random) -> Sequence[bytes]:
    """One or more requests as they come from a socket, and what is left of them."""
    data = b"".join(some_request(draw) for _ in range(draw.choice([1, 1, 1, 1, 1, 2, 3])))
    if draw.random() < 0.8:
        return [data]
    cut = draw.randint(0, len(data))
    return [data[:cut], data[cut:]]


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(5))
async def test_a_server_that_knows_heads_answers_as_one_that_parses_all(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a seeded test
    known, parsing, count_known = KnownHeads(), NoHeads(), 0
    for _ in range(300):
        one, other = Server(known), Server(parsing)
        for _ in range(8):
            for piece in some_pieces(draw):
                one.send(piece)
                other.send(piece)
                if draw.random() < 0.7:
                    assert await one.answered() == await other.answered()
                    count_known += one.is_known
        assert await one.answered() == await other.answered()
        assert one.seen == other.seen
        assert one.transport.is_closed == other.transport.is_closed
        assert (one.transport.taken_over is None) == (other.transport.taken_over is None)
    assert count_known > 100
