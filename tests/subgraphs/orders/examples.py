"""Small orders, products and requests that the tests vary."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from subgraphs.orders.checkout import LineRequest, OrderRequest
from subgraphs.orders.domain import Address, Money, Order, OrderLine, Product, StatusChange
from subgraphs.orders.order_life import OrderStatus, Stage

NOW = datetime(2026, 3, 14, 15, 9, 26, 535_000, tzinfo=UTC)
ADDRESS = Address("Ada Lovelace", "12 St James's Square", None, "London", "SW1Y 4JH", "GB")
MUG = Product("MUG-001", "Mug", Money(1250), 400, active=True)
LAMP = Product("LMP-001", "Desk lamp", Money(8900), 2100, active=True)
OLD_POT = Product("POT-009", "Old pot", Money(1900), 900, active=False)
ANVIL = Product("ANV-001", "Anvil", Money(9900), 30_001, active=True)


def an_order(**changes: Any) -> Order:
    values: dict[str, Any] = {
        "id": "ord_1",
        "number": "G-2026-7K3F9Q",
        "customer_id": "cus_ada",
        "stage": Stage.PLACED,
        "lines": (OrderLine("MUG-001", 2, Money(1250), 400),),
        "shipping_fee": Money(990),
        "shipping_address": ADDRESS,
        "placed_at": NOW,
        "updated_at": NOW,
        "history": (StatusChange(None, OrderStatus.PENDING, NOW, "Order placed."),),
        "fingerprint": "f" * 32,
    }
    return Order(**{**values, **changes})


def a_request(**changes: Any) -> OrderRequest:
    values: dict[str, Any] = {
        "lines": (LineRequest("MUG-001", 2),),
        "shipping_address": ADDRESS,
        "payment_token": "tok_approved",
        "idempotency_key": "key-1",
    }
    return OrderRequest(**{**values, **changes})
