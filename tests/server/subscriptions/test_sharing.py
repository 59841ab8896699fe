"""Equal subscriptions share one at the subgraph; limits hold; a slow client costs nobody else anything."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.types import Message, Scope

from router.errors import OperationError
from router.server.access.caller import Caller
from router.server.config import RouterConfig, SubscriptionSettings
from router.server.http.graphql_request import GraphQLRequest
from router.server.subscriptions.subscriber import Subscriber
from tests.server.subscriptions.live import BIDS, Stack, live_stack, until

AMOUNTS = "subscription { bids { amount } }"


async def subscribe(stack: Stack, query: str = AMOUNTS, authorization: bytes | None = None) -> Subscriber:
    """A client that reads only when a test says so."""
    request = GraphQLRequest(query)
    caller = Caller(((b"authorization", authorization),) if authorization is not None else ())
    graph, compiled = await stack.service.compiled_operation(request, caller)
    return stack.service.subscribe(graph, compiled, request, caller)


@pytest.mark.asyncio
async def test_equal_subscriptions_are_one_at_the_subgraph_until_the_last_client_leaves(stack: Stack) -> None:
    clients = [await subscribe(stack) for _ in range(3)]
    await stack.auction.followed_by(1)
    stack.auction.bid(7)
    assert [await client.next() for client in clients] == [b'{"data":{"bids":{"amount":7}}}'] * 3
    clients[0].close()
    clients[1].close()
    stack.auction.bid(8)
    assert await clients[2].next() == b'{"data":{"bids":{"amount":8}}}'
    clients[2].close()
    await stack.auction.followed_by(0)
    assert stack.auction.begun == 1


@pytest.mark.asyncio
async def test_at_the_end_of_the_router_the_subgraph_is_left_though_a_client_reads_nothing(stack: Stack) -> None:
    client = await subscribe(stack)
    await stack.auction.followed_by(1)
    stack.app.end_streams()
    await stack.auction.followed_by(0)
    client.close()


@pytest.mark.asyncio
async def test_other_documents_and_other_forwarded_headers_are_kept_apart(stack: Stack) -> None:
    clients = [
        await subscribe(stack),
        await subscribe(stack, BIDS),
        await subscribe(stack, authorization=b"Bearer a"),
        await subscribe(stack, authorization=b"Bearer b"),
        await subscribe(stack, authorization=b"Bearer a"),
    ]
    await stack.auction.followed_by(4)
    assert sorted(stack.auction.authorizations, key=str) == ["Bearer a", "Bearer b", None, None]
    for client in clients:
        client.close()


@pytest.mark.asyncio
async def test_nothing_is_shared_where_the_settings_say_so() -> None:
    async with live_stack(RouterConfig(subscriptions=SubscriptionSettings(share=False))) as stack:
        clients = [await subscribe(stack) for _ in range(2)]
        await stack.auction.followed_by(2)
        for client in clients:
            client.close()
        await stack.auction.followed_by(0)


@pytest.mark.asyncio
async def test_a_slow_client_is_closed_with_the_reason_and_others_go_on() -> None:
    settings = SubscriptionSettings(max_buffered_events=2)
    async with live_stack(RouterConfig(subscriptions=settings)) as stack:
        slow, quick = await subscribe(stack), await subscribe(stack)
        await stack.auction.followed_by(1)
        for amount in (1, 2, 3):
            stack.auction.bid(amount)
            assert await quick.next() == b'{"data":{"bids":{"amount":%d}}}' % amount
        assert await slow.next() is None
        assert slow.ending is not None
        assert slow.ending.errors == [
            {
                "message": "The subscription is closed: 2 results waited that were not read fast enough.",
                "extensions": {"code": "SUBSCRIPTION_TOO_SLOW"},
            }
        ]
        assert stack.service.subscriptions.count == 1
        stack.auction.bid(4)
        assert await quick.next() == b'{"data":{"bids":{"amount":4}}}'
        quick.close()


class Stalled:
    """A client at the router's ASGI interface whose connection takes results only when it is let."""

    def __init__(self, *received: Message) -> None:
        self.sent: list[bytes] = []
        self.is_stalled = asyncio.Event()
        self.flows = asyncio.Event()
        self._received = list(received)

    async def receive(self) -> Message:
        if self._received:
            return self._received.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        body = message.get("text", "").encode() or message.get("body", b"")
        if b"bids" in body:
            self.is_stalled.set()
            await self.flows.wait()
        self.sent.append(body)

    async def lag(self, stack: Stack, scope: Scope) -> bytes:
        """What is sent last, after more events than wait for this client."""
        answering = asyncio.create_task(stack.app(scope, self.receive, self.send))
        await stack.auction.followed_by(1)
        stack.auction.bid(0)
        # Before the others come: all at once they would be too many before the first is on its way.
        await asyncio.wait_for(self.is_stalled.wait(), 10)
        for amount in range(1, 10):
            stack.auction.bid(amount)
        await until(lambda: stack.service.subscriptions.count == 0)
        self.flows.set()
        await until(lambda: b"SUBSCRIPTION_TOO_SLOW" in b"".join(self.sent))
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        assert sum(b"bids" in sent for sent in self.sent) == 1
        return self.sent[-1]


def text(**message: object) -> Message:
    return {"type": "websocket.receive", "text": json.dumps(message)}


@pytest.mark.asyncio
async def test_a_websocket_that_is_not_read_is_ended_and_told_when_it_flows_again() -> None:
    async with live_stack(RouterConfig(subscriptions=SubscriptionSettings(max_buffered_events=2))) as stack:
        subscribe = text(type="subscribe", id="1", payload={"query": AMOUNTS})
        client = Stalled({"type": "websocket.connect"}, text(type="connection_init"), subscribe)
        scope = {"type": "websocket", "path": "/graphql", "headers": [], "subprotocols": ["graphql-transport-ws"]}
        assert json.loads(await client.lag(stack, scope))["type"] == "error"


@pytest.mark.asyncio
async def test_a_stream_that_is_not_read_is_ended_and_told_when_it_flows_again() -> None:
    async with live_stack(RouterConfig(subscriptions=SubscriptionSettings(max_buffered_events=2))) as stack:
        client = Stalled({"type": "http.request", "body": json.dumps({"query": AMOUNTS}).encode()})
        headers = [(b"content-type", b"application/json"), (b"accept", b"text/event-stream")]
        scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
        assert (await client.lag(stack, scope)).endswith(b"event: complete\ndata:\n\n")


@pytest.mark.asyncio
async def test_a_router_takes_only_so_many_subscriptions() -> None:
    async with live_stack(RouterConfig(subscriptions=SubscriptionSettings(max_total=2))) as stack:
        first, second = await subscribe(stack), await subscribe(stack)
        with pytest.raises(OperationError) as caught:
            await subscribe(stack)
        assert caught.value.code == "SUBSCRIPTION_LIMIT"
        first.close()
        third = await subscribe(stack)
        second.close()
        third.close()


@pytest.mark.asyncio
async def test_subscriptions_may_be_disabled() -> None:
    async with live_stack(RouterConfig(subscriptions=SubscriptionSettings(enabled=False))) as stack:
        with pytest.raises(OperationError) as caught:
            await subscribe(stack)
        assert caught.value.code == "SUBSCRIPTIONS_DISABLED"


@pytest.mark.asyncio
async def test_what_completed_is_begun_anew_by_the_next_client(stack: Stack) -> None:
    first = await subscribe(stack)
    await stack.auction.followed_by(1)
    stack.auction.finish()
    assert await first.next() is None
    second = await subscribe(stack)
    await stack.auction.followed_by(1)
    stack.auction.bid(5)
    assert await second.next() == b'{"data":{"bids":{"amount":5}}}'
    first.close()
    second.close()
