"""Inventory among the others: real database, real NATS."""

from __future__ import annotations

import pytest

from subgraphs.inventory.app import service
from tests.services import bus_of, event, published, running_service

ORDER = {"orderId": "ord_1", "customerId": "cus_ada", "lines": [{"productId": "COF-001", "quantity": 2}]}


@pytest.mark.asyncio
async def test_a_placed_order_is_reserved(environment: dict[str, str]) -> None:
    async with running_service(service, {**environment, "SEED_DEMO": "1"}), bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("order.placed", "ord_1", ORDER))
        ((type_, data),) = await published(bus, ["inventory.reserved", "inventory.rejected"], 1)
    assert type_ == "inventory.reserved"
    assert data == {
        "orderId": "ord_1",
        "reservationId": "res_1",
        "lines": [{"productId": "COF-001", "quantity": 2, "allocations": [{"warehouse": "BER", "quantity": 2}]}],
    }
