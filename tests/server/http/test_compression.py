"""Answers in the encoding that the client likes best, requests and requests to subgraphs compressed: over HTTP."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from starlette.types import Message

from router.content_coding import CODINGS, Coding, decode_content, encode_content
from router.server.app import create_app
from router.server.config import RouterConfig, check_config
from router.server.graphs.graph import open_graph
from router.server.http.compressed_answers import choose_coding
from router.supergraph.read import read_supergraph
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.server.shop import SUPERGRAPH, Shop, client_of, codes, router_over
from tests.server.subscriptions.live import BIDS, PATIENCE_S, live_stack, until

LARGE = {"query": "{ products(first: 500) { id name } }"}
ALL: tuple[Coding, ...] = ("zstd", "br", "gzip")


def shop_of_many() -> Shop:
    shop = Shop()
    shop.names = {str(number): f"Mug {number}" for number in range(500)}
    return shop


async def asked(
    settings: Mapping[str, Any], headers: Mapping[str, str], body: Mapping[str, Any] | None = None
) -> tuple[httpx.Response, bytes]:
    """The answer, and its body as it was on the wire."""
    config = check_config({"compression": settings}, "settings")
    async with client_of(router_over(shop_of_many(), config)) as client:
        client.headers.pop("accept-encoding")
        async with client.stream("POST", "/graphql", json=body or LARGE, headers=headers) as response:
            return response, b"".join([chunk async for chunk in response.aiter_raw()])


def products(body: bytes) -> int:
    return len(json.loads(body)["data"]["products"])


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (b"gzip", "gzip"),
        (b"gzip, deflate, br, zstd", "zstd"),
        (b"gzip, deflate, br", "br"),
        (b"GZIP;Q=0.9, br; q=0.8", "gzip"),
        (b"x-gzip", "gzip"),
        (b"*", "zstd"),
        (b"*;q=0.5, zstd;q=0", "br"),
        (b"gzip;q=0", None),
        (b"gzip;q=0.5, identity", None),
        (b"gzip;q=0.5, identity;q=0.5", "gzip"),
        (b"identity, *;q=0", None),
        (b"deflate", None),
        (b"gzip;q=many", None),
        (b"gzip;q=7", None),
        (b",;,", None),
        (b"\xff\xfe", None),
    ],
)
def test_the_quality_decides_and_then_our_order(accepted: bytes, chosen: str | None) -> None:
    assert choose_coding(accepted, ALL) == chosen


@pytest.mark.asyncio
@pytest.mark.parametrize("coding", CODINGS)
async def test_an_answer_comes_in_the_encoding_accepted(coding: Coding) -> None:
    response, raw = await asked({"answers": True}, {"accept-encoding": f"{coding}, *;q=0"})
    assert response.headers["content-encoding"] == coding
    assert response.headers["vary"] == "accept-encoding"
    assert response.headers["content-length"] == str(len(raw))
    plain = decode_content(coding, raw, 100_000)
    assert products(plain) == 500
    assert len(raw) < len(plain) // 3


@pytest.mark.asyncio
async def test_a_client_that_accepts_none_gets_it_plain_and_caches_are_told() -> None:
    response, raw = await asked({"answers": True}, {})
    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "accept-encoding"
    assert products(raw) == 500


@pytest.mark.asyncio
async def test_a_small_answer_is_as_it_would_be_without() -> None:
    body = {"query": "{ warehouses }"}
    with_it, raw = await asked({"answers": True}, {"accept-encoding": "gzip"}, body)
    without, plain = await asked({}, {"accept-encoding": "gzip"}, body)
    assert (with_it.headers, raw) == (without.headers, plain)


@pytest.mark.asyncio
async def test_by_default_nothing_is_compressed() -> None:
    response, raw = await asked({}, {"accept-encoding": "gzip, br, zstd"})
    assert not {"content-encoding", "vary"} & set(response.headers)
    assert products(raw) == 500


@pytest.mark.asyncio
async def test_an_answer_beside_a_cookie_is_compressed_only_where_that_is_wished() -> None:
    headers = {"accept-encoding": "gzip", "cookie": "session=secret"}
    response, _ = await asked({"answers": True}, headers)
    assert "content-encoding" not in response.headers
    response, _ = await asked({"answers": True, "with_cookies": True}, headers)
    assert response.headers["content-encoding"] == "gzip"


@pytest.mark.asyncio
async def test_an_answer_of_a_megabyte_is_whole() -> None:
    query = "{ " + " ".join(f"p{number}: products(first: 500) {{ id name }}" for number in range(40)) + " }"
    response, raw = await asked({"answers": True, "level": 1}, {"accept-encoding": "zstd"}, {"query": query})
    assert response.headers["content-encoding"] == "zstd"
    plain = json.loads(decode_content("zstd", raw, 2_000_000))
    assert [len(plain["data"][f"p{number}"]) for number in range(40)] == [500] * 40


@pytest.mark.asyncio
async def test_a_stream_of_events_is_never_compressed() -> None:
    config = check_config({"compression": {"answers": True, "min_bytes": 0}}, "settings")
    headers = {"accept": "text/event-stream", "accept-encoding": "gzip"}
    async with (
        live_stack(config) as stack,
        httpx.AsyncClient(trust_env=False, timeout=60) as client,
        client.stream("POST", stack.url, json={"query": BIDS}, headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in response.headers
        await stack.auction.followed_by(1)
        stack.auction.bid(1)
        lines = response.aiter_lines()
        assert await anext(line async for line in lines if line.startswith("event:")) == "event: next"


async def sent(body: bytes, headers: Mapping[str, str], **settings: Any) -> httpx.Response:
    config = check_config({"compression": {"requests": True}, **settings}, "settings")
    async with client_of(router_over(Shop(), config)) as client:
        return await client.post("/graphql", content=body, headers={"content-type": "application/json", **headers})


QUERY = b'{"query":"{ warehouses }"}'


@pytest.mark.asyncio
@pytest.mark.parametrize("coding", CODINGS)
async def test_a_compressed_request_is_answered(coding: Coding) -> None:
    response = await sent(encode_content(coding, QUERY, 3), {"content-encoding": coding.upper()})
    assert response.json() == {"data": {"warehouses": ["north", "south"]}}


@pytest.mark.asyncio
async def test_who_sends_a_compressed_request_and_leaves_is_waited_for_no_more() -> None:
    shop = Shop()
    shop.opened = asyncio.Event()
    received: list[Message] = [{"type": "http.request", "body": encode_content("gzip", QUERY, 3), "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        if not received:
            await until(lambda: shop.asked["stock"] == 1)
            return {"type": "http.disconnect"}
        return received.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    app = router_over(shop, check_config({"compression": {"requests": True}}, "settings"))
    await asyncio.wait_for(app(scope, receive, send), PATIENCE_S)
    assert sent == []


@pytest.mark.asyncio
@pytest.mark.parametrize("coding", CODINGS)
async def test_a_bomb_is_too_large_and_never_in_memory(coding: Coding) -> None:
    bomb = encode_content(coding, b'{"query":"' + b" " * 30_000_000, 5)
    tracemalloc.start()
    try:
        response = await sent(bomb, {"content-encoding": coding})
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert (response.status_code, codes(response)) == (413, ["REQUEST_TOO_LARGE"])
    assert response.json()["errors"][0]["message"] == "The request body is larger than 1000000 bytes."


@pytest.mark.asyncio
async def test_the_limit_holds_for_what_is_sent_too() -> None:
    response = await sent(QUERY * 3, {"content-encoding": "gzip"}, graphql={"max_body_bytes": 50})
    assert (response.status_code, codes(response)) == (413, ["REQUEST_TOO_LARGE"])


@pytest.mark.asyncio
@pytest.mark.parametrize("body", [QUERY, gzip.compress(QUERY, mtime=0)[:-1], gzip.compress(QUERY, mtime=0) * 2])
async def test_broken_data_is_a_bad_request(body: bytes) -> None:
    response = await sent(body, {"content-encoding": "gzip"})
    assert (response.status_code, codes(response)) == (400, ["INVALID_ENCODING"])
    assert response.json()["errors"][0]["message"] == "The request body is not one whole stream of gzip."


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "headers",
    [
        {"content-encoding": "compress"},
        {"content-encoding": "gzip, gzip"},
        {"content-encoding": "gzip", "content-type": "multipart/form-data; boundary=x"},
    ],
)
async def test_another_encoding_is_not_supported_and_ours_are_told(headers: Mapping[str, str]) -> None:
    response = await sent(gzip.compress(QUERY), headers)
    assert (response.status_code, codes(response)) == (415, ["UNSUPPORTED_ENCODING"])
    assert response.headers["accept-encoding"] == "gzip, br, zstd"


@pytest.mark.asyncio
async def test_requests_to_a_subgraph_are_compressed_where_the_settings_say_so() -> None:
    async def talk(exchange: Exchange) -> None:
        await exchange.write(ok(b'{"data":{"warehouses":[]}}'))

    settings = {"compression": {"subgraph_requests": {"stock": "gzip"}, "min_bytes": 10}}
    async with raw_server(talk) as server:
        sdl = SUPERGRAPH.replace("http://stock.test/graphql", server.url)
        graph = open_graph(read_supergraph(sdl), check_config(settings, "settings"))
        async with client_of(create_app(check_config(settings, "settings"), graph)) as client:
            assert (await client.post("/graphql", json={"query": "{ warehouses }"})).json() == {
                "data": {"warehouses": []}
            }
        await graph.client.close()
    [exchange] = server.exchanges
    assert b"\r\ncontent-encoding: gzip" in exchange.head
    assert "warehouses" in json.loads(gzip.decompress(exchange.body))["query"]


def test_what_is_not_compressed_has_no_client_for_it() -> None:
    graph = open_graph(read_supergraph(SUPERGRAPH), RouterConfig())
    assert graph.traffic is not None
    assert graph.traffic.made_from.compression is None
