"""Lost subgraphs are told, connected again, and given up only after a while; errors cost the event they are in."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from router.server.config import RouterConfig, SubgraphSettings, SubgraphSubscriptionSettings, SubscriptionSettings
from router.server.subscriptions.subscriber import Subscriber
from tests.execution.event_subgraphs import Stream, sse_subgraph
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.server.subscriptions.live import BIDS, Stack, auction_app, live_stack, serve
from tests.server.subscriptions.test_sharing import AMOUNTS, subscribe


async def result(client: Subscriber) -> Any:
    """The next result, which must come."""
    body = await client.next()
    assert body is not None
    return json.loads(body)


async def ending_codes(client: Subscriber) -> list[object]:
    """The codes of the errors that a subscription ends with."""
    assert await client.next() is None
    assert client.ending is not None
    return [error["extensions"]["code"] for error in client.ending.errors]  # type: ignore[index]


@pytest.mark.asyncio
async def test_a_lost_subgraph_is_told_and_followed_again_when_it_is_back(stack: Stack) -> None:
    client = await subscribe(stack)
    await stack.auction.followed_by(1)
    lost = stack.subgraphs["auction"]
    await lost.stop()
    assert await result(client) == {
        "errors": [
            {
                "message": "Subgraph 'auction' closed the WebSocket of the subscription. "
                "Events are missed until it is back; the subscription goes on then.",
                "extensions": {"code": "SUBGRAPH_REQUEST_FAILED", "service": "auction"},
            }
        ],
        "data": None,
    }
    stack.auction.followers.clear()
    back = await serve(auction_app(stack.auction)[1], lost.port)
    await stack.auction.followed_by(1)
    stack.auction.bid(9)
    assert await result(client) == {"data": {"bids": {"amount": 9}}}
    client.close()
    await stack.auction.followed_by(0)
    await back.stop()


@pytest.mark.asyncio
async def test_a_subgraph_that_stays_lost_is_given_up() -> None:
    settings = SubscriptionSettings(reconnect_timeout_s=0)
    async with live_stack(RouterConfig(subscriptions=settings)) as stack:
        client = await subscribe(stack)
        await stack.auction.followed_by(1)
        await stack.subgraphs["auction"].stop()
        assert await ending_codes(client) == ["SUBGRAPH_REQUEST_FAILED"]
        client.close()


@pytest.mark.asyncio
async def test_a_subgraph_that_is_not_there_at_the_beginning_ends_it(stack: Stack) -> None:
    await stack.subgraphs["auction"].stop()
    client = await subscribe(stack)
    assert await ending_codes(client) == ["SUBGRAPH_REQUEST_FAILED"]
    client.close()


@pytest.mark.asyncio
async def test_events_may_come_from_another_address() -> None:
    subscriptions = {"auction": SubgraphSubscriptionSettings(url="ws://127.0.0.1:9/graphql")}
    async with live_stack(RouterConfig(subgraphs=SubgraphSettings(subscriptions=subscriptions))) as stack:
        client = await subscribe(stack)
        assert await ending_codes(client) == ["SUBGRAPH_REQUEST_FAILED"]
        assert stack.auction.begun == 0
        client.close()


@pytest.mark.asyncio
async def test_a_subgraph_may_send_its_events_over_http() -> None:
    async def tell(stream: Stream) -> None:
        await stream.result('{"data":{"bids":{"amount":3}}}')
        await stream.complete()

    async with sse_subgraph(tell, asyncio.Event()) as subgraph:
        subscriptions = {"auction": SubgraphSubscriptionSettings(protocol="sse", url=subgraph.url)}
        async with live_stack(RouterConfig(subgraphs=SubgraphSettings(subscriptions=subscriptions))) as stack:
            client = await subscribe(stack)
            assert await result(client) == {"data": {"bids": {"amount": 3}}}
            assert await ending_codes(client) == []
            client.close()


@pytest.mark.asyncio
async def test_an_error_of_the_subgraph_is_told_with_its_service_and_an_id(stack: Stack) -> None:
    client = await subscribe(stack)
    await stack.auction.followed_by(1)
    stack.auction.fail("the hammer is broken")
    told = await result(client)
    assert told["errors"][0]["message"].startswith("Subgraph 'auction' reported an error.")
    assert told["errors"][0]["extensions"]["service"] == "auction"
    client.close()


@pytest.mark.asyncio
async def test_a_subgraph_that_only_joins_in_costs_its_own_fields(stack: Stack) -> None:
    client = await subscribe(stack, BIDS.replace("name", "name __typename"))
    await stack.auction.followed_by(1)
    await stack.subgraphs["catalog"].stop()
    stack.auction.bid(1)
    told = await result(client)
    assert [(error["path"], error["extensions"]["code"]) for error in told["errors"]] == [
        (["bids", "product", "name"], "SUBGRAPH_REQUEST_FAILED")
    ]
    client.close()


@pytest.mark.asyncio
async def test_clients_who_share_hear_of_a_loss_alike(stack: Stack) -> None:
    clients = [await subscribe(stack, AMOUNTS) for _ in range(2)]
    await stack.auction.followed_by(1)
    await stack.subgraphs["auction"].stop()
    for client in clients:
        assert (await result(client))["errors"][0]["extensions"]["code"] == "SUBGRAPH_REQUEST_FAILED"
        client.close()


def by_events_of(url: str, reconnect_timeout_s: float) -> RouterConfig:
    """Settings by which the bids come from ``url`` as server-sent events."""
    return RouterConfig(
        subgraphs=SubgraphSettings(subscriptions={"auction": SubgraphSubscriptionSettings(protocol="sse", url=url)}),
        subscriptions=SubscriptionSettings(reconnect_timeout_s=reconnect_timeout_s),
    )


@pytest.mark.asyncio
async def test_a_subgraph_that_opens_a_stream_and_breaks_it_off_again_and_again_is_given_up() -> None:
    """What brings no event is no recovery: the loss is told once, and the time until it is given up goes on."""

    async def tell(stream: Stream) -> None:
        await stream.break_off()

    async with (
        sse_subgraph(tell, asyncio.Event()) as subgraph,
        live_stack(by_events_of(subgraph.url, 0.1)) as stack,
        asyncio.timeout(10),
    ):
        client = await subscribe(stack)
        assert "goes on then" in (await result(client))["errors"][0]["message"]
        assert await ending_codes(client) == ["SUBGRAPH_REQUEST_FAILED"]
        client.close()
    assert len(subgraph.asked.bodies) == 2


UNAVAILABLE = ok(b"<html>", b"content-type: text/html").replace(b"200 OK", b"503 Service Unavailable")
ONE_BID = b'event: next\ndata: {"data":{"bids":{"amount":3}}}\n\n'


@pytest.mark.asyncio
async def test_a_proxy_that_answers_for_a_lost_subgraph_is_no_connection_to_it() -> None:
    async def talk(exchange: Exchange) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream\r\nconnection: close\r\n\r\n"
        await exchange.write(UNAVAILABLE if is_lost.is_set() else head + ONE_BID)
        is_lost.set()
        exchange.close()

    is_lost = asyncio.Event()

    async with raw_server(talk) as server, live_stack(by_events_of(server.url, 0.1)) as stack, asyncio.timeout(10):
        client = await subscribe(stack)
        assert await result(client) == {"data": {"bids": {"amount": 3}}}
        assert "goes on then" in (await result(client))["errors"][0]["message"]
        assert await ending_codes(client) == ["SUBGRAPH_REQUEST_FAILED"]
        client.close()


@pytest.mark.asyncio
async def test_a_subgraph_that_answers_with_a_page_from_the_first_is_not_tried_again() -> None:
    async def talk(exchange: Exchange) -> None:
        await exchange.write(UNAVAILABLE)

    async with raw_server(talk) as server, live_stack(by_events_of(server.url, 300.0)) as stack, asyncio.timeout(10):
        client = await subscribe(stack)
        assert await ending_codes(client) == ["SUBGRAPH_REQUEST_FAILED"]
        client.close()
