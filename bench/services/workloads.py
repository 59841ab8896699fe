"""The hottest query and mutation of each service, over the demo shop.

Query: what the router asks most, in a batch of the size of a page. Mutation: what every order needs of the service; it
gets another key each time. Recommendations has none: its writes are the orders that it learns, as events.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from subgraphs.demo import DemoShop, demo_shop

PAGE = 20
CUSTOMER, STAFF = "customer", "staff"


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests of one kind; ``role`` None is anonymous. ``bodies`` may end."""

    service: str
    name: str
    role: str | None
    bodies: Callable[[], Iterator[bytes]]


def workloads() -> tuple[Workload, ...]:
    """All of them, for the demo shop of this hour."""
    shop = demo_shop(datetime.now(UTC))
    return (
        Workload("inventory", "query: 20 products by id", None, lambda: _products(shop, _STOCK)),
        Workload("inventory", "mutation: adjustStock", STAFF, lambda: _adjustments(shop)),
        Workload("orders", "query: a page of 20 orders", STAFF, lambda: itertools.repeat(_body(_ORDERS))),
        Workload("orders", "mutation: placeOrder", CUSTOMER, lambda: _placements(shop)),
        Workload("payments", "query: payments of 20 orders", STAFF, lambda: _orders(shop, _PAYMENT)),
        Workload("payments", "mutation: refundPayment", STAFF, lambda: _refunds(shop)),
        Workload("shipping", "query: shipments of 20 orders", STAFF, lambda: _orders(shop, _SHIPMENTS)),
        Workload("shipping", "mutation: recordTrackingEvent", STAFF, lambda: _sightings(shop)),
        Workload("recommendations", "query: boughtTogether of 1 product", None, lambda: _products(shop, _TOGETHER, 1)),
        Workload("recommendations", "query: boughtTogether of 20", None, lambda: _products(shop, _TOGETHER)),
    )


_STOCK = "... on Product { id name price { amount currencyCode } stock { available status } }"
_TOGETHER = "... on Product { boughtTogether(first: 5) { id } }"
_PAYMENT = "... on Order { payment { id status amount { amount currencyCode } transactions { kind at } } }"
_SHIPMENTS = "... on Order { shipments { id status trackingNumber events { status at } } }"
_ORDERS = """{
  orders(first: 20) {
    edges { node { id number status total { amount currencyCode } lines { quantity product { id } } } }
    pageInfo { hasNextPage endCursor }
  }
}"""
_ADJUST = """mutation ($id: ID!, $key: String!) {
  adjustStock(input: {productId: $id, warehouse: "BER", delta: 1, reason: "Delivery", idempotencyKey: $key}) {
    product { id } userErrors { code message }
  }
}"""
_PLACE = """mutation ($lines: [OrderLineInput!]!, $key: String!) {
  placeOrder(
    input: {
      lines: $lines
      shippingAddress: {name: "Ada", line1: "1 Main St", city: "Berlin", postalCode: "10115", countryCode: "DE"}
      paymentMethod: {token: "tok_approved"}
      idempotencyKey: $key
    }
  ) { order { id total { amount } } userErrors { code message } }
}"""
_REFUND = """mutation ($id: ID!, $key: String!) {
  refundPayment(paymentId: $id, amount: {amount: "0.01"}, reason: "Goodwill", idempotencyKey: $key) {
    payment { id } userErrors { code message }
  }
}"""
_SEE = """mutation ($id: ID!, $key: String!) {
  recordTrackingEvent(
    input: {shipmentId: $id, status: IN_TRANSIT, location: "Leipzig", description: "Sorted", idempotencyKey: $key}
  ) { shipment { id } userErrors { code message } }
}"""


def _body(query: str, **variables: object) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


def _entities(type_name: str, ids: Sequence[str], selection: str, size: int) -> Iterator[bytes]:
    query = f"query ($r: [_Any!]!) {{ _entities(representations: $r) {{ {selection} }} }}"
    pages = [ids[start : start + size] for start in range(0, len(ids) - size + 1, size)]
    bodies = [_body(query, r=[{"__typename": type_name, "id": id_} for id_ in page]) for page in pages]
    return itertools.cycle(bodies)


def _products(shop: DemoShop, selection: str, size: int = PAGE) -> Iterator[bytes]:
    return _entities("Product", [product.id for product in shop.products], selection, size)


def _orders(shop: DemoShop, selection: str) -> Iterator[bytes]:
    return _entities("Order", [order.id for order in shop.orders if order.confirmed_at], selection, PAGE)


def _each_again(ids: Sequence[str], mutation: str) -> Iterator[bytes]:
    return (_body(mutation, id=id_, key=uuid4().hex) for id_ in itertools.cycle(ids))


def _adjustments(shop: DemoShop) -> Iterator[bytes]:
    return _each_again([product.id for product in shop.products], _ADJUST)


def _placements(shop: DemoShop) -> Iterator[bytes]:
    baskets: list[list[dict[str, Any]]] = [
        [{"productId": line.product_id, "quantity": 1} for line in order.lines]
        for order in shop.orders[-100:]
        if order.confirmed_at
    ]
    sold = {product.id for product in shop.products if product.active}
    usable = [basket for basket in baskets if all(line["productId"] in sold for line in basket)]
    return (_body(_PLACE, lines=basket, key=uuid4().hex) for basket in itertools.cycle(usable))


def _refunds(shop: DemoShop) -> Iterator[bytes]:
    captured = [order.payment.id for order in shop.orders if order.payment.status == "CAPTURED"]
    return _each_again(captured, _REFUND)


def _sightings(shop: DemoShop) -> Iterator[bytes]:
    moving = [each.id for order in shop.orders for each in order.shipments if each.status == "IN_TRANSIT"]
    return _each_again(moving, _SEE)
