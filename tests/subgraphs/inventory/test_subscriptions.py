"""stockChanged: what one replica writes, a client of another one sees, over WebSocket and server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from subgraphs.inventory.app import service
from tests.services import DEADLINE_S, ServiceClient, running_service
from tests.subgraphs.replicas import next_event, replica

PROTOCOL = Subprotocol("graphql-transport-ws")
WATCH = 'subscription { stockChanged(productIds: ["MUG-001"]) { id stock { available } } }'
CREATE = """mutation { createProduct(input: {id: "MUG-001", name: "Mug", category: "Tea", price: {amount: "12.50"},
 weightGrams: 350}) { userErrors { code } } }"""
ADJUST = """mutation($delta: Int!, $key: String!) { adjustStock(input: {productId: "MUG-001", warehouse: "BER",
 delta: $delta, reason: "delivery", idempotencyKey: $key}) { userErrors { code } } }"""


@asynccontextmanager
async def two_replicas(environment: dict[str, str]) -> AsyncIterator[tuple[ServiceClient, ServiceClient]]:
    """Two replicas over one database, this process and another one, with a product of which there are none."""
    async with running_service(service, environment) as here, replica("inventory", environment) as elsewhere:
        await here.data(CREATE, "staff_grace")
        yield here, elsewhere


async def receive(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(DEADLINE_S):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


@asynccontextmanager
async def socket_of(client: ServiceClient, token: str | None) -> AsyncIterator[ClientConnection]:
    """A connection that is initialised with ``token``."""
    url = str(client.http.base_url).replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=[PROTOCOL], proxy=None) as socket:
        payload = {"authorization": f"Bearer {token}"} if token else {}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        yield socket


def available(message: dict[str, Any]) -> int:
    count: int = message["data"]["stockChanged"]["stock"]["available"]
    return count


@pytest.mark.asyncio
async def test_stock_that_one_replica_changes_is_seen_at_the_other(environment: dict[str, str]) -> None:
    async with two_replicas(environment) as (writer, reader):
        await over_a_socket(writer, reader)
        await over_server_sent_events(writer, reader)
        await tokens_are_verified(reader)


async def over_a_socket(writer: ServiceClient, reader: ServiceClient) -> None:
    async with socket_of(reader, None) as socket:
        assert await receive(socket) == {"type": "connection_ack"}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": WATCH}}))
        first = await receive(socket)
        assert (first["type"], available(first["payload"])) == ("next", 0)
        await writer.data(ADJUST, "staff_grace", delta=5, key="key-1")
        assert available((await receive(socket))["payload"]) == 5
        await socket.send(json.dumps({"id": "2", "type": "subscribe", "payload": {"query": "{ nothing }"}}))
        refused = await receive(socket)
        assert refused["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def over_server_sent_events(writer: ServiceClient, reader: ServiceClient) -> None:
    headers = {"accept": "text/event-stream"}
    async with reader.http.stream("POST", "/graphql", json={"query": WATCH}, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        assert available(await next_event(lines)) == 5
        await writer.data(ADJUST, "staff_grace", delta=-2, key="key-2")
        assert available(await next_event(lines)) == 3


async def tokens_are_verified(reader: ServiceClient) -> None:
    async with socket_of(reader, reader.token("cus_ada")) as socket:
        assert await receive(socket) == {"type": "connection_ack"}
    async with socket_of(reader, "forged") as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket)
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 4403


@pytest.mark.asyncio
async def test_an_open_subscription_does_not_hold_up_the_end(environment: dict[str, str]) -> None:
    """The replica ends with code 0 while the socket is open; the subscription is completed first."""
    async with AsyncExitStack() as resources:
        async with replica("inventory", environment) as client:
            socket = await resources.enter_async_context(socket_of(client, None))
            assert (await receive(socket))["type"] == "connection_ack"
            await client.data(CREATE, "staff_grace")
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": WATCH}}))
            assert (await receive(socket))["type"] == "next"
        assert (await receive(socket)) == {"id": "1", "type": "complete"}
