"""An order of two mugs and a lamp for Ada, and a carrier that keeps its promises and can be told to fail."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from subgraphs.shipping.carrier import CarrierUnavailableError
from subgraphs.shipping.domain import (
    Address,
    Booking,
    ConfirmedOrder,
    OrderLine,
    Parcel,
    ParcelLine,
    Shipment,
    ShipmentStatus,
    Sighting,
    Tracking,
    TrackingEvent,
)
from subgraphs.shipping.parcels import new_shipments

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = Address("Ada Lovelace", "12 St James's Square", None, "London", "SW1Y 4LB", "GB")
LINES = (OrderLine("MUG-001", 2, 360), OrderLine("LMP-001", 1, 1200))
PARCEL = Parcel(None, (ParcelLine("MUG-001", 2, 360), ParcelLine("LMP-001", 1, 1200)))
ORDER = ConfirmedOrder("ord_1", "G-2026-000001", "cus_ada", ADDRESS, LINES)
BOOKING = Booking("Kestrel Parcel", "KP1234567890", NOW + timedelta(days=6), "Warehouse", NOW + timedelta(seconds=600))


SPLIT = replace(
    ORDER,
    lines=(
        OrderLine("MUG-001", 2, 360, (("PAR", 1), ("BER", 1))),
        OrderLine("LMP-001", 1, 1200, (("PAR", 1),)),
    ),
)
"""The same order, of which one mug lies in Berlin and the rest in Paris."""


def new_shipment(order: ConfirmedOrder, now: datetime) -> Shipment:
    """The only shipment of an order that comes from one warehouse."""
    (shipment,) = new_shipments(order, now)
    return shipment


def an_order(number: int, customer_id: str = "cus_ada") -> ConfirmedOrder:
    return replace(ORDER, id=f"ord_{number}", customer_id=customer_id)


def a_shipment(
    status: ShipmentStatus = ShipmentStatus.BOOKED, number: int = 1, customer_id: str = "cus_ada"
) -> Shipment:
    """A shipment that was seen in ``status`` just now; its carrier is asked again in ten minutes."""
    pending = new_shipment(an_order(number, customer_id), NOW)
    if status is ShipmentStatus.PENDING:
        return pending
    return replace(
        pending,
        status=status,
        carrier=BOOKING.carrier,
        tracking_number=f"KP{number:010}",
        estimated_delivery=BOOKING.estimated_delivery,
        events=(seen(status),),
        due_at=BOOKING.next_check_at,
    )


def seen(status: ShipmentStatus, key: str | None = None) -> TrackingEvent:
    return TrackingEvent(Sighting(status, NOW, "Hub", "Seen."), key)


@dataclass(slots=True)
class MovableClock:
    """A clock that a test moves by hand."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(slots=True)
class FakeCarrier:
    """A carrier that books each shipment once, and sees what it is told to see."""

    outages: int = 0
    tracking: Tracking = field(default_factory=lambda: Tracking((), None))
    calls: list[str] = field(default_factory=list)
    booked: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)

    async def book(self, shipment: Shipment) -> Booking:
        self._called("book", shipment)
        self.booked.add(shipment.id)
        return BOOKING

    async def stop(self, shipment: Shipment) -> None:
        self._called("stop", shipment)
        self.stopped.add(shipment.id)

    async def track(self, shipment: Shipment) -> Tracking:
        self._called("track", shipment)
        return self.tracking

    def _called(self, what: str, shipment: Shipment) -> None:
        self.calls.append(f"{what} {shipment.id}")
        if self.outages:
            self.outages -= 1
            raise CarrierUnavailableError("the line is dead")
