"""The carrier: what this service needs of one, and a sandbox that moves parcels along by a clock.

A carrier keeps these promises: a booking repeated for the same shipment is the same booking; a parcel that is stopped
goes no further, booked or not, and a booking that arrives after that is worth nothing.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from subgraphs.shipping.domain import Booking, Direction, Shipment, ShipmentStatus, Sighting, Tracking
from subgraphs.shipping.journey import WAREHOUSE, picked_up
from subgraphs.shipping.quote import TARIFFS, ZONE_BY_COUNTRY, Zone

_PREFIXES = {"Nordpost": "NP", "Kestrel Parcel": "KP"}


class CarrierUnavailableError(Exception):
    """The carrier gave no answer: whether the call had an effect is unknown, and it must be repeated."""


class Carrier(Protocol):
    """A carrier of parcels; each call may raise CarrierUnavailableError."""

    async def book(self, shipment: Shipment) -> Booking:
        """Announce the parcel."""

    async def stop(self, shipment: Shipment) -> None:
        """Call the parcel back, wherever it is, or withdraw its announcement."""

    async def track(self, shipment: Shipment) -> Tracking:
        """What happened to the parcel after the last event that the shipment knows."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a sandbox parcel rests before each move, in seconds."""

    dispatch_after_s: float = 600
    hub_after_s: float = 1800
    out_for_delivery_after_s: float = 3600
    delivery_after_s: float = 1800


class SandboxCarrier:
    """A carrier without vans: a parcel moves on when it has rested as long as ``Pace`` says.

    It keeps nothing: where a parcel is follows from its own events and the clock, in any process at any time.
    """

    def __init__(self, clock: Callable[[], datetime], pace: Pace | None = None) -> None:
        self._clock = clock
        self._pace = pace or Pace()

    async def book(self, shipment: Shipment) -> Booking:
        """See :class:`Carrier`."""
        tariff = TARIFFS[ZONE_BY_COUNTRY.get(shipment.address.country_code, Zone.WORLD)]
        return Booking(
            carrier=tariff.carrier,
            tracking_number=_PREFIXES[tariff.carrier] + _unguessable(shipment.id),
            estimated_delivery=shipment.created_at + timedelta(days=tariff.max_days),
            location=shipment.address.city if shipment.direction is Direction.RETURN else WAREHOUSE,
            next_check_at=self._clock() + timedelta(seconds=self._pace.dispatch_after_s),
        )

    async def stop(self, shipment: Shipment) -> None:
        """See :class:`Carrier`."""

    async def track(self, shipment: Shipment) -> Tracking:
        """See :class:`Carrier`; at most one move at a time."""
        rest_s = self._rest_s(shipment)
        if rest_s is None:
            return Tracking((), None)
        now, moves_at = self._clock(), shipment.events[-1].sighting.at + timedelta(seconds=rest_s)
        if now < moves_at:
            return Tracking((), moves_at)
        move = _next_move(shipment, now)
        after_s = self._rest_after_s(shipment)
        return Tracking((move,), None if after_s is None else now + timedelta(seconds=after_s))

    def _rest_s(self, shipment: Shipment) -> float | None:
        moves = _moves_made(shipment)
        return None if moves is None else self._rests_s(shipment)[moves]

    def _rest_after_s(self, shipment: Shipment) -> float | None:
        moves = _moves_made(shipment)
        rests = self._rests_s(shipment)
        return None if moves is None or moves + 1 == len(rests) else rests[moves + 1]

    def _rests_s(self, shipment: Shipment) -> tuple[float, ...]:
        """How long a parcel rests before each of its moves: the way back has no van and no door."""
        pace = self._pace
        rests = (pace.dispatch_after_s, pace.hub_after_s, pace.out_for_delivery_after_s, pace.delivery_after_s)
        return rests[:3] if shipment.direction is Direction.RETURN else rests


def _moves_made(shipment: Shipment) -> int | None:
    """How many of its moves a parcel has made; None where it makes no more."""
    match shipment.status:
        case ShipmentStatus.BOOKED:
            return 0
        case ShipmentStatus.IN_TRANSIT:
            seen = sum(event.sighting.status is ShipmentStatus.IN_TRANSIT for event in shipment.events)
            return min(seen, 2)
        case ShipmentStatus.OUT_FOR_DELIVERY:
            return 3
        case _:
            return None


def _next_move(shipment: Shipment, now: datetime) -> Sighting:
    city = shipment.address.city
    sorted_ = Sighting(ShipmentStatus.IN_TRANSIT, now, "Sorting centre", "Sorted for the next leg.")
    if shipment.direction is Direction.RETURN:
        moves: tuple[Sighting, ...] = (
            picked_up(shipment, now),
            sorted_,
            Sighting(ShipmentStatus.RETURNED, now, WAREHOUSE, "Arrived at the warehouse."),
        )
    else:
        moves = (
            picked_up(shipment, now),
            sorted_,
            Sighting(ShipmentStatus.OUT_FOR_DELIVERY, now, city, "In the van, on its way to you."),
            Sighting(ShipmentStatus.DELIVERED, now, city, "Handed over at the door."),
        )
    return moves[_moves_made(shipment) or 0]


def _unguessable(shipment_id: str) -> str:
    """Sixteen letters and digits that follow from a shipment's id, and from nothing that is easier to guess."""
    return base64.b32encode(sha256(shipment_id.encode()).digest())[:16].decode()
