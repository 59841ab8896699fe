"""What the five services really publish, from the first order to the last return, is what their schemas say.

All five run here on a real database and a real NATS, with one clock that the test moves; what is on the stream at the
end is held against the schemas, and every type that is promised must have been seen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from subgraphs.chassis.clock import utc_now
from subgraphs.chassis.command import load_service, service_names
from subgraphs.chassis.events.bus import Bus
from subgraphs.chassis.events.event import Event, to_cloud_event
from tests.contract.event_schemas import Json, event_schemas, problems
from tests.services import ServiceClient, bus_of, eventually, running_service

SCHEMAS = event_schemas()
DISPATCH_AFTER_S, RESERVATION_TTL_S = 300, 600
SETTINGS = {
    "SHIPPING_DISPATCH_AFTER_S": str(DISPATCH_AFTER_S),
    "SHIPPING_HUB_AFTER_S": "0",
    "SHIPPING_OUT_FOR_DELIVERY_AFTER_S": "0",
    "SHIPPING_DELIVERY_AFTER_S": "0",
    "INVENTORY_RESERVATION_TTL_S": str(RESERVATION_TTL_S),
}
CREATE = """
mutation ($id: ID!) {
  createProduct(input: {id: $id, name: "Mug", category: "Mugs", price: {amount: "12.50"}, weightGrams: 300}) {
    userErrors { code }
  }
}
"""
STOCK = """
mutation ($id: ID!) {
  adjustStock(input: {productId: $id, warehouse: "BER", delta: 50, reason: "Delivery", idempotencyKey: "first"}) {
    userErrors { code }
  }
}
"""
PLACE = """
mutation ($product: ID!, $quantity: Int!, $token: String!, $key: String!) {
  placeOrder(
    input: {
      lines: [{productId: $product, quantity: $quantity}]
      shippingAddress: {name: "Ada", line1: "1 Main St", city: "Berlin", postalCode: "10115", countryCode: "DE"}
      paymentMethod: {token: $token}
      idempotencyKey: $key
    }
  ) { order { id } userErrors { code message } }
}
"""
CANCEL = 'mutation ($id: ID!) { cancelOrder(id: $id, reason: "Changed my mind") { userErrors { code } } }'
RETURN = """
mutation ($id: ID!, $key: String!) {
  returnOrder(orderId: $id, reason: "Too small", idempotencyKey: $key) { userErrors { code message } }
}
"""
STATUS = "query ($id: ID!) { order(id: $id) { status } }"
PARCELS = """
query ($id: ID!) {
  _entities(representations: [{__typename: "Order", id: $id}]) { ... on Order { shipments { direction status } } }
}
"""


class Clock:
    """The time, and as much more as the test has let pass."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self._ahead

    def pass_s(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


class Mall:
    """The five services, asked as Ada."""

    def __init__(self, clients: Mapping[str, ServiceClient], clock: Clock) -> None:
        self.clock = clock
        self._orders = clients["orders"]
        self._inventory = clients["inventory"]
        self._shipping = clients["shipping"]

    async def stock(self, product: str) -> None:
        for mutation in (CREATE, STOCK):
            (payload,) = (await self._inventory.data(mutation, "staff_grace", id=product)).values()
            assert payload["userErrors"] == []

    async def place(self, product: str, quantity: int = 1, token: str = "tok_approved") -> str:
        """A new order, once orders has heard of the product."""

        async def attempt() -> str | None:
            variables = {"product": product, "quantity": quantity, "token": token, "key": uuid4().hex}
            placed = (await self._orders.data(PLACE, "cus_ada", **variables))["placeOrder"]
            return placed["order"]["id"] if placed["order"] else None

        return await eventually(attempt, f"an order of {product}")

    async def cancel(self, order_id: str) -> None:
        assert (await self._orders.data(CANCEL, "cus_ada", id=order_id))["cancelOrder"]["userErrors"] == []

    async def send_back(self, order_id: str) -> None:
        returned = await self._orders.data(RETURN, "cus_ada", id=order_id, key=uuid4().hex)
        assert returned["returnOrder"]["userErrors"] == []

    async def await_status(self, order_id: str, status: str) -> None:
        async def attempt() -> bool:
            found: str = (await self._orders.data(STATUS, "cus_ada", id=order_id))["order"]["status"]
            return found == status

        await eventually(attempt, f"{order_id} {status}")

    async def await_parcel(self, order_id: str, direction: str, status: str) -> None:
        """Wait until the order has such a parcel."""

        async def attempt() -> bool:
            (order,) = (await self._shipping.data(PARCELS, "cus_ada", id=order_id))["_entities"]
            return {"direction": direction, "status": status} in order["shipments"]

        await eventually(attempt, f"{direction} {status} of {order_id}")


@asynccontextmanager
async def open_mall(new_mongodb_url: Callable[[], str], nats_url: str, data: Path) -> AsyncIterator[Mall]:
    """All services, each with a database of its own."""
    async with AsyncExitStack() as stack:
        clients, clock = {}, Clock()
        for name in service_names():
            environment = {
                **SETTINGS,
                "MONGODB_URL": new_mongodb_url(),
                "NATS_URL": nats_url,
                "GALLERIA_DATA": str(data),
            }
            clients[name] = await stack.enter_async_context(running_service(load_service(name), environment, clock))
        yield Mall(clients, clock)


async def live(mall: Mall) -> None:
    """Everything that can become of an order: see the statuses."""
    await mall.stock("MUG-001")
    waiting = await mall.place("MUG-001", token="tok_unreachable")
    sent = await mall.place("MUG-001", quantity=2)
    declined = await mall.place("MUG-001", token="tok_declined_expired_card")
    rejected = await mall.place("MUG-001", quantity=900)
    voided = await mall.place("MUG-001")
    for order_id in (voided, sent):
        await mall.await_status(order_id, "CONFIRMED")
    await mall.await_parcel(voided, "OUTBOUND", "BOOKED")
    await mall.cancel(voided)
    # Before time passes: what is dispatched is cancelled no more.
    await mall.await_parcel(voided, "OUTBOUND", "CANCELLED")
    for order_id in (declined, rejected):
        await mall.await_status(order_id, "CANCELLED")
    mall.clock.pass_s(RESERVATION_TTL_S)
    await mall.await_status(waiting, "CANCELLED")
    await mall.await_status(sent, "DELIVERED")
    await mall.send_back(sent)
    await mall.await_parcel(sent, "RETURN", "BOOKED")
    mall.clock.pass_s(DISPATCH_AFTER_S)


async def on_the_stream(bus: Bus) -> list[Event]:
    return [event async for _, event in bus.replay([">"])]


def seen(events: list[Event]) -> set[str]:
    return {event.type for event in events}


@pytest.mark.asyncio
async def test_all_that_is_published_is_as_promised_and_all_that_is_promised_is_published(
    new_mongodb_url: Callable[[], str], nats_url: str, tmp_path: Path
) -> None:
    async with open_mall(new_mongodb_url, nats_url, tmp_path) as mall, bus_of(nats_url) as bus:
        await live(mall)

        async def complete() -> bool:
            return seen(await on_the_stream(bus)) >= SCHEMAS.keys()

        try:
            await eventually(complete, "every promised event")
        except AssertionError:
            assert seen(await on_the_stream(bus)) == set(SCHEMAS)
            raise
        events = await on_the_stream(bus)
    assert seen(events) == set(SCHEMAS)
    found: dict[str, Json | list[str]] = {}
    for event in events:
        if wrong := problems(SCHEMAS[event.type][1], to_cloud_event(event)):
            found[event.type] = wrong
    assert found == {}
