"""``on_error`` hears of errors that come after an answer has begun: in parts, in events, and at the end of streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from router.server.config import RouterConfig
from tests.execution.scripted import ScriptedSubgraphs
from tests.server.deferred.test_defer import CURRENT, LEGACY, QUERY, catalog, payloads, router_over
from tests.server.plugins import trying
from tests.server.subscriptions.live import Stack, live_stack, streaming, until

SETTINGS = {"plugins": [{"use": "tests.server.plugins.trying:Noting"}]}


def errors() -> list[str]:
    return [one.removeprefix("error ") for one in trying.noted if one.startswith("error")]


@asynccontextmanager
async def heard_stack() -> AsyncIterator[Stack]:
    trying.noted.clear()
    async with live_stack(RouterConfig.model_validate(SETTINGS)) as stack:
        yield stack


@pytest.mark.asyncio
async def test_the_errors_of_an_event_are_heard_once() -> None:
    async with heard_stack() as stack, stack.socket() as client, stack.socket() as other:
        for one in (client, other):
            await one.subscribe()
        await stack.auction.followed_by(1)
        stack.auction.bid(10, "9")  # The catalog knows no such product, and fails.
        told: Any = (await client.receive())["payload"]["errors"]
        await other.receive()
        assert errors() == [error["message"] for error in told]


@pytest.mark.asyncio
async def test_the_end_of_a_subscription_by_an_error_is_heard_for_each_who_is_told() -> None:
    async with heard_stack() as stack, stack.socket() as client, stack.socket() as other:
        for one in (client, other):
            await one.subscribe()
        await stack.auction.followed_by(1)
        stack.app.end_streams()
        assert await client.closed_with() == 1012
        assert await other.closed_with() == 1012
        assert errors() == ["The router is shutting down. Subscribe again."] * 2


@pytest.mark.asyncio
@pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"])
async def test_the_end_of_a_stream_by_an_error_is_heard(accept: str) -> None:
    async with heard_stack() as stack:
        async with streaming(stack, accept) as response:
            await stack.auction.followed_by(1)
            stack.app.end_streams()
            async for _ in response.aiter_bytes():
                pass
        await until(lambda: errors() == ["The router is shutting down. Subscribe again."])


@pytest.mark.asyncio
async def test_a_subscription_that_completes_or_is_left_is_no_error() -> None:
    async with heard_stack() as stack:
        async with stack.socket() as client:
            await client.subscribe()
            await stack.auction.followed_by(1)
            stack.auction.finish()
            assert (await client.receive())["type"] == "complete"
            await client.subscribe()
            await stack.auction.followed_by(1)
        await stack.auction.followed_by(0)
        assert errors() == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("message", "code", "told"),
    [
        ({"type": "no"}, 4400, "There is no message of type 'no' (4400)"),
        ({"type": "connection_init"}, 4429, "Too many initialisation requests (4429)"),
    ],
)
async def test_a_violation_of_the_protocol_is_heard(message: dict[str, str], code: int, told: str) -> None:
    async with heard_stack() as stack, stack.socket() as client:
        await client.send(**message)
        assert await client.closed_with() == code
        assert errors() == [told]


@pytest.mark.asyncio
@pytest.mark.parametrize("form", [CURRENT, LEGACY])
async def test_the_errors_of_a_part_are_heard_and_name_the_trace(form: bytes) -> None:
    trying.noted.clear()
    subgraphs = ScriptedSubgraphs(
        catalog=catalog,
        prices={"data": {"_entities": [{"price": 5}]}},
        stock={"data": {"_entities": [None]}, "errors": [{"message": "no stock"}]},
    )
    config = RouterConfig.model_validate({**SETTINGS, "telemetry": {"trace_context": True}, "errors": {"mask": False}})
    parts = await payloads(router_over(subgraphs, config), QUERY, form)
    told = [error for part in parts for error in errors_within(part)]
    assert [error["message"] for error in told] == ["no stock"]
    assert all(len(error["extensions"]["traceId"]) == 32 for error in told)
    assert errors() == ["no stock"]


@pytest.mark.asyncio
@pytest.mark.parametrize("form", [CURRENT, LEGACY])
async def test_the_errors_of_the_first_part_are_heard_once(form: bytes) -> None:
    trying.noted.clear()
    nameless = {"id": "1", "name": None, "theId": "1"}
    subgraphs = ScriptedSubgraphs(
        catalog={"data": {"product": nameless}, "errors": [{"message": "no name", "path": ["product", "name"]}]},
        prices={"data": {"_entities": [{"price": 5}]}},
        stock={"data": {"_entities": [{"available": 3}]}},
    )
    config = RouterConfig.model_validate({**SETTINGS, "errors": {"mask": False}})
    first, *others = await payloads(router_over(subgraphs, config), QUERY, form)
    assert [error["message"] for error in first["errors"]] == ["no name"]
    assert others
    assert errors() == ["no name"]


def errors_within(payload: Any) -> list[Any]:
    """The errors of a payload in either form."""
    found: list[Any] = list(payload.get("errors", ()))
    for one in (*payload.get("incremental", ()), *payload.get("completed", ())):
        found += one.get("errors", ())
    return found


@pytest.mark.asyncio
async def test_the_head_of_an_answer_in_parts_is_seen_once() -> None:
    trying.noted.clear()
    subgraphs = ScriptedSubgraphs(
        catalog=catalog, prices={"data": {"_entities": [{"price": 5}]}}, stock={"data": {"_entities": [None]}}
    )
    assert len(await payloads(router_over(subgraphs, RouterConfig.model_validate(SETTINGS)), QUERY, CURRENT)) > 1
    assert [one for one in trying.noted if one.startswith("response")] == ["response 200"]
