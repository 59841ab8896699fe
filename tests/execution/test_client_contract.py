"""What execution may rely on, whichever client it was given: the same test for both, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable

import brotli
import httpx
import pytest

from router.content_coding import CODINGS, Coding, encode_content
from router.execution.errors import SubgraphFailure
from router.execution.http.client import HttpLimits, HttpSubgraphClient
from router.execution.httpx_client import HttpxSubgraphClient
from router.execution.subgraph_client import SubgraphClient, SubgraphRequest
from tests.execution.raw_server import Exchange, ok, raw_server

NewClient = Callable[[dict[str, str], HttpLimits], SubgraphClient]
LIMITS = HttpLimits(max_response_bytes=10_000)
REQUEST = SubgraphRequest("a", b'{"query":"{x}"}', ((b"authorization", b"Bearer t"),), timeout_s=5)


def new_httpx_client(urls: dict[str, str], limits: HttpLimits) -> SubgraphClient:
    return HttpxSubgraphClient(urls, httpx.AsyncClient(trust_env=False), limits)


@pytest.fixture(params=[HttpSubgraphClient, new_httpx_client], ids=["default", "httpx"])
def new_client(request: pytest.FixtureRequest) -> NewClient:
    chosen: NewClient = request.param
    return chosen


async def fail(client: SubgraphClient, request: SubgraphRequest = REQUEST) -> tuple[str, str]:
    """Code and message of the failure."""
    with pytest.raises(SubgraphFailure) as caught:
        await client.send(request)
    await client.close()
    return caught.value.code, caught.value.message


@pytest.mark.asyncio
async def test_a_request_is_posted_as_json_with_the_headers_given(new_client: NewClient) -> None:
    async def talk(exchange: Exchange) -> None:
        await exchange.write(ok(b'{"data":{}}'))

    async with raw_server(talk) as server:
        client = new_client({"a": server.url}, LIMITS)
        response = await client.send(REQUEST)
        await client.close()
    assert (response.status, response.body) == (200, b'{"data":{}}')
    [exchange] = server.exchanges
    lines = exchange.head.lower().split(b"\r\n")
    assert lines[0] == b"post /graphql http/1.1"
    assert b"content-type: application/json" in lines
    assert b"accept: application/graphql-response+json, application/json" in lines
    assert b"authorization: bearer t" in lines
    assert exchange.body == REQUEST.body


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sent", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", 200, b"{}"),
        (b"HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno", 503, b"no"),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\ntrailer: t\r\n\r\n",
            200,
            b"{}",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, b""),
        (b"HTTP/1.1 204 None\r\n\r\n", 204, b""),
        (b"HTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", 200, b"{}"),
        (ok(gzip.compress(b'{"z":1}'), b"content-encoding: gzip"), 200, b'{"z":1}'),
        (ok(gzip.compress(b'{"z":1}'), b"content-encoding: X-GZIP"), 200, b'{"z":1}'),
        (ok(brotli.compress(b'{"z":1}'), b"content-encoding: br"), 200, b'{"z":1}'),
        (ok(encode_content("zstd", b'{"z":1}', 3), b"content-encoding: zstd"), 200, b'{"z":1}'),
        (ok(b"{}", b"content-encoding: identity"), 200, b"{}"),
        (ok(b"{}", b"Content-Encoding: none"), 200, b"{}"),
    ],
    ids=["length", "status", "chunked", "empty", "204", "1xx", "gzip", "x-gzip", "br", "zstd", "identity", "none"],
)
async def test_every_framing_is_read(new_client: NewClient, sent: bytes, status: int, body: bytes) -> None:
    async def talk(exchange: Exchange) -> None:
        for index in range(len(sent)):  # Byte by byte: no framing may depend on how data arrives.
            await exchange.write(sent[index : index + 1])

    async with raw_server(talk) as server:
        client = new_client({"a": server.url}, LIMITS)
        for _ in range(2):
            response = await client.send(REQUEST)
            assert (response.status, response.body) == (status, body)
        await client.close()
    assert server.connections == 1


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n%b\r\n%x\r\n%b\r\n0\r\n%b\r\n\r\n"


def chunked(body: bytes, header: bytes, trailer: bytes) -> bytes:
    """An answer with one header and one trailer."""
    return CHUNKED % (header + b"\r\n" if header else b"", len(body), body, trailer)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "sent",
    [
        chunked(b"{}", b"", b"content-encoding: gzip"),
        chunked(b"{}", b"", b"Content-Encoding: deflate"),
        chunked(gzip.compress(b"{}"), b"content-encoding: gzip", b"content-encoding: identity"),
        chunked(gzip.compress(b"{}"), b"content-encoding: gzip", b"Content-Encoding: identity"),
        chunked(b"{}", b"content-encoding: identity", b"content-encoding: br"),
        chunked(b"{}", b"x-a: b", b"x-a: c\r\ncontent-encoding: gzip"),
    ],
    ids=["gzip", "unknown", "in place of a header", "beside a header", "after identity", "after another"],
)
async def test_what_trailers_say_of_the_answer_counts_for_nothing(new_client: NewClient, sent: bytes) -> None:
    """RFC 9110, section 6.5.1: a trailer is no header, and never says how the content was encoded."""
    async with raw_server(lambda exchange: exchange.write(sent)) as server:
        client = new_client({"a": server.url}, LIMITS)
        for _ in range(2):
            assert (await client.send(REQUEST)).body == b"{}"
        await client.close()
    assert server.connections == 1


@pytest.mark.asyncio
async def test_the_end_of_the_connection_ends_a_body_without_a_length(new_client: NewClient) -> None:
    async def talk(exchange: Exchange) -> None:
        await exchange.write(b"HTTP/1.1 200 OK\r\n\r\n{}")
        exchange.close()

    async with raw_server(talk) as server:
        client = new_client({"a": server.url}, LIMITS)
        assert (await client.send(REQUEST)).body == b"{}"
        assert (await client.send(REQUEST)).body == b"{}"
        await client.close()
    assert server.connections == 2


@pytest.mark.asyncio
async def test_a_subgraph_that_is_not_there_is_a_failed_request(new_client: NewClient) -> None:
    async with raw_server(lambda _: asyncio.sleep(0)) as server:
        url = server.url
    code, message = await fail(new_client({"a": url}, LIMITS))
    assert code == "SUBGRAPH_REQUEST_FAILED"
    assert message.startswith("Subgraph 'a' could not be reached: ")


@pytest.mark.asyncio
async def test_an_unknown_subgraph_is_a_failed_request(new_client: NewClient) -> None:
    assert await fail(new_client({}, LIMITS)) == ("SUBGRAPH_REQUEST_FAILED", "Subgraph 'a' has no address.")


@pytest.mark.asyncio
async def test_silence_ends_with_the_time_limit_and_the_connection(new_client: NewClient) -> None:
    async with raw_server(lambda _: asyncio.sleep(0)) as server:
        client = new_client({"a": server.url}, LIMITS)
        request = SubgraphRequest("a", b"{}", timeout_s=0.1)
        expected = ("SUBGRAPH_TIMEOUT", "Subgraph 'a' did not answer within 0.1 seconds.")
        assert await fail(client, request) == expected
        await server.until_closed()


@pytest.mark.asyncio
async def test_a_cancelled_request_gives_up_its_connection(new_client: NewClient) -> None:
    asked = asyncio.Event()

    async def talk(_: Exchange) -> None:
        asked.set()

    async with raw_server(talk) as server:
        client = new_client({"a": server.url}, LIMITS)
        sending = asyncio.create_task(client.send(REQUEST))
        await asked.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await server.until_closed()
        await client.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "sent",
    [
        ok(b"x" * 20_000),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        + b"3e8\r\n"
        + b"x" * 1000
        + b"\r\n"
        + (b"3e8\r\n" + b"x" * 1000 + b"\r\n") * 20,
        ok(gzip.compress(b"x" * 1_000_000), b"content-encoding: gzip"),
        ok(brotli.compress(b"x" * 1_000_000), b"content-encoding: br"),
        ok(encode_content("zstd", b"x" * 1_000_000, 3), b"content-encoding: zstd"),
    ],
    ids=["length", "chunked", "gzip bomb", "br bomb", "zstd bomb"],
)
async def test_an_answer_beyond_the_limit_is_refused(new_client: NewClient, sent: bytes) -> None:
    async with raw_server(lambda exchange: exchange.write(sent)) as server:
        expected = ("SUBGRAPH_INVALID_RESPONSE", "Subgraph 'a' answered with more than the limit of 10000 bytes.")
        assert await fail(new_client({"a": server.url}, LIMITS)) == expected


@pytest.mark.asyncio
@pytest.mark.parametrize("coding", CODINGS)
async def test_what_is_broken_is_told_whatever_it_was_compressed_with(new_client: NewClient, coding: Coding) -> None:
    whole = encode_content(coding, b'{"data":{"a":"one"}}', 3)
    sent = [whole[:-3], whole + b"more", b"{}", b""]

    async def talk(exchange: Exchange) -> None:
        await exchange.write(ok(sent[exchange.connection - 1], b"content-encoding: " + coding.encode()))

    async with raw_server(talk) as server:
        expected = ("SUBGRAPH_INVALID_RESPONSE", "Subgraph 'a' answered with broken compressed data.")
        for _ in sent:
            assert await fail(new_client({"a": server.url}, LIMITS)) == expected


@pytest.mark.asyncio
@pytest.mark.parametrize("name", [b"deflate", b"gzip, gzip", b"br", b"xyz"])
async def test_an_encoding_that_was_not_asked_for_is_an_invalid_response(new_client: NewClient, name: bytes) -> None:
    limits = HttpLimits(max_response_bytes=10_000, codings=("gzip", "zstd"))
    async with raw_server(lambda exchange: exchange.write(ok(b"{}", b"content-encoding: " + name))) as server:
        message = "Subgraph 'a' answered in a content encoding that was not asked for."
        assert await fail(new_client({"a": server.url}, limits)) == ("SUBGRAPH_INVALID_RESPONSE", message)
    assert b"\r\naccept-encoding: gzip, zstd\r\n" in server.exchanges[0].head.lower()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n{}",
        ok(b"not gzip", b"content-encoding: gzip"),
    ],
    ids=["another protocol", "no length", "broken gzip"],
)
async def test_what_is_not_http_is_an_invalid_response(new_client: NewClient, sent: bytes) -> None:
    async with raw_server(lambda exchange: exchange.write(sent)) as server:
        code, _ = await fail(new_client({"a": server.url}, LIMITS))
    assert code == "SUBGRAPH_INVALID_RESPONSE"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"",
    ],
    ids=["length", "chunk", "head", "nothing"],
)
async def test_half_an_answer_is_a_failed_request(new_client: NewClient, sent: bytes) -> None:
    async def talk(exchange: Exchange) -> None:
        await exchange.write(sent)
        exchange.close()

    async with raw_server(talk) as server:
        code, _ = await fail(new_client({"a": server.url}, LIMITS))
    assert code == "SUBGRAPH_REQUEST_FAILED"


@pytest.mark.asyncio
async def test_many_requests_at_once_each_get_their_own_answer(new_client: NewClient) -> None:
    async def talk(exchange: Exchange) -> None:
        await exchange.write(ok(exchange.body))

    async with raw_server(talk) as server:
        client = new_client({"a": server.url}, LIMITS)
        bodies = [b'{"n":%d}' % n for n in range(30)]
        responses = await asyncio.gather(*(client.send(SubgraphRequest("a", body)) for body in bodies))
        await client.close()
    assert [response.body for response in responses] == bodies
