"""An order goes through five services, by events, and is read through one graph."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.mall import Json, RunningMall, await_condition

pytestmark = [pytest.mark.xdist_group("mall"), pytest.mark.timeout(300)]
PLACE_ORDER = (Path(__file__).parent.parent / "contract" / "operations" / "place-order.graphql").read_text()
ORDER = """
query Order($id: ID!) {
  order(id: $id) {
    status history { to reason }
    payment { id status amount { amount } captured { amount } }
    shipment { id status trackingNumber }
    reservation { status lines { quantity product { id } } }
  }
}
"""
STOCK = "query ($id: ID!) { product(id: $id) { stock { available onHand reserved } } }"
ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postalCode": "SW1Y 4JH",
    "countryCode": "GB",
}


def order_input(product_id: str, quantity: int = 2, token: str = "tok_approved", key: str | None = None) -> Json:
    return {
        "lines": [{"productId": product_id, "quantity": quantity}],
        "shippingAddress": ADDRESS,
        "paymentMethod": {"token": token},
        "idempotencyKey": key or str(uuid.uuid4()),
    }


def place(mall: RunningMall, placed: Json) -> Json:
    payload: Json = mall.data(PLACE_ORDER, "customer", input=placed)["placeOrder"]
    return payload


def product_in_stock(mall: RunningMall, at_least: int = 10) -> str:
    edges = mall.data("{ products(first: 100, inStock: true) { edges { node { id stock { available } } } } }")
    nodes = [edge["node"] for edge in edges["products"]["edges"]]
    return str(next(node["id"] for node in nodes if node["stock"]["available"] >= at_least))


def read_order(mall: RunningMall, order_id: str) -> Json:
    order: Json = mall.data(ORDER, "customer", id=order_id)["order"]
    return order


def await_status(mall: RunningMall, order_id: str, status: str) -> Json:
    def reached() -> Json | None:
        order = read_order(mall, order_id)
        return order if order["status"] == status else None

    return await_condition(reached, 30, f"status {status}")


def test_an_order_is_confirmed_with_payment_reservation_and_shipment(mall: RunningMall) -> None:
    product = product_in_stock(mall)
    before = mall.data(STOCK, id=product)["product"]["stock"]
    payload = place(mall, order_input(product, quantity=2))
    assert payload["userErrors"] == []
    assert payload["order"]["status"] == "PENDING"
    order_id = payload["order"]["id"]
    await_status(mall, order_id, "CONFIRMED")
    order = await_condition(lambda: _booked(mall, order_id), 30, "the booked shipment")
    assert order["payment"]["status"] == "AUTHORIZED"
    assert order["reservation"] == {"status": "HELD", "lines": [{"quantity": 2, "product": {"id": product}}]}
    assert order["shipment"]["trackingNumber"]
    after = mall.data(STOCK, id=product)["product"]["stock"]
    assert after["reserved"] == before["reserved"] + 2
    assert after["available"] == before["available"] - 2
    assert after["onHand"] == before["onHand"]


def _booked(mall: RunningMall, order_id: str) -> Json | None:
    order = read_order(mall, order_id)
    return order if order["shipment"] and order["shipment"]["status"] == "BOOKED" else None


def test_a_declined_payment_cancels_the_order_and_releases_the_stock(mall: RunningMall) -> None:
    product = product_in_stock(mall)
    before = mall.data(STOCK, id=product)["product"]["stock"]
    order_id = place(mall, order_input(product, token="tok_declined_insufficient_funds"))["order"]["id"]
    order = await_status(mall, order_id, "CANCELLED")
    assert order["payment"]["status"] == "DECLINED"
    await_condition(lambda: mall.data(STOCK, id=product)["product"]["stock"] == before, 30, "the release of the stock")


def test_a_repeat_returns_the_first_order(mall: RunningMall) -> None:
    placed = order_input(product_in_stock(mall), key=str(uuid.uuid4()))
    first, second = place(mall, placed), place(mall, placed)
    assert first["order"]["id"] == second["order"]["id"]


def test_a_cancelled_order_holds_nothing(mall: RunningMall) -> None:
    product = product_in_stock(mall)
    order_id = place(mall, order_input(product))["order"]["id"]
    await_status(mall, order_id, "CONFIRMED")
    cancel = (Path(__file__).parent.parent / "contract" / "operations" / "cancel-order.graphql").read_text()
    payload = mall.data(cancel, "customer", id=order_id, reason="changed my mind")["cancelOrder"]
    assert payload["userErrors"] == []
    order = await_condition(lambda: _let_go(mall, order_id), 30, "the release of everything")
    assert order["payment"]["status"] == "VOIDED"
    assert mall.data(cancel, "customer", id=order_id, reason="changed my mind")["cancelOrder"] == payload


def _let_go(mall: RunningMall, order_id: str) -> Json | None:
    order = read_order(mall, order_id)
    free = order["reservation"]["status"] == "RELEASED" and order["payment"]["status"] == "VOIDED"
    shipped = order["shipment"] and order["shipment"]["status"] != "CANCELLED"
    return order if free and not shipped else None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lines": []}, "ORDER_EMPTY"),
        ({"lines": [{"productId": "NOPE-000", "quantity": 1}]}, "PRODUCT_UNKNOWN"),
        ({"quantity": 0}, "QUANTITY_INVALID"),
        ({"quantity": 10**9}, "QUANTITY_INVALID"),
        ({"paymentMethod": {"token": "4242 4242 4242 4242"}}, "PAYMENT_METHOD_INVALID"),
    ],
)
def test_a_wrong_order_is_refused_and_changes_nothing(mall: RunningMall, change: Json, code: str) -> None:
    placed = order_input(product_in_stock(mall))
    if "quantity" in change:
        placed["lines"][0]["quantity"] = change["quantity"]
    else:
        placed |= change
    count = "{ me { orders(first: 100) { edges { node { id } } } } }"
    before = mall.data(count, "customer")
    payload = place(mall, placed)
    assert payload["order"] is None
    assert [error["code"] for error in payload["userErrors"]] == [code]
    assert mall.data(count, "customer") == before
