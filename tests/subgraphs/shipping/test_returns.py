"""Returns: fetched by the carrier, moved by the clock, and told of once, when they are back."""

from __future__ import annotations

import pytest

from subgraphs.shipping.carrier import Pace, SandboxCarrier
from subgraphs.shipping.domain import (
    Parcel,
    ParcelLine,
    ReturnRequest,
    ShipmentReturned,
    ShipmentStatus,
    ShippingError,
)
from subgraphs.shipping.service import OrderUnknownError, Shipping
from tests.subgraphs.shipping.examples import NOW, MovableClock, a_shipment, seen
from tests.subgraphs.shipping.memory_store import MemoryStore

pytestmark = pytest.mark.asyncio

LAMP_BACK = ReturnRequest("ord_1", "ret_9", (("LMP-001", 1),))
BACK = Parcel(None, (ParcelLine("LMP-001", 1, 1200),), return_id="ret_9")


async def test_a_return_goes_all_the_way_back() -> None:
    store, clock = MemoryStore(), MovableClock()
    shipping = Shipping(store, SandboxCarrier(clock, Pace(10, 20, 30, 40)), clock)
    await store.add(a_shipment(ShipmentStatus.DELIVERED))
    for cause in ("event-1", "event-1", "event-2"):
        await shipping.open_return(LAMP_BACK, cause)
    for rest_s in (10, 20, 30, 40):
        clock.pass_s(rest_s)
        await shipping.advance_due()
    assert len(store.kept) == 2
    assert [(event.sighting.status.value, event.sighting.location) for event in store.kept["shp_9"].events] == [
        ("BOOKED", "London"),
        ("IN_TRANSIT", "London"),
        ("IN_TRANSIT", "Sorting centre"),
        ("RETURNED", "Warehouse"),
    ]
    arrived = store.kept["shp_9"].events[-1].sighting.at
    assert store.told == [ShipmentReturned("ord_1", "shp_9", BACK, arrived)]
    assert store.kept["shp_9"].due_at is None


async def test_a_return_of_an_order_that_is_not_known_has_to_come_again() -> None:
    clock = MovableClock()
    store = MemoryStore()
    with pytest.raises(OrderUnknownError, match=r"^The parcels of ord_1 are not known yet\.$"):
        await Shipping(store, SandboxCarrier(clock), clock).open_return(LAMP_BACK, "event-1")
    assert store.kept == {}


async def test_a_return_is_not_stopped_by_a_cancellation() -> None:
    store, clock = MemoryStore(), MovableClock()
    shipping = Shipping(store, SandboxCarrier(clock), clock)
    await store.add(a_shipment(ShipmentStatus.DELIVERED))
    await shipping.open_return(LAMP_BACK, "event-1")
    await shipping.cancel_order("ord_1", "event-2")
    assert store.kept["shp_9"].status is ShipmentStatus.BOOKED
    assert not store.kept["shp_9"].cancel_requested


async def test_a_return_is_never_delivered() -> None:
    store, clock = MemoryStore(), MovableClock()
    shipping = Shipping(store, SandboxCarrier(clock), clock)
    await store.add(a_shipment(ShipmentStatus.DELIVERED))
    await shipping.open_return(LAMP_BACK, "event-1")
    await shipping.record_sighting("shp_9", seen(ShipmentStatus.IN_TRANSIT, "key-1"))
    with pytest.raises(ShippingError, match=r"^A shipment that is IN_TRANSIT cannot become DELIVERED\.$"):
        await shipping.record_sighting("shp_9", seen(ShipmentStatus.DELIVERED, "key-2"))
    await shipping.record_sighting("shp_9", seen(ShipmentStatus.RETURNED, "key-3"))
    assert store.told == [ShipmentReturned("ord_1", "shp_9", BACK, NOW)]
