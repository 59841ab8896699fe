"""Answers in parts over WebSocket (graphql-transport-ws): a ``next`` for each payload, then ``complete``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from router.server.config import DeferSettings, RouterConfig
from tests.execution.scripted import ScriptedSubgraphs
from tests.server.deferred.test_defer import router_over, scripted
from tests.server.subscriptions.live import Client, serve, socket_of, until

QUERY = '{ product { name ... @defer(label: "cost") { price } } }'
COMPLETE = {"id": "1", "type": "complete"}


@asynccontextmanager
async def connected(
    subgraphs: ScriptedSubgraphs, payload: object = None, config: RouterConfig | None = None
) -> AsyncIterator[Client]:
    """A client of a router over ``subgraphs``."""
    router = await serve(router_over(subgraphs, config))
    try:
        async with socket_of(router, payload) as client:
            yield client
    finally:
        await router.stop()


def next_(payload: dict[str, Any], id_: str = "1") -> dict[str, Any]:
    return {"id": id_, "type": "next", "payload": payload}


@pytest.mark.asyncio
async def test_each_part_is_a_message_that_waits_for_no_later_one() -> None:
    subgraphs = scripted()
    prices = subgraphs.gate("prices")
    async with connected(subgraphs) as client:
        await client.subscribe(QUERY)
        pending = [{"id": "0", "path": ["product"], "label": "cost"}]
        assert await client.receive() == next_(
            {"data": {"product": {"name": "Mug"}}, "pending": pending, "hasNext": True}
        )
        prices.set()
        delivered = [{"id": "0", "data": {"price": 5}}]
        assert await client.receive() == next_({"incremental": delivered, "completed": [{"id": "0"}], "hasNext": False})
        assert await client.receive() == COMPLETE


@pytest.mark.asyncio
async def test_payload_of_the_beginning_asks_for_the_form_of_2022() -> None:
    async with connected(scripted(), {"accept": "multipart/mixed;deferSpec=20220824"}) as client:
        await client.subscribe(QUERY)
        assert await client.receive() == next_({"data": {"product": {"name": "Mug"}}, "hasNext": True})
        delivered = [{"path": ["product"], "label": "cost", "data": {"price": 5}}]
        assert await client.receive() == next_({"incremental": delivered, "hasNext": False})
        assert await client.receive() == COMPLETE


@pytest.mark.asyncio
@pytest.mark.parametrize("turned_off_by", ["client", "setting"])
async def test_nothing_is_deferred_where_it_is_turned_off(turned_off_by: str) -> None:
    payload = {"accept": "application/json"} if turned_off_by == "client" else None
    config = RouterConfig(defer=DeferSettings(enabled=turned_off_by != "setting"))
    async with connected(scripted(), payload, config) as client:
        await client.subscribe(QUERY)
        assert await client.receive() == next_({"data": {"product": {"name": "Mug", "price": 5}}})
        assert await client.receive() == COMPLETE


@pytest.mark.asyncio
async def test_another_operation_is_answered_between_the_parts() -> None:
    subgraphs = scripted()
    prices = subgraphs.gate("prices")
    async with connected(subgraphs) as client:
        await client.subscribe(QUERY)
        assert (await client.receive())["payload"]["hasNext"] is True
        await client.subscribe("{ product { name } }", id_="2")
        assert await client.receive() == next_({"data": {"product": {"name": "Mug"}}}, id_="2")
        assert await client.receive() == {"id": "2", "type": "complete"}
        prices.set()
        assert (await client.receive())["payload"]["hasNext"] is False
        assert await client.receive() == COMPLETE


@pytest.mark.asyncio
async def test_a_client_that_completes_cancels_what_is_still_fetched_and_may_use_the_id_again() -> None:
    subgraphs = scripted()
    subgraphs.gate("prices")
    async with connected(subgraphs) as client:
        await client.subscribe(QUERY)
        assert (await client.receive())["payload"]["hasNext"] is True
        await subgraphs.until_asked("prices")
        await client.send(**COMPLETE)
        await until(lambda: subgraphs.cancelled == ["prices"])
        await client.subscribe("{ product { name } }")
        assert await client.receive() == next_({"data": {"product": {"name": "Mug"}}})
        assert await client.receive() == COMPLETE


@pytest.mark.asyncio
async def test_a_client_that_goes_away_cancels_what_is_still_fetched() -> None:
    subgraphs = scripted()
    subgraphs.gate("prices")
    async with connected(subgraphs) as client:
        await client.subscribe(QUERY)
        await client.receive()
        await subgraphs.until_asked("prices")
        await client.connection.close()
        await until(lambda: subgraphs.cancelled == ["prices"])
