"""The front-end's main question: orders with their payment, stock and shipping, in one query."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.mall import Json, RunningMall, await_condition

pytestmark = [pytest.mark.xdist_group("mall"), pytest.mark.timeout(300)]
ORDERS = (Path(__file__).parent.parent / "contract" / "operations" / "orders.graphql").read_text()


def order_nodes(response: Json) -> list[Json]:
    return [edge["node"] for edge in response["data"]["orders"]["edges"]]


def test_ten_orders_come_with_payment_stock_and_shipping(mall: RunningMall) -> None:
    response = mall.ask(ORDERS, "staff")
    assert "errors" not in response
    nodes = order_nodes(response)
    assert len(nodes) == 10
    assert all(node["payment"]["status"] for node in nodes)
    assert all(line["product"]["stock"]["status"] for node in nodes for line in node["lines"])
    assert any(node["shipment"] for node in nodes)


def test_it_takes_four_fetches_two_deep(mall: RunningMall) -> None:
    response = mall.client.post(mall.url("router", "/plan"), json={"query": ORDERS}).json()
    fetches = response["json"]["fetches"]
    assert sorted(fetch["subgraph"] for fetch in fetches) == ["inventory", "orders", "payments", "shipping"]
    root = next(fetch for fetch in fetches if fetch["subgraph"] == "orders")
    assert [fetch["dependsOn"] for fetch in fetches if fetch is not root] == [[root["id"]]] * 3


def test_a_closed_shop_costs_its_own_fields_and_nothing_else(mall: RunningMall) -> None:
    whole = order_nodes(mall.ask(ORDERS, "staff"))
    payments = mall.listener("payments")
    payments.send_signal(signal.SIGKILL)
    payments.wait(10)
    response = mall.ask(ORDERS, "staff")
    assert [node | {"payment": None} for node in whole] == order_nodes(response)
    assert [error["path"] for error in response["errors"]] == [
        ["orders", "edges", index, "node", "payment"] for index in range(10)
    ]
    assert {error["extensions"]["code"] for error in response["errors"]} == {"SUBGRAPH_REQUEST_FAILED"}
    again = await_condition(lambda: _without_errors(mall), 60, "the return of payments")
    assert order_nodes(again) == whole
    assert "payments was killed by signal 9; starting it again" in mall.log.read_text()


def _without_errors(mall: RunningMall) -> Json | None:
    response = mall.ask(ORDERS, "staff")
    return None if "errors" in response else response


def test_a_customer_sees_their_own_orders_alone(mall: RunningMall) -> None:
    query = "{ me { id } orders(first: 50) { edges { node { id customer { id } } } } }"
    data = mall.data(query, "customer")
    assert data["me"]["id"] == "cus_ada"
    assert {edge["node"]["customer"]["id"] for edge in data["orders"]["edges"]} == {"cus_ada"}


def test_nobody_sees_orders_without_a_token(mall: RunningMall) -> None:
    response = mall.ask("{ orders(first: 1) { edges { node { id } } } }")
    assert response["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert response["data"] is None or response["data"]["orders"] is None
