"""Subscriptions as streams of HTTP: server-sent events, and multipart as Apollo's clients read it."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from router.server.config import RouterConfig, SubscriptionSettings
from router.server.subscriptions.streams import MultipartSubscription, ServerSentEvents, choose_stream
from tests.server.shop import codes
from tests.server.subscriptions.live import BIDS, Stack, live_stack, streaming, until

SSE = "text/event-stream"
MULTIPART = "multipart/mixed;subscriptionSpec=1.0, application/json"
MUG = {"data": {"bids": {"amount": 10, "product": {"id": "1", "name": "Mug"}}}}


def sse_results(text: str) -> list[object]:
    """The results of ``next``, and None for ``complete``."""
    events = [part.split("\n") for part in text.split("\n\n") if part and part != ":"]
    return [json.loads(data.removeprefix("data: ")) if kind == "event: next" else None for kind, data in events]


def parts(text: str) -> list[object]:
    """The JSON of each part; the last boundary must be there."""
    assert text.startswith("\r\n--graphql\r\n")
    assert text.endswith("\r\n--graphql--\r\n")
    bodies = text.removesuffix("--\r\n").split("\r\n--graphql")[1:-1]
    assert all(body.startswith("\r\ncontent-type: application/json\r\n\r\n") for body in bodies)
    return [json.loads(body.split("\r\n\r\n", 1)[1]) for body in bodies]


@pytest.mark.asyncio
async def test_results_come_as_server_sent_events(stack: Stack) -> None:
    async with streaming(stack, SSE) as response:
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert response.headers["cache-control"] == "no-cache"
        await stack.auction.followed_by(1)
        stack.auction.bid(10)
        stack.auction.finish()
        assert sse_results((await response.aread()).decode()) == [MUG, None]


@pytest.mark.asyncio
async def test_results_come_as_parts_that_are_readable_at_once(stack: Stack) -> None:
    async with streaming(stack, MULTIPART) as response:
        kind = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
        assert (response.status_code, response.headers["content-type"]) == (200, kind)
        await stack.auction.followed_by(1)
        stack.auction.bid(10)
        text = ""
        chunks = response.aiter_text()
        async with asyncio.timeout(10):
            while text.count("--graphql") < 2:
                text += await anext(chunks)
        stack.auction.finish()
        async for chunk in chunks:
            text += chunk
        assert parts(text) == [{"payload": MUG}]


@pytest.mark.asyncio
async def test_a_get_of_an_event_source_subscribes(stack: Stack) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        sent = client.stream("GET", stack.url, params={"query": BIDS}, headers={"accept": SSE})
        async with sent as response:
            await stack.auction.followed_by(1)
            stack.auction.finish()
            assert sse_results((await response.aread()).decode()) == [None]


@pytest.mark.asyncio
async def test_errors_of_an_invalid_operation_come_in_the_stream(stack: Stack) -> None:
    """graphql-sse asks for that: a browser tells nothing of a stream that is refused by status."""
    async with streaming(stack, SSE, "subscription { nothing }") as response:
        assert response.status_code == 200
        result, end = sse_results((await response.aread()).decode())
        assert isinstance(result, dict)
        assert result["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert end is None


@pytest.mark.asyncio
async def test_a_query_may_be_answered_as_a_stream_of_one(stack: Stack) -> None:
    async with streaming(stack, SSE, "{ highest }") as response:
        assert sse_results((await response.aread()).decode()) == [{"data": {"highest": 100}}, None]
    async with streaming(stack, "multipart/mixed;subscriptionSpec=1.0", "{ highest }") as response:
        assert parts((await response.aread()).decode()) == [{"payload": {"data": {"highest": 100}}}]
    async with streaming(stack, MULTIPART, "{ highest }") as response:
        assert (await response.aread()) == b'{"data":{"highest":100}}'


@pytest.mark.asyncio
async def test_a_client_that_takes_no_stream_is_told_what_to_accept(stack: Stack) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        response = await client.post(stack.url, json={"query": BIDS}, headers={"accept": "application/json"})
        assert (response.status_code, codes(response)) == (200, ["SUBSCRIPTIONS_NOT_SUPPORTED"])
        headers = {"accept": "multipart/mixed"}
        response = await client.post(stack.url, json={"query": BIDS}, headers=headers)
        assert (response.status_code, codes(response)) == (406, ["NOT_ACCEPTABLE"])
    assert stack.auction.begun == 0


@pytest.mark.asyncio
async def test_a_client_that_goes_away_ends_it_at_the_subgraph(stack: Stack) -> None:
    for accept in (SSE, MULTIPART):
        async with streaming(stack, accept):
            await stack.auction.followed_by(1)
        await stack.auction.followed_by(0)
        await until(lambda: stack.service.subscriptions.count == 0)


@pytest.mark.asyncio
async def test_a_quiet_stream_beats() -> None:
    settings = SubscriptionSettings(heartbeat_s=0.02)
    async with live_stack(RouterConfig(subscriptions=settings)) as stack:
        for accept, beat in ((SSE, ":\n\n:\n\n"), (MULTIPART, "\r\n\r\n{}\r\n--graphql")):
            async with streaming(stack, accept) as response, asyncio.timeout(10):
                text = ""
                async for chunk in response.aiter_text():
                    text += chunk
                    if beat in text:
                        break
                assert beat in text


@pytest.mark.asyncio
async def test_at_the_end_of_the_router_streams_end_so_that_clients_come_again(stack: Stack) -> None:
    async with streaming(stack, SSE) as events, streaming(stack, MULTIPART) as multipart:
        await until(lambda: stack.service.subscriptions.count == 2)
        stack.app.end_streams()
        assert sse_results((await events.aread()).decode()) == []
        told = parts((await multipart.aread()).decode())
        message = "The router is shutting down. Subscribe again."
        assert told == [{"payload": None, "errors": [{"message": message, "extensions": {"code": "SHUTTING_DOWN"}}]}]
    async with streaming(stack, SSE) as response:
        refused, _ = sse_results((await response.aread()).decode())
        assert isinstance(refused, dict)
        assert refused["errors"][0]["extensions"]["code"] == "SHUTTING_DOWN"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (b"text/event-stream", ServerSentEvents),
        (b'multipart/mixed;subscriptionSpec="1.0", application/json', MultipartSubscription),
        (b"multipart/mixed; SubscriptionSpec=1.0, text/event-stream", MultipartSubscription),
        (b"multipart/mixed;subscriptionSpec=1.0;q=0.5, text/event-stream", ServerSentEvents),
        (b"multipart/mixed;deferSpec=20220824", None),
        (b"multipart/mixed", None),
        (b"text/event-stream;q=0", None),
        (b"*/*", None),
        (b"", None),
    ],
)
def test_the_form_that_the_client_prefers_is_chosen(accept: bytes, form: type | None) -> None:
    assert type(choose_stream(accept)) is (form or type(None))
