"""Subgraphs that were taken over: they send the router elsewhere, or more than it should ever hold."""

from __future__ import annotations

import pytest

from router.execution.errors import INVALID_RESPONSE, SubgraphFailure
from router.execution.http.client import HttpSubgraphClient
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.security.attacks.ways import ASKING, BODY, LISTENING, Ask, query, socket

pytestmark = pytest.mark.asyncio

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
PIECE = 50_000
PIECES = 400


@pytest.mark.parametrize("ask", [*ASKING, *LISTENING])
@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent"])
async def test_no_subgraph_sends_the_router_elsewhere(ask: Ask, status: bytes) -> None:
    """Whatever the router may reach would be asked, with the headers of its clients (SSRF)."""

    async def redirect(exchange: Exchange) -> None:
        scheme = b"ws" if ask is socket else b"http"
        location = inner.url.encode().replace(b"http", scheme, 1)
        await exchange.write(b"HTTP/1.1 %b\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % (status, location))

    async with raw_server(lambda exchange: exchange.write(ok(b'{"data":{"x":1}}'))) as inner:
        async with raw_server(redirect) as subgraph:
            assert await _is_no_answer(ask, subgraph.url)
            assert len(subgraph.exchanges) == 1
        assert (inner.connections, inner.exchanges) == (0, [])


async def _is_no_answer(ask: Ask, url: str) -> bool:
    try:
        answer = await ask(url, None)
    except SubgraphFailure:
        return True
    return isinstance(answer, SubgraphResponse) and 300 <= answer.status < 400 and answer.body == b""


ENDLESS = {
    "preludes": (b"", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 1000),
    "a header": (b"HTTP/1.1 200 OK\r\nx-a: ", b"a" * PIECE),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n" * 5000),
    "a status": (b"HTTP/1.1 200 ", b"a" * PIECE),
    "an extension of a chunk": (CHUNKED + b"1;", b"a" * PIECE),
    "extensions of chunks": (CHUNKED, (b"1;" + b"a" * 900 + b"\r\n{\r\n") * 50),
    "a trailer": (CHUNKED + b"2\r\n{}\r\n0\r\nx-a: ", b"a" * PIECE),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"x-a: b\r\n" * 5000),
}


@pytest.mark.parametrize("attack", ENDLESS)
async def test_an_answer_without_end_is_given_up_before_it_is_held(attack: str) -> None:
    """20 MB would come; the router has closed the connection long before."""
    first, piece = ENDLESS[attack]
    sent = 0

    async def talk(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.write(first)
        for _ in range(PIECES):
            await exchange.write(piece)
            sent += len(piece)

    async with raw_server(talk) as subgraph:
        with pytest.raises(SubgraphFailure) as caught:
            await query(subgraph.url, None)
        await subgraph.until_closed()
    assert caught.value.code == INVALID_RESPONSE
    # What lies in the sockets' buffers on its way is some megabytes.
    assert sent < PIECES * PIECE // 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 16\r\n\r\n" + b'{"data":{"x":1}}',
        b"HTTP/1.1 200 OK\r\ncontent-length: 16\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: b\0c\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n x-a: folded\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\n{}",
    ],
    ids=[
        "two lengths",
        "length and chunks",
        "a null byte",
        "a header over two lines",
        "a space",
        "a length below zero",
    ],
)
async def test_an_answer_that_is_framed_in_two_ways_is_none(answer: bytes) -> None:
    async with raw_server(lambda exchange: exchange.write(answer)) as subgraph:
        with pytest.raises(SubgraphFailure) as caught:
            await query(subgraph.url, None)
        assert caught.value.code == INVALID_RESPONSE


async def test_an_answer_behind_an_answer_is_nobodys() -> None:
    """A subgraph that could queue one up would answer whoever asks next on that connection."""

    async def talk(exchange: Exchange) -> None:
        await exchange.write(ok(b"%d" % exchange.connection) + ok(b"planted"))

    async with raw_server(talk) as subgraph:
        client = HttpSubgraphClient({"a": subgraph.url})
        answers = [(await client.send(SubgraphRequest("a", BODY, timeout_s=5))).body for _ in range(3)]
        await client.close()
    assert answers == [b"1", b"2", b"3"]
