"""One click is one trace: in the router's log and in those of services that it set to work, by fetch or by event."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.e2e.test_place_order import PLACE_ORDER, order_input, product_in_stock
from tests.mall import Json, RunningMall, await_condition

pytestmark = [pytest.mark.xdist_group("mall"), pytest.mark.timeout(300)]
STOCK = "query ($id: ID!) { product(id: $id) { stock { available } } }"


def ask(mall: RunningMall, query: str, request_id: str, **variables: object) -> Json:
    """The data of an answer to a customer whose request has an id; the answer names it again."""
    headers = {"authorization": f"Bearer {mall.token('customer')}", "x-request-id": request_id}
    response = mall.client.post(mall.url("router"), json={"query": query, "variables": variables}, headers=headers)
    assert response.headers["x-request-id"] == request_id
    data: Json = response.json()["data"]
    return data


def log_lines(mall: RunningMall, process: str, **wanted: str) -> list[Json]:
    """The lines of JSON in the log of ``process`` (the supervisor puts its name before) with these values."""
    lines = (line.partition("| ") for line in mall.log.read_text().splitlines())
    texts = [text for name, _, text in lines if name.split()[-1:] == [process] and text.startswith("{")]
    return [line for line in map(json.loads, texts) if wanted.items() <= line.items()]


def trace_of(mall: RunningMall, request_id: str) -> str:
    """The trace that the router's one line of the request names."""
    (line,) = await_condition(lambda: log_lines(mall, "router", request=request_id), what="the router's log line")
    trace: str = line["trace"]
    assert line["status"] == 200
    return trace


def test_a_query_has_one_id_and_one_trace_in_the_logs_of_router_and_service(mall: RunningMall) -> None:
    request_id, product_id = f"req-{uuid.uuid4()}", product_in_stock(mall)
    assert ask(mall, STOCK, request_id, id=product_id)["product"]["stock"]
    trace = trace_of(mall, request_id)
    (answered,) = await_condition(lambda: log_lines(mall, "inventory", request=request_id), what="the service's line")
    assert (answered["event"], answered["trace"], answered["status"]) == ("answered", trace, 200)
    assert not log_lines(mall, "orders", request=request_id)


def test_an_order_is_one_trace_over_the_services_that_its_events_reach(mall: RunningMall) -> None:
    request_id, placed = f"req-{uuid.uuid4()}", order_input(product_in_stock(mall))
    assert ask(mall, PLACE_ORDER, request_id, input=placed)["placeOrder"]["order"]
    trace = trace_of(mall, request_id)
    handled = {"inventory": "order.placed", "payments": "inventory.reserved", "shipping": "order.confirmed"}
    for service, event_type in handled.items():
        await_handled(mall, service, event_type, trace)


def await_handled(mall: RunningMall, service: str, event_type: str, trace: str) -> None:
    def handled() -> list[Json]:
        return log_lines(mall, service, event="event_handled", event_type=event_type, trace=trace)

    await_condition(handled, what=f"{event_type} at {service} in the trace of the order")
