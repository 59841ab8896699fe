"""Operations over WebSocket are seen as requests over HTTP are; each event has a trace of its own below the router."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.types import ASGIApp, Receive, Scope, Send

from router.server.config import RouterConfig
from tests.chassis.collector import Collector, running_collector
from tests.mall import await_condition
from tests.server.observation.traced import SAMPLED, SENDER, TRACE, attributes, spans_of
from tests.server.subscriptions.live import BIDS, Stack, live_stack, streaming, until

STAGES = {"graphql.parse", "graphql.validate", "graphql.plan", "graphql.execute", "graphql.project"}
QUERY = "query Name { product { name } }"


class Listening:
    """``app``, and the headers of what it was sent over HTTP."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.heard: list[dict[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.heard.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await self._app(scope, receive, send)


@asynccontextmanager
async def traced_stack(collector: Collector, **telemetry: Any) -> AsyncIterator[tuple[Stack, Listening]]:
    """A stack whose router sends spans to the collector, and what its catalog hears."""
    tracing = {"endpoint": collector.endpoint, **telemetry}
    config = RouterConfig.model_validate({"telemetry": {"tracing": tracing, "access_log": True}})
    async with live_stack(config) as stack:
        served = stack.subgraphs["catalog"].server.config
        listening = Listening(served.loaded_app)
        served.loaded_app = listening
        yield stack, listening
        closing = stack.app._serving.spans.close() if stack.app._serving.spans is not None else None
        assert closing is not None
        await asyncio.to_thread(closing.join)


async def spans(collector: Collector, trace: str, count: int) -> dict[str, Span]:
    return await asyncio.to_thread(spans_of, collector, trace, count)


def traceparent_of(heard: dict[str, str]) -> list[str]:
    return heard["traceparent"].split("-")


@pytest.mark.asyncio
async def test_a_query_over_websocket_is_a_trace_with_its_stages_and_fetches() -> None:
    with running_collector() as collector:
        async with traced_stack(collector) as (stack, catalog):
            async with stack.socket() as client:
                await client.subscribe(QUERY, extensions={"traceparent": SAMPLED})
                assert (await client.receive())["payload"] == {"data": {"product": {"name": "Mug"}}}
                assert (await client.receive())["type"] == "complete"
            told = await spans(collector, TRACE, 7)
    assert told.keys() == STAGES | {"WEBSOCKET /graphql", "fetch catalog"}
    operation, fetch = told["WEBSOCKET /graphql"], told["fetch catalog"]
    assert (operation.kind, operation.parent_span_id.hex()) == (Span.SPAN_KIND_SERVER, SENDER)
    seen = attributes(operation)
    seen.pop("galleria.request_id")
    assert seen == {
        "network.protocol.name": "websocket",
        "url.path": "/graphql",
        "graphql.operation.type": "query",
        "graphql.operation.name": "Name",
    }
    assert fetch.parent_span_id == told["graphql.execute"].span_id
    assert traceparent_of(catalog.heard[-1]) == ["00", TRACE, fetch.span_id.hex(), "01"]


@pytest.mark.asyncio
async def test_operations_of_one_connection_are_traces_of_their_own_named_in_errors_and_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "galleria.access")
    with running_collector() as collector:
        async with traced_stack(collector) as (stack, _):
            async with stack.socket({"apollographql-client-name": "till"}) as client:
                errors = []
                for id_ in ("1", "2"):
                    await client.subscribe("{ nothing }", id_)
                    errors += (await client.receive())["payload"]
                await client.subscribe(QUERY, "3")
                result = await client.receive()
                await client.receive()
            await until(lambda: len(access_lines(caplog)) == 3)
    traces = [error["extensions"]["traceId"] for error in errors]
    assert len(set(traces)) == 2
    lines = access_lines(caplog)
    assert [line["trace"] for line in lines[:2]] == traces
    assert [(line["method"], line["status"], line["client"]) for line in lines] == [
        ("WEBSOCKET", 400, "till"),
        ("WEBSOCKET", 400, "till"),
        ("WEBSOCKET", 200, "till"),
    ]
    assert [line["bytes"] for line in lines] == [0, 0, len(json.dumps(result["payload"], separators=(",", ":")))]


@pytest.mark.asyncio
async def test_each_event_is_a_trace_that_is_linked_to_the_subscription() -> None:
    with running_collector() as collector:
        async with traced_stack(collector) as (stack, catalog):
            async with stack.socket() as client:
                query = BIDS.replace("subscription", "subscription Bids")
                await client.subscribe(query, extensions={"traceparent": SAMPLED})
                await stack.auction.followed_by(1)
                for amount in (10, 20):
                    stack.auction.bid(amount)
                    await client.receive()
                stack.auction.finish()
                await client.receive()
            subscription = (await spans(collector, TRACE, 4))["WEBSOCKET /graphql"]
            await asyncio.to_thread(await_condition, lambda: len(named(collector, "graphql.event")) == 2, 15, "events")
        events, fetches = named(collector, "graphql.event"), named(collector, "fetch catalog")
    assert attributes(subscription)["graphql.operation.type"] == "subscription"
    assert len({event.trace_id for event in events} | {subscription.trace_id}) == 3
    for event, fetch, heard in zip(events, fetches, catalog.heard[-2:], strict=True):
        [link] = event.links
        assert (link.trace_id, link.span_id) == (subscription.trace_id, subscription.span_id)
        assert (event.kind, event.parent_span_id) == (Span.SPAN_KIND_CONSUMER, b"")
        assert attributes(event)["graphql.operation.name"] == "Bids"
        assert attributes(event)["galleria.request_id"] == attributes(subscription)["galleria.request_id"]
        assert (fetch.trace_id, fetch.parent_span_id) == (event.trace_id, event.span_id)
        assert traceparent_of(heard) == ["00", event.trace_id.hex(), fetch.span_id.hex(), "01"]


@pytest.mark.asyncio
@pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"])
async def test_an_error_in_an_event_names_the_events_trace(accept: str) -> None:
    with running_collector() as collector:
        async with traced_stack(collector) as (stack, _):
            async with streaming(stack, accept, headers={"traceparent": SAMPLED}) as response:
                await stack.auction.followed_by(1)
                stack.auction.bid(10, "9")  # The catalog knows no such product, and fails.
                said = ""
                async for text in response.aiter_text():
                    said += text
                    if "traceId" in said:
                        break
            await asyncio.to_thread(await_condition, lambda: named(collector, "graphql.event"), 15, "the event")
        [event] = named(collector, "graphql.event")
    assert f'"traceId":"{event.trace_id.hex()}"' in said
    assert event.trace_id.hex() != TRACE
    assert attributes(event)["galleria.errors"] == 1


@pytest.mark.asyncio
async def test_events_that_are_not_sampled_send_no_span_and_tell_the_subgraph_so() -> None:
    with running_collector() as collector:
        async with traced_stack(collector, ratio=0) as (stack, catalog), stack.socket() as client:
            # The first is sampled, as its sender says, so that there is something to close.
            await client.subscribe(QUERY, "0", extensions={"traceparent": SAMPLED})
            await client.receive()
            await client.receive()
            await client.subscribe()
            await stack.auction.followed_by(1)
            stack.auction.bid(10)
            await client.receive()
            assert traceparent_of(catalog.heard[-1])[3] == "00"
            stack.auction.finish()
            await client.receive()
    assert named(collector, "graphql.event") == []


@pytest.mark.asyncio
async def test_a_router_that_observes_nothing_notes_nothing_of_operations_and_events() -> None:
    async with live_stack() as stack:
        assert stack.service.observed is None
        assert stack.app._subscriptions._watch.observed is None


def named(collector: Collector, name: str) -> list[Span]:
    found = [span for _, span in collector.spans if span.name == name]
    return sorted(found, key=lambda span: span.start_time_unix_nano)


def access_lines(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == "galleria.access"]
