"""One order is one trace: spans of the router, of five services, of their databases and of their events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.chassis.collector import Collector, running_collector
from tests.e2e.test_place_order import PLACE_ORDER, order_input, product_in_stock
from tests.mall import RunningMall, await_condition, running_mall

pytestmark = [pytest.mark.xdist_group("traced mall"), pytest.mark.timeout(300)]
SERVICES = {"orders", "payments", "inventory", "shipping", "recommendations"}
TRACE, SENDER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Told(NamedTuple):
    """A span, and the service that told it."""

    service: str
    span: Span


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def traced_mall(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[RunningMall]:
    """A mall whose processes all send their spans to the collector."""
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with running_mall(tmp_path_factory.mktemp("traced"), **settings) as mall:
        yield mall


def of_the_trace(collector: Collector) -> list[Told]:
    return [Told(service, span) for service, span in list(collector.spans) if span.trace_id.hex() == TRACE]


def named(told: list[Told], service: str, name: str) -> list[Span]:
    return [span for whose, span in told if (whose, span.name) == (service, name)]


def test_an_order_is_one_trace_over_router_services_database_and_events(
    traced_mall: RunningMall, collector: Collector
) -> None:
    headers = {
        "authorization": f"Bearer {traced_mall.token('customer')}",
        "traceparent": f"00-{TRACE}-{SENDER}-01",
    }
    placed = {"query": PLACE_ORDER, "variables": {"input": order_input(product_in_stock(traced_mall))}}
    answer = traced_mall.client.post(traced_mall.url("router"), json=placed, headers=headers).json()
    assert answer["data"]["placeOrder"]["order"]

    def all_have_told() -> list[Told]:
        told = of_the_trace(collector)
        return told if {one.service for one in told} >= SERVICES | {"galleria-router"} else []

    await_condition(all_have_told, what="spans of every service")
    handled = {"inventory": "order.placed", "payments": "inventory.reserved", "shipping": "order.confirmed"}
    for service, event in handled.items():
        await_span(collector, service, f"handle {event}")
    await_condition(lambda: not without_parent(of_the_trace(collector)), what="the parent of every span")
    told = of_the_trace(collector)

    [request] = named(told, "galleria-router", "POST /graphql")
    assert request.parent_span_id.hex() == SENDER
    [fetch, *_] = [s for who, s in told if (who, s.name) == ("galleria-router", "fetch orders")]
    [resolved, *_] = named(told, "orders", "POST /graphql")
    assert resolved.parent_span_id in {s.span_id for who, s in told if s.name == "fetch orders"}
    assert fetch.parent_span_id in {s.span_id for s in named(told, "galleria-router", "graphql.execute")}
    # Each service writes to its database while it handles an event of the trace.
    for service in SERVICES:
        kinds = {span.kind for who, span in told if who == service and span.name.startswith("mongodb ")}
        assert kinds == {Span.SPAN_KIND_CLIENT}, service


def without_parent(told: list[Told]) -> list[Told]:
    """The spans whose parent nobody has told of: the trace is one tree below its sender."""
    known = {span.span_id for _, span in told} | {bytes.fromhex(SENDER)}
    return [one for one in told if one.span.parent_span_id not in known]


def await_span(collector: Collector, service: str, name: str) -> None:
    await_condition(lambda: named(of_the_trace(collector), service, name), what=f"{name} of {service}")
