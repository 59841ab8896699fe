"""The default client's connections: kept while sound, never used in doubt; requests are repeated only where safe."""

from __future__ import annotations

import asyncio

import pytest

from router.errors import InputError
from router.execution.errors import SubgraphFailure
from router.execution.http.client import Address, HttpLimits, HttpSubgraphClient, parse_address
from router.execution.subgraph_client import SubgraphRequest
from tests.execution.raw_server import Exchange, ok, raw_server

QUERY = SubgraphRequest("a", b"{}", timeout_s=5)
MUTATION = SubgraphRequest("a", b"{}", repeatable=False, timeout_s=5)


@pytest.mark.asyncio
async def test_a_connection_is_kept_and_used_again() -> None:
    async with raw_server(lambda exchange: exchange.write(ok(b"{}"))) as server:
        client = HttpSubgraphClient({"a": server.url})
        for request in (QUERY, MUTATION, QUERY):
            await client.send(request)
        await client.close()
    assert server.connections == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "answer",
    [
        ok(b"{}", b"connection: close"),
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        ok(b"{}") + b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
        ok(b"{}") + b"garbage",
    ],
    ids=["close", "http/1.0", "a second answer", "garbage behind"],
)
async def test_a_connection_in_doubt_is_not_used_again(answer: bytes) -> None:
    async with raw_server(lambda exchange: exchange.write(answer)) as server:
        client = HttpSubgraphClient({"a": server.url})
        for _ in range(2):
            assert (await client.send(QUERY)).body == b"{}"
        await client.close()
    assert server.connections == 2


@pytest.mark.asyncio
async def test_bytes_that_come_unasked_close_the_connection() -> None:
    async with raw_server(lambda exchange: exchange.write(ok(b"{}"))) as server:
        client = HttpSubgraphClient({"a": server.url})
        await client.send(QUERY)
        await server.exchanges[0].write(ok(b'{"data":"of someone else"}'))
        await server.until_closed()
        assert (await client.send(QUERY)).body == b"{}"
        await client.close()
    assert server.connections == 2


async def close_on_the_second_request(exchange: Exchange) -> None:
    if exchange.connection == 1 and exchange.number == 2:
        exchange.reset()
    else:
        await exchange.write(ok(b"{}"))


@pytest.mark.asyncio
async def test_a_query_that_meets_a_dead_connection_is_sent_again_on_a_fresh_one() -> None:
    async with raw_server(close_on_the_second_request) as server:
        client = HttpSubgraphClient({"a": server.url})
        await client.send(QUERY)
        assert (await client.send(QUERY)).body == b"{}"
        await client.close()
    assert [(e.connection, e.number) for e in server.exchanges] == [(1, 1), (1, 2), (2, 1)]


@pytest.mark.asyncio
async def test_a_mutation_is_never_sent_again() -> None:
    async with raw_server(close_on_the_second_request) as server:
        client = HttpSubgraphClient({"a": server.url})
        await client.send(QUERY)
        with pytest.raises(SubgraphFailure) as caught:
            await client.send(MUTATION)
        await client.close()
    assert caught.value.code == "SUBGRAPH_REQUEST_FAILED"
    assert caught.value.message == "Subgraph 'a' closed the connection without an answer."
    assert len(server.exchanges) == 2


@pytest.mark.asyncio
async def test_a_query_is_not_sent_again_once_a_byte_has_come() -> None:
    async def talk(exchange: Exchange) -> None:
        if exchange.number == 2:
            await exchange.write(b"H")
            exchange.close()
        else:
            await exchange.write(ok(b"{}"))

    async with raw_server(talk) as server:
        client = HttpSubgraphClient({"a": server.url})
        await client.send(QUERY)
        with pytest.raises(SubgraphFailure, match="in the middle of its answer"):
            await client.send(QUERY)
        await client.close()
    assert len(server.exchanges) == 2


@pytest.mark.asyncio
async def test_a_fresh_connection_that_dies_is_not_tried_again() -> None:
    async def talk(exchange: Exchange) -> None:
        exchange.reset()

    async with raw_server(talk) as server:
        client = HttpSubgraphClient({"a": server.url})
        with pytest.raises(SubgraphFailure, match="without an answer"):
            await client.send(QUERY)
        await client.close()
    assert len(server.exchanges) == 1


@pytest.mark.asyncio
async def test_a_connection_unused_for_too_long_is_closed() -> None:
    async with raw_server(lambda exchange: exchange.write(ok(b"{}"))) as server:
        client = HttpSubgraphClient({"a": server.url}, HttpLimits(keep_alive_s=0))
        await client.send(QUERY)
        await client.send(QUERY)
        await server.until_closed()
        await client.close()
    assert server.connections == 2


@pytest.mark.asyncio
async def test_no_more_connections_than_allowed_and_the_others_wait() -> None:
    async with raw_server(lambda exchange: exchange.write(ok(b"{}"))) as server:
        client = HttpSubgraphClient({"a": server.url}, HttpLimits(max_connections=2))
        await asyncio.gather(*(client.send(QUERY) for _ in range(10)))
        for _ in range(3):  # Nobody waits any more, and both are free again.
            await client.send(QUERY)
        await client.close()
    assert server.connections == 2
    assert len(server.exchanges) == 13


@pytest.mark.asyncio
async def test_waiting_for_a_connection_counts_towards_the_time_limit() -> None:
    async with raw_server(lambda _: asyncio.sleep(0)) as server:
        client = HttpSubgraphClient({"a": server.url}, HttpLimits(max_connections=1))
        first = asyncio.create_task(client.send(QUERY))
        with pytest.raises(SubgraphFailure) as caught:
            await client.send(SubgraphRequest("a", b"{}", timeout_s=0.05))
        assert caught.value.code == "SUBGRAPH_TIMEOUT"
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await client.close()


@pytest.mark.asyncio
async def test_headers_without_end_are_refused() -> None:
    async def talk(exchange: Exchange) -> None:
        await exchange.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(3000):
            await exchange.write(b"x-%d: %s\r\n" % (number, b"y" * 90))

    async with raw_server(talk) as server:
        client = HttpSubgraphClient({"a": server.url})
        with pytest.raises(SubgraphFailure) as caught:
            await client.send(QUERY)
        await client.close()
    assert caught.value.message == "Subgraph 'a' answered with headers of more than 65536 bytes."


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n{}",
            "Subgraph 'a' answered with something other than HTTP/1.1.",
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            "Subgraph 'a' answered with something other than HTTP/1.1.",
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
            "Subgraph 'a' answered with something other than HTTP/1.1.",
        ),
        (
            ok(b"{}", b"content-encoding: deflate"),
            "Subgraph 'a' answered in a content encoding that was not asked for.",
        ),
        (
            ok(b"\x1f\x8b\x08\x00", b"content-encoding: gzip"),
            "Subgraph 'a' answered with broken compressed data.",
        ),
    ],
    ids=["two framings", "chunk size", "upgrade", "deflate", "truncated gzip"],
)
async def test_an_answer_in_doubt_is_refused(answer: bytes, message: str) -> None:
    async with raw_server(lambda exchange: exchange.write(answer)) as server:
        client = HttpSubgraphClient({"a": server.url})
        with pytest.raises(SubgraphFailure) as caught:
            await client.send(QUERY)
        await client.close()
    assert (caught.value.code, caught.value.message) == ("SUBGRAPH_INVALID_RESPONSE", message)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (
            "http://shop/graphql?v=1",
            Address("shop", 80, is_tls=False, host_header="shop", target="/graphql?v=1", server_name="shop"),
        ),
        ("https://shop", Address("shop", 443, is_tls=True, host_header="shop", target="/", server_name="shop")),
        (
            "http://[::1]:4001/graphql",
            Address("::1", 4001, is_tls=False, host_header="[::1]:4001", target="/graphql", server_name="::1"),
        ),
    ],
)
def test_addresses_are_read_from_urls(url: str, address: Address) -> None:
    assert parse_address("a", url) == address


@pytest.mark.parametrize(
    "url", ["", "shop:4001", "ftp://shop", "http://", "http://shop:port/", "http://sh\r\nop/", "http://a..b/"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(InputError) as caught:
        HttpSubgraphClient({"a": url})
    assert caught.value.code == "INVALID_SUBGRAPH_URL"
    assert caught.value.message.endswith("Correct its routing_url.")


@pytest.mark.asyncio
async def test_what_an_answer_says_to_caches_is_kept_where_it_is_asked_for() -> None:
    hints = b"HTTP/1.1 103 Hints\r\ncache-control: max-age=9\r\n\r\n"
    said = b"Cache-Control: max-age=60\r\nx-other: a\r\nAGE: 5\r\n"
    body = b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\ncache-control: max-age=99\r\n\r\n"

    async def talk(exchange: Exchange) -> None:
        await exchange.write(hints + b"HTTP/1.1 200 OK\r\n" + said + body if exchange.number == 1 else ok(b"{}"))

    kept: list[object] = []
    async with raw_server(talk) as server:
        for keeps in (True, False):
            client = HttpSubgraphClient({"a": server.url}, keeps_cache_headers=keeps)
            kept += [(await client.send(QUERY)).headers for _ in range(2)]
            await client.close()
    assert kept == [((b"cache-control", b"max-age=60"), (b"age", b"5")), (), (), ()]
