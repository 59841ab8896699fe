"""What one replica writes is told by another to those who watch it: orders and shipments (stock: inventory's tests)."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from subgraphs.chassis.clock import utc_now
from subgraphs.chassis.command import load_service
from subgraphs.demo import demo_shop
from tests.services import running_service
from tests.subgraphs.replicas import next_event, replica

SHOP = demo_shop(utc_now())
STAFF = "staff_grace"
WATCH_ORDER = "subscription ($id: ID!) { watched: orderUpdated(id: $id) { id status } }"
CANCEL = 'mutation ($id: ID!) { cancelOrder(id: $id, reason: "Changed my mind") { userErrors { code } } }'
WATCH_SHIPMENT = "subscription ($id: ID!) { watched: shipmentUpdated(id: $id) { id status } }"
DISPATCH = """
mutation ($id: ID!) { dispatchShipment(shipmentId: $id, idempotencyKey: "key-1") { userErrors { code } } }
"""
ORDER = next(order.id for order in SHOP.orders if order.status == "CONFIRMED")
SHIPMENT = next(each.id for order in SHOP.orders for each in order.shipments if each.status == "BOOKED")


@pytest.mark.parametrize(
    ("service", "watch", "change", "id_", "statuses"),
    [
        ("orders", WATCH_ORDER, CANCEL, ORDER, ["CONFIRMED", "CANCELLED"]),
        ("shipping", WATCH_SHIPMENT, DISPATCH, SHIPMENT, ["BOOKED", "IN_TRANSIT"]),
    ],
)
@pytest.mark.asyncio
async def test_what_one_replica_changes_is_seen_at_the_other(
    environment: dict[str, str], service: str, watch: str, change: str, id_: str, statuses: list[str]
) -> None:
    async with AsyncExitStack() as resources:
        seeded = environment | {"SEED_DEMO": "1"}
        writer = await resources.enter_async_context(running_service(load_service(service), seeded))
        reader = await resources.enter_async_context(replica(service, environment))
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {reader.token(STAFF)}"}
        request = {"query": watch, "variables": {"id": id_}}
        response = await resources.enter_async_context(
            reader.http.stream("POST", "/graphql", json=request, headers=headers)
        )
        lines = response.aiter_lines()
        assert (await next_event(lines))["data"] == {"watched": {"id": id_, "status": statuses[0]}}
        changed = await writer.data(change, STAFF, id=id_)
        assert [each["userErrors"] for each in changed.values()] == [[]]
        assert (await next_event(lines))["data"] == {"watched": {"id": id_, "status": statuses[1]}}
