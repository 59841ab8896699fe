"""The use cases over the store in memory: calls that fail, repeat and race, and parcels that arrive all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from subgraphs.shipping.carrier import CarrierUnavailableError, Pace, SandboxCarrier
from subgraphs.shipping.domain import (
    Booking,
    Shipment,
    ShipmentBooked,
    ShipmentCancelled,
    ShipmentDelivered,
    ShipmentDispatched,
    ShipmentEvent,
    ShipmentReturned,
    ShipmentStatus,
    ShippingError,
    Tracking,
)
from subgraphs.shipping.service import Shipping
from tests.subgraphs.shipping.examples import (
    NOW,
    ORDER,
    PARCEL,
    FakeCarrier,
    MovableClock,
    a_shipment,
    an_order,
    seen,
)
from tests.subgraphs.shipping.memory_store import MemoryStore

pytestmark = pytest.mark.asyncio
S = ShipmentStatus


@dataclass(slots=True)
class Depot:
    """Shipping over fakes that a test can look into."""

    store: MemoryStore = field(default_factory=MemoryStore)
    carrier: FakeCarrier = field(default_factory=FakeCarrier)
    clock: MovableClock = field(default_factory=MovableClock)

    @property
    def shipping(self) -> Shipping:
        return Shipping(self.store, self.carrier, self.clock)

    @property
    def status(self) -> str:
        return self.store.kept["shp_1"].status.value


async def test_a_confirmed_order_is_booked() -> None:
    depot = Depot()
    await depot.shipping.open_shipments(ORDER, "event-1")
    assert depot.status == "BOOKED"
    assert [type(event) for event in depot.store.told] == [ShipmentBooked]
    assert depot.carrier.calls == ["book shp_1"]


async def test_a_repeated_confirmation_books_nothing_more() -> None:
    depot = Depot()
    for cause in ("event-1", "event-1", "event-2"):
        await depot.shipping.open_shipments(ORDER, cause)
    assert (len(depot.store.kept), depot.carrier.calls, len(depot.store.told)) == (1, ["book shp_1"], 1)


async def test_an_unreachable_carrier_leaves_the_shipment_pending_and_is_asked_again_later() -> None:
    depot = Depot(carrier=FakeCarrier(outages=2))
    await depot.shipping.open_shipments(ORDER, "event-1")
    assert depot.status == "PENDING"
    for passed_s, calls in ((1, 1), (1, 2), (3, 2), (1, 3)):
        depot.clock.pass_s(passed_s)
        await depot.shipping.advance_due()
        assert len(depot.carrier.calls) == calls
    assert depot.status == "BOOKED"


async def test_a_confirmation_after_the_cancellation_sends_nothing() -> None:
    depot = Depot()
    await depot.shipping.cancel_order("ord_1", "event-1")
    assert depot.store.kept == {}
    await depot.shipping.open_shipments(ORDER, "event-2")
    assert depot.status == "CANCELLED"
    assert depot.carrier.calls == []
    assert depot.store.told == [ShipmentCancelled("ord_1", "shp_1", PARCEL)]


async def test_a_cancellation_of_a_booked_order_withdraws_the_booking() -> None:
    depot = Depot()
    await depot.shipping.open_shipments(ORDER, "event-1")
    for cause in ("event-2", "event-2", "event-3"):
        await depot.shipping.cancel_order("ord_1", cause)
    assert depot.status == "CANCELLED"
    assert depot.carrier.calls == ["book shp_1", "stop shp_1"]
    assert depot.store.told[1:] == [ShipmentCancelled("ord_1", "shp_1", PARCEL)]


async def test_a_cancellation_on_the_way_calls_the_parcel_back() -> None:
    depot = Depot()
    await depot.store.add(a_shipment(S.IN_TRANSIT))
    await depot.shipping.cancel_order("ord_1", "event-1")
    assert depot.status == "RETURNED"
    assert depot.store.told == [ShipmentReturned("ord_1", "shp_1", PARCEL, NOW)]


async def test_a_delivered_parcel_stays_with_the_customer() -> None:
    depot = Depot()
    await depot.store.add(a_shipment(S.DELIVERED))
    await depot.shipping.cancel_order("ord_1", "event-1")
    assert (depot.status, depot.carrier.calls) == ("DELIVERED", [])


async def test_a_cancellation_that_overtakes_the_booking_stops_it() -> None:
    depot = Depot()
    carrier = GatedCarrier(depot.carrier)
    waiting = Shipping(depot.store, carrier, depot.clock)
    booking = asyncio.create_task(waiting.open_shipments(ORDER, "event-1"))
    await carrier.reached.wait()
    await asyncio.gather(booking, waiting.cancel_order("ord_1", "event-2"))
    assert depot.status == "CANCELLED"
    assert depot.carrier.stopped == {"shp_1"}
    assert depot.store.told == [ShipmentCancelled("ord_1", "shp_1", PARCEL)]


async def test_two_replicas_move_a_parcel_once() -> None:
    depot = Depot()
    carrier = SandboxCarrier(depot.clock, Pace(10, 20, 30, 40))
    replicas = [Shipping(depot.store, carrier, depot.clock) for _ in range(2)]
    await replicas[0].open_shipments(ORDER, "event-1")
    for rest_s in (10, 20, 30, 40):
        depot.clock.pass_s(rest_s)
        await asyncio.gather(*(replica.advance_due() for replica in replicas))
    assert depot.status == "DELIVERED"
    assert [type(event) for event in depot.store.told] == [ShipmentBooked, ShipmentDispatched, ShipmentDelivered]
    assert len(depot.store.kept["shp_1"].events) == 5


async def test_a_crash_during_a_call_is_made_good_by_the_next_round() -> None:
    depot = Depot()
    with pytest.raises(CrashError):
        await Shipping(depot.store, CrashingCarrier(depot.carrier), depot.clock).open_shipments(ORDER, "event-1")
    await depot.shipping.advance_due()
    assert depot.carrier.calls == ["book shp_1"], "the call is left to who began it for a while"
    depot.clock.pass_s(30)
    await depot.shipping.advance_due()
    assert depot.status == "BOOKED"
    assert len(depot.store.told) == 1


async def test_one_shipment_that_cannot_go_on_does_not_stop_the_others() -> None:
    depot = Depot(carrier=FakeCarrier(outages=2))
    await depot.shipping.open_shipments(ORDER, "event-1")
    await depot.shipping.open_shipments(an_order(2), "event-2")
    depot.clock.pass_s(10)
    await Shipping(depot.store, OneBadShipment(depot.carrier), depot.clock).advance_due()
    assert depot.status == "PENDING"
    assert depot.store.kept["shp_2"].status is S.BOOKED


async def test_staff_dispatch_a_booked_parcel_once() -> None:
    depot = Depot()
    await depot.store.add(a_shipment())
    for _ in range(2):
        shipment = await depot.shipping.record_sighting("shp_1", seen(S.IN_TRANSIT, "key-1"))
        assert shipment.status is S.IN_TRANSIT
    assert depot.store.told == [ShipmentDispatched("ord_1", "shp_1", PARCEL, NOW)]


async def test_a_refused_sighting_changes_nothing() -> None:
    depot = Depot()
    await depot.store.add(a_shipment())
    with pytest.raises(ShippingError, match=r"^A shipment that is BOOKED cannot become DELIVERED\.$"):
        await depot.shipping.record_sighting("shp_1", seen(S.DELIVERED, "key-1"))
    assert (depot.store.kept["shp_1"], depot.store.told) == (a_shipment(), [])


async def test_a_sighting_of_an_unknown_shipment_is_refused() -> None:
    with pytest.raises(ShippingError, match=r"^There is no shipment of that id\.$") as refused:
        await Depot().shipping.record_sighting("shp_unknown", seen(S.IN_TRANSIT, "key-1"))
    assert (refused.value.code, refused.value.field) == ("SHIPMENT_UNKNOWN", "shipmentId")


class CrashError(BaseException):
    """The process is gone."""


async def test_a_shipment_that_others_change_all_the_time_is_refused_with_a_code() -> None:
    busy = Shipping(BusyStore(), FakeCarrier(), MovableClock())
    await busy.store.add(a_shipment())
    with pytest.raises(ShippingError) as refused:
        await busy.dispatch("shp_1", "key-1")
    assert refused.value.code == "CONFLICT"
    with pytest.raises(ShippingError) as refused:
        await busy.cancel_order("ord_1", "event-1")
    assert refused.value.code == "CONFLICT"


@dataclass(slots=True)
class BusyStore(MemoryStore):
    """Somebody else always writes first."""

    async def save(
        self, shipment: Shipment, events: Sequence[ShipmentEvent] = (), cause: str | None = None
    ) -> Shipment | None:
        return None


@dataclass(slots=True)
class GatedCarrier:
    """Takes its time, so that whatever else wants to run comes in between."""

    carrier: FakeCarrier
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def book(self, shipment: Shipment) -> Booking:
        self.reached.set()
        for _ in range(10):
            await asyncio.sleep(0)
        return await self.carrier.book(shipment)

    async def stop(self, shipment: Shipment) -> None:
        await self.carrier.stop(shipment)

    async def track(self, shipment: Shipment) -> Tracking:
        return await self.carrier.track(shipment)


@dataclass(slots=True)
class CrashingCarrier:
    """Takes the booking, and nobody lives to tell."""

    carrier: FakeCarrier

    async def book(self, shipment: Shipment) -> Booking:
        await self.carrier.book(shipment)
        raise CrashError

    async def stop(self, shipment: Shipment) -> None:
        raise CarrierUnavailableError("not asked in these tests")

    async def track(self, shipment: Shipment) -> Tracking:
        raise CarrierUnavailableError("not asked in these tests")


@dataclass(slots=True)
class OneBadShipment:
    """A carrier with a defect that shows at one shipment."""

    carrier: FakeCarrier

    async def book(self, shipment: Shipment) -> Booking:
        if shipment.id == "shp_1":
            raise ZeroDivisionError
        return await self.carrier.book(shipment)

    async def stop(self, shipment: Shipment) -> None:
        await self.carrier.stop(shipment)

    async def track(self, shipment: Shipment) -> Tracking:
        return await self.carrier.track(shipment)
