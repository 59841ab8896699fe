"""A service that is told of a collector sends it spans over OTLP: requests under their sender, commands under them."""

from __future__ import annotations

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.chassis.collector import TRACES, Collector, running_collector
from tests.subgraphs.replicas import replica

TRACE, SENDER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STOCK = '{ product(id: "MUG-001") { id } }'


def of_the_trace(collector: Collector) -> list[Span]:
    """The spans of the request's trace, the earliest first; all of them are of the inventory."""
    spans = [(service, span) for service, span in collector.spans if span.trace_id.hex() == TRACE]
    assert {service for service, _ in spans} == {"inventory"}
    return sorted((span for _, span in spans), key=lambda span: span.start_time_unix_nano)


@pytest.mark.asyncio
async def test_a_request_and_its_commands_are_spans_at_the_collector(environment: dict[str, str]) -> None:
    with running_collector() as collector:
        told = {**environment, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
        async with replica("inventory", told) as client:
            headers = {"traceparent": f"00-{TRACE}-{SENDER}-01"}
            await client.http.post("/graphql", json={"query": STOCK}, headers=headers)
        request, *commands = of_the_trace(collector)
    assert set(collector.requests) == {TRACES}
    assert (request.kind, request.name) == (Span.SPAN_KIND_SERVER, "POST /graphql")
    assert request.parent_span_id.hex() == SENDER
    assert [(each.kind, each.name) for each in commands] == [(Span.SPAN_KIND_CLIENT, "mongodb find")]
    assert {each.parent_span_id for each in commands} == {request.span_id}
    assert request.start_time_unix_nano < commands[0].end_time_unix_nano <= request.end_time_unix_nano
    assert "MUG-001" not in str(collector.spans), "the spans hold values of the query"


@pytest.mark.asyncio
async def test_a_collector_that_is_gone_costs_neither_answer_nor_end(environment: dict[str, str]) -> None:
    with running_collector() as collector:
        endpoint = collector.endpoint
    gone = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    async with replica("inventory", environment | gone) as client:
        await client.data("{ __typename }")
    assert collector.spans == []
