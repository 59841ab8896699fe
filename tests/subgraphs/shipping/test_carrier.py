"""The sandbox carrier moves parcels along by the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from subgraphs.shipping.carrier import Pace, SandboxCarrier
from subgraphs.shipping.domain import Shipment, ShipmentStatus, TrackingEvent
from subgraphs.shipping.journey import book, observe
from tests.subgraphs.shipping.examples import NOW, ORDER, MovableClock, an_order, new_shipment

pytestmark = pytest.mark.asyncio
PACE = Pace(10, 20, 30, 40)


async def booked(carrier: SandboxCarrier) -> Shipment:
    pending = new_shipment(ORDER, NOW)
    return book(pending, await carrier.book(pending), NOW).shipment


async def track(carrier: SandboxCarrier, shipment: Shipment, clock: MovableClock) -> Shipment:
    tracking = await carrier.track(shipment)
    seen = [TrackingEvent(sighting) for sighting in tracking.sightings]
    return observe(shipment, seen, tracking.next_check_at, clock()).shipment


async def test_a_booking_is_the_same_when_it_is_repeated() -> None:
    carrier = SandboxCarrier(MovableClock(), PACE)
    first = await carrier.book(new_shipment(ORDER, NOW))
    assert await carrier.book(new_shipment(ORDER, NOW)) == first
    assert (first.carrier, first.tracking_number[:2]) == ("Kestrel Parcel", "KP")
    assert first.estimated_delivery == NOW + timedelta(days=6)
    assert first.next_check_at == NOW + timedelta(seconds=10)


async def test_tracking_numbers_cannot_be_guessed_from_one_another() -> None:
    carrier = SandboxCarrier(MovableClock(), PACE)
    numbers = {(await carrier.book(new_shipment(an_order(n), NOW))).tracking_number for n in range(100)}
    assert len(numbers) == 100
    assert all(len(number) == 18 for number in numbers)


async def test_a_parcel_rests_as_long_as_the_pace_says() -> None:
    clock = MovableClock()
    carrier = SandboxCarrier(clock, PACE)
    shipment = await booked(carrier)
    clock.pass_s(9)
    assert (await track(carrier, shipment, clock)).due_at == NOW + timedelta(seconds=10)
    assert (await track(carrier, shipment, clock)).status is ShipmentStatus.BOOKED


async def test_a_parcel_goes_all_the_way() -> None:
    clock = MovableClock()
    carrier = SandboxCarrier(clock, PACE)
    shipment = await booked(carrier)
    for rest_s, due_in_s in ((10, 20), (20, 30), (30, 40), (40, None)):
        clock.pass_s(rest_s)
        shipment = await track(carrier, shipment, clock)
        assert shipment.due_at == (None if due_in_s is None else clock() + timedelta(seconds=due_in_s))
    assert [(event.sighting.status, event.sighting.location) for event in shipment.events] == [
        (ShipmentStatus.BOOKED, "Warehouse"),
        (ShipmentStatus.IN_TRANSIT, "Warehouse"),
        (ShipmentStatus.IN_TRANSIT, "Sorting centre"),
        (ShipmentStatus.OUT_FOR_DELIVERY, "London"),
        (ShipmentStatus.DELIVERED, "London"),
    ]
    assert (await carrier.track(shipment)).next_check_at is None


async def test_a_parcel_that_was_forgotten_for_a_year_moves_one_step_at_a_time() -> None:
    clock = MovableClock()
    carrier = SandboxCarrier(clock, PACE)
    shipment = await booked(carrier)
    clock.pass_s(365 * 86_400)
    assert [sighting.status for sighting in (await carrier.track(shipment)).sightings] == [ShipmentStatus.IN_TRANSIT]
