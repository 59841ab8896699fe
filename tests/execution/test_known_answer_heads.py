"""An answer whose head was parsed before is taken without the parser, and comes to what the parser makes of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from router.execution.errors import SubgraphFailure
from router.execution.http.connection import Connection, ConnectionUnused
from router.execution.http.header_keeping import HeaderKeepingConnection
from router.execution.http.known_heads import MOST_BYTES, MOST_REMEMBERED, KnownHead, KnownHeads
from router.execution.subgraph_client import SubgraphResponse

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PLAIN = HEAD + b"Content-Length: 2\r\n\r\n{}"


class NoHeads(KnownHeads):
    """Knows none, so that all goes through the parser."""

    def find(self, _: bytes) -> KnownHead | None:
        return None


class Transport(asyncio.Transport):
    is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None: ...

    def is_closing(self) -> bool:
        return self.is_closed

    def abort(self) -> None:
        self.is_closed = True


class Exchanges:
    """One connection that knows ``heads``; ``is_idle`` where it was given back for another request."""

    def __init__(self, heads: KnownHeads, kind: type[Connection] = Connection, max_bytes: int = 1000) -> None:
        def keep(_: Connection) -> None:
            self.is_idle = True

        self.is_idle = True
        self.transport = Transport()
        self.connection = kind("a", max_bytes, ("gzip",), heads, keep, lambda _: None)
        self.connection.connection_made(self.transport)

    def ask(self, *pieces: bytes, ends: bool = False) -> SubgraphResponse | str | None:
        """What comes of a request that is answered by these ``pieces``; None where the answer is not whole."""
        self.is_idle = False
        waiter = self.connection.begin(b"")
        for piece in pieces:
            if not self.transport.is_closed:
                self.connection.data_received(piece)
        if ends:
            self.connection.connection_lost(None)
        if not waiter.done():
            return None
        try:
            return waiter.result()
        except (SubgraphFailure, ConnectionUnused) as failure:
            return f"{type(failure).__name__} {failure}"


@pytest.mark.asyncio
async def test_a_head_that_came_twice_is_not_parsed_again() -> None:
    heads = KnownHeads()
    exchanges = Exchanges(heads)
    assert exchanges.ask(PLAIN) == SubgraphResponse(200, b"{}")
    assert heads.find(PLAIN) is None
    assert exchanges.ask(PLAIN) == SubgraphResponse(200, b"{}")
    assert heads.find(PLAIN) == KnownHead(len(PLAIN) - 2, 2, 200, ())
    assert exchanges.ask(PLAIN[:-2] + b"[]") == SubgraphResponse(200, b"[]")
    assert exchanges.is_idle


@pytest.mark.asyncio
async def test_an_answer_without_a_body_is_known_too() -> None:
    exchanges = Exchanges(KnownHeads())
    empty = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
    assert [exchanges.ask(empty) for _ in range(3)] == [SubgraphResponse(503, b"")] * 3


@pytest.mark.asyncio
async def test_what_an_answer_says_to_caches_is_known_with_its_head() -> None:
    exchanges = Exchanges(KnownHeads(), HeaderKeepingConnection)
    cached = HEAD + b"Cache-Control: max-age=5\r\nContent-Length: 2\r\n\r\n{}"
    told = SubgraphResponse(200, b"{}", ((b"cache-control", b"max-age=5"),))
    for _ in range(3):
        assert exchanges.ask(cached) == told
        assert exchanges.ask(PLAIN) == SubgraphResponse(200, b"{}")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + PLAIN,
        PLAIN + b"x",
        PLAIN + PLAIN,
        HEAD + b"x-request-id: 7\r\ncontent-length: 2\r\n\r\n{}",
        HEAD + b"content-encoding: br\r\ncontent-length: 2\r\n\r\n{}",
        HEAD + b"x: " + b"y" * MOST_BYTES + b"\r\ncontent-length: 2\r\n\r\n{}",
    ],
    ids=["chunked", "close", "behind hints", "surplus", "two", "id", "coding", "large"],
)
async def test_what_is_not_plain_is_not_remembered(answer: bytes) -> None:
    heads = KnownHeads()
    for _ in range(2):
        Exchanges(heads).ask(answer)
    assert len(heads) == 0


@pytest.mark.asyncio
async def test_a_known_answer_that_is_too_large_by_now_is_refused() -> None:
    heads = KnownHeads()
    large = HEAD + b"content-length: 500\r\n\r\n" + b" " * 500
    for _ in range(2):
        Exchanges(heads).ask(large)
    assert len(heads) == 1
    assert Exchanges(heads, max_bytes=499).ask(large) == (
        "SubgraphFailure Subgraph 'a' answered with more than the limit of 499 bytes."
    )


@pytest.mark.asyncio
async def test_many_heads_take_a_bounded_room() -> None:
    heads = KnownHeads()
    exchanges = Exchanges(heads)
    for number in range(500):
        for _ in range(2):
            exchanges.ask(HEAD + b"date: %d\r\ncontent-length: 2\r\n\r\n{}" % number)
        assert 1 <= len(heads) <= MOST_REMEMBERED


LINES = [
    b"content-type: application/json",
    b"Cache-Control: max-age=5",
    b"cache-tag: a",
    b"content-encoding: identity",
    b"content-encoding: gzip",
    b"transfer-encoding: chunked",
    b"connection: close",
    b"connection: keep-alive",
    b" folded",
    b"no colon",
]
STARTS = [b"HTTP/1.1 200 OK", b"HTTP/1.1 500 Internal Server Error", b"HTTP/1.1 204 No Content", b"HTTP/1.0 200 OK"]
BODIES = [b"", b"{}", b"[1]", b"\r\n\r\n", b"{\r\n\r\n}", b"2\r\n{}\r\n0\r\n\r\n"]


def some_answer(draw: random.Random) -> bytes:
    """Mostly what a subgraph may answer, seldom what it may not."""
    body = draw.choice(BODIES)
    lines = draw.sample(LINES[:3], draw.randint(0, 2))
    if draw.random() < 0.1:
        lines.insert(draw.randint(0, len(lines)), draw.choice(LINES))
    if draw.random() < 0.95:
        told = len(body) if draw.random() < 0.95 else draw.choice([0, 1, 2, 4, 6, 9])
        lines.append(draw.choice([b"content-length: %d", b"Content-Length: %d"]) % told)
    start = STARTS[0] if draw.random() < 0.7 else draw.choice(STARTS)
    return b"\r\n".join([start, *lines, b"", body])


def some_pieces(draw: random.Random) -> Sequence[bytes]:
    data = some_answer(draw) + (some_answer(draw) if draw.random() < 0.05 else b"")
    cut = draw.randint(1, len(data))
    return [data] if draw.random() < 0.8 else [piece for piece in (data[:cut], data[cut:]) if piece]


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [Connection, HeaderKeepingConnection])
@pytest.mark.parametrize("seed", range(5))
async def test_a_connection_that_knows_heads_gives_what_one_gives_that_parses_all(
    seed: int, kind: type[Connection]
) -> None:
    draw = random.Random(seed)  # noqa: S311 - a seeded test
    known, parsing, whole = KnownHeads(), NoHeads(), 0
    one, other = Exchanges(known, kind), Exchanges(parsing, kind)
    for _ in range(3000):
        pieces, ends = some_pieces(draw), draw.random() < 0.1
        whole += known.find(pieces[0]) is not None
        assert one.ask(*pieces, ends=ends) == other.ask(*pieces, ends=ends)
        assert (one.is_idle, one.transport.is_closed) == (other.is_idle, other.transport.is_closed)
        if ends or not one.is_idle:
            one, other = Exchanges(known, kind), Exchanges(parsing, kind)
    assert whole > 300
