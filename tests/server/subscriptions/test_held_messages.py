"""What the messages of all WebSockets may hold together, from when they are whole until nobody needs them any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from router import Subgraph, compose
from router.execution.subgraph_client import Headers
from router.server.access.caller import Caller
from router.server.app import RouterApp, create_app
from router.server.config import RouterConfig
from router.server.connections.websocket_protocol import BoundedWebSocketProtocol
from router.server.graphs.graph import open_graph
from router.server.observation.operations import ObservedOperations
from router.server.request_error import RequestError
from router.server.shedding.overload import Overload
from router.server.subscriptions.websocket import WebSocketEndpoint
from router.supergraph.read import read_supergraph
from tests.execution.raw_server import Exchange, RawServer, raw_server
from tests.server.subscriptions.live import BIDS, Client, Served, live_stack, serve, socket_of, until

SLOW = "query($text: String) { slow(text: $text) }"
ROOM = 500_000
CONFIG = RouterConfig.model_validate({"traffic": {"shedding": {"max_body_bytes": ROOM}}})


async def hang(_: Exchange) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def hanging_subgraph() -> AsyncIterator[tuple[RouterApp, Served, RawServer]]:
    """The router over a subgraph that takes requests and never answers."""
    async with AsyncExitStack() as resources:
        subgraph = await resources.enter_async_context(raw_server(hang))
        sdl = "type Query { slow(text: String): String }"
        supergraph = compose([Subgraph("slow", subgraph.url, sdl)]).supergraph_sdl
        assert supergraph is not None
        app = create_app(CONFIG, open_graph(read_supergraph(supergraph), CONFIG))
        router = await serve(app, ws=partial(BoundedWebSocketProtocol, app.overload))
        resources.push_async_callback(router.stop)
        resources.push_async_callback(app.service.served_graph().client.close)
        yield app, router, subgraph


async def ask(client: Client, id_: str, size: int) -> None:
    await client.subscribe(SLOW, id_=id_, variables={"text": id_ + "x" * size})


@pytest.mark.asyncio
async def test_small_messages_of_operations_beyond_the_room_are_refused_and_tiny_ones_are_not() -> None:
    async with hanging_subgraph() as (app, router, subgraph), socket_of(router) as first, socket_of(router) as second:
        for number in range(12):
            await ask(first if number % 2 else second, str(number), 40_000)
        await until(lambda: len(subgraph.exchanges) == 12)
        await ask(first, "over", 40_000)
        refused = await first.receive()
        assert (refused["id"], refused["payload"][0]["extensions"]["code"]) == ("over", "OVERLOADED")
        assert (len(subgraph.exchanges), app.overload.refused) == (12, 1)
        await ask(first, "tiny", 100)
        await until(lambda: len(subgraph.exchanges) == 13)
        for number in range(12):
            await (first if number % 2 else second).send(type="complete", id=str(number))
        await until(lambda: app.overload.small_body_bytes == 0)
        await ask(second, "later", 40_000)
        await until(lambda: len(subgraph.exchanges) == 14)


@pytest.mark.asyncio
async def test_a_large_message_beyond_the_room_closes_its_connection_while_it_comes() -> None:
    async with hanging_subgraph() as (app, router, subgraph), socket_of(router) as first, socket_of(router) as second:
        for asked in (1, 2):
            await ask(first, str(asked), 200_000)
            await until(lambda asked=asked: len(subgraph.exchanges) == asked)  # type: ignore[misc]
        assert 400_000 <= app.overload.body_bytes <= ROOM
        await ask(second, "over", 200_000)
        assert (await second.closed_with(), len(subgraph.exchanges)) == (1013, 2)
        for id_ in ("1", "2"):
            await first.send(type="complete", id=id_)
        await until(lambda: app.overload.body_bytes == 0)


@pytest.mark.asyncio
async def test_the_end_of_a_connection_leaves_the_room_of_its_operations() -> None:
    async with hanging_subgraph() as (app, router, subgraph):
        async with socket_of(router) as client:
            await ask(client, "1", 200_000)
            await until(lambda: len(subgraph.exchanges) == 1)
            assert app.overload.body_bytes > 200_000
        await until(lambda: app.overload.body_bytes == 0)


@pytest.mark.asyncio
async def test_a_subscription_keeps_nothing_of_its_message_that_it_does_not_need() -> None:
    async with live_stack(CONFIG) as stack, stack.socket() as client:
        for number in range(10):
            await client.subscribe(BIDS, id_=str(number), variables={"undeclared": "x" * 200_000})
            await until(lambda count=number + 1: stack.service.subscriptions.count == count)  # type: ignore[misc]
        assert stack.app.overload.body_bytes == 0
        [shared] = stack.service.subscriptions._shared
        assert (shared.request.variables, stack.service.subscriptions.held_bytes) == ({}, 0)


@pytest.mark.asyncio
async def test_a_subscription_holds_the_bytes_of_its_document_and_of_its_variables() -> None:
    document = "subscription ($minimum: Int) { bids(minimum: $minimum) { amount } } # " + "é" * 5000
    async with live_stack(CONFIG) as stack, stack.socket() as client:
        await client.subscribe(document, variables={"minimum": 1000})
        await stack.auction.followed_by(1)
        assert stack.service.subscriptions.held_bytes == len(document) + 5000 + len('{"minimum":1000}')


@pytest.mark.asyncio
async def test_documents_and_variables_of_subscriptions_have_a_room_of_their_own() -> None:
    def document(number: int) -> str:
        return f"subscription {{ bids {{ amount }} }} # {number} " + "x" * 240_000

    async with live_stack(CONFIG) as stack, stack.socket() as client:
        for number in (1, 2, 1, 2, 1):  # who shares one holds nothing more
            await client.subscribe(document(number), id_=str(stack.service.subscriptions.count))
            await until(lambda before=stack.service.subscriptions.count: stack.service.subscriptions.count > before)  # type: ignore[misc]
        await client.subscribe(document(3), id_="over")
        refused = await client.receive()
        assert (refused["id"], refused["payload"][0]["extensions"]["code"]) == ("over", "SUBSCRIPTION_LIMIT")
        for id_ in ("0", "2", "4"):
            await client.send(type="complete", id=id_)
        await until(lambda: stack.service.subscriptions.count == 2)
        await client.subscribe(document(3), id_="later")
        await until(lambda: stack.service.subscriptions.count == 3)


@pytest.mark.asyncio
async def test_messages_that_nobody_takes_close_their_connection_beyond_the_room() -> None:
    goes_on = asyncio.Event()

    async def accept_and_wait(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
        await goes_on.wait()
        while (await receive())["type"] != "websocket.disconnect":
            pass

    overload = Overload(create_app(CONFIG).overload.policy)
    router = await serve(accept_and_wait, ws=partial(BoundedWebSocketProtocol, overload))
    async with AsyncExitStack() as resources:
        resources.push_async_callback(router.stop)
        clients = [await resources.enter_async_context(socket_of(router, acknowledged=False)) for _ in range(3)]
        for number, client in enumerate(clients[:2]):
            await client.send(text="x" * 200_000)
            await until(lambda held=200_000 * (number + 1): overload.body_bytes >= held)  # type: ignore[misc]
        await clients[2].send(text="x" * 200_000)
        assert await clients[2].closed_with() == 1013
        assert 400_000 <= overload.body_bytes <= ROOM
        goes_on.set()
        await until(lambda: overload.body_bytes == 0)


@dataclass(slots=True)
class Slow:
    """Takes its time to find out that nobody may ask."""

    found_out: asyncio.Event = field(default_factory=asyncio.Event)

    async def caller(self, scope: Scope, propagated: Headers, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
        await self.found_out.wait()
        raise RequestError(401, "UNAUTHENTICATED", "Not you.")


@pytest.mark.asyncio
async def test_beginnings_that_wait_to_know_who_asks_are_held_within_the_room() -> None:
    app, identity = create_app(CONFIG), Slow()
    endpoint = WebSocketEndpoint(CONFIG, lambda: app.service, identity, app.overload)
    router = await serve(endpoint, ws=partial(BoundedWebSocketProtocol, app.overload))
    async with AsyncExitStack() as resources:
        resources.push_async_callback(router.stop)
        clients = [await resources.enter_async_context(socket_of(router, acknowledged=False)) for _ in range(3)]
        opening: dict[str, Any] = {"type": "connection_init", "payload": {"x": "x" * 200_000}}
        for number, client in enumerate(clients[:2]):
            await client.send(**opening)
            await until(lambda held=200_000 * (number + 1): app.overload.body_bytes >= held)  # type: ignore[misc]
        await clients[2].send(**opening)
        assert await clients[2].closed_with() == 1013
        identity.found_out.set()
        assert [await client.closed_with() for client in clients[:2]] == [4403, 4403]
        assert app.overload.body_bytes == 0


@pytest.mark.asyncio
async def test_headers_in_the_payload_are_no_larger_than_a_head_may_be() -> None:
    async with live_stack() as stack, stack.socket(acknowledged=False) as client:
        await client.send(type="connection_init", payload={"headers": {"authorization": "x" * 40_000}})
        assert await client.closed_with() == 4400
        assert client.connection.close_reason == "The payload holds headers of more than 32768 bytes"


def test_of_a_trace_in_the_extensions_no_more_is_kept_than_who_traces_writes() -> None:
    observed = ObservedOperations(())
    extensions = {"traceparent": "00-1", "tracestate": "x" * 1001, "x-request-id": "y" * 1000}
    exchange = observed.begin({"type": "websocket", "headers": []}, {"extensions": extensions})
    assert exchange.scope["headers"] == [(b"traceparent", b"00-1"), (b"x-request-id", b"y" * 1000)]
