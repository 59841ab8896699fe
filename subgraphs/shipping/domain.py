"""Shipping: the life of a parcel, as pure functions from one shipment to the next.

Theory of operation. A shipment is made for a confirmed order; ``next_step`` derives from what is known whether the
carrier has to be asked to book it, to stop it, or where it is. Each call is written down first (``begin_step``: the
claim), so that one replica makes it and another repeats it after a crash; a carrier knows a repeated call by the
shipment's id.

    PENDING -> BOOKED -> IN_TRANSIT -> OUT_FOR_DELIVERY -> DELIVERED
       |         |           |               |
       +---------+-> CANCELLED   +-----------+-> RETURNED
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

MAX_KEY_LENGTH = 128
MAX_TEXT_LENGTH = 200
MAX_EVENTS = 200
CLAIM_S = 30.0
"""How long a call that was begun is left to whoever began it, before another one makes it again."""

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 300.0


class ShipmentStatus(StrEnum):
    """Where a parcel is; see ``TRANSITIONS``."""

    PENDING = "PENDING"
    BOOKED = "BOOKED"
    IN_TRANSIT = "IN_TRANSIT"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"
    RETURNED = "RETURNED"


_S = ShipmentStatus
TRANSITIONS: dict[ShipmentStatus, frozenset[ShipmentStatus]] = {
    # A carrier's second attempt at the door brings a parcel back from OUT_FOR_DELIVERY to IN_TRANSIT.
    _S.PENDING: frozenset({_S.BOOKED, _S.CANCELLED}),
    _S.BOOKED: frozenset({_S.IN_TRANSIT, _S.CANCELLED}),
    _S.IN_TRANSIT: frozenset({_S.IN_TRANSIT, _S.OUT_FOR_DELIVERY, _S.DELIVERED, _S.RETURNED}),
    _S.OUT_FOR_DELIVERY: frozenset({_S.IN_TRANSIT, _S.DELIVERED, _S.RETURNED}),
    _S.DELIVERED: frozenset({_S.RETURNED}),
    _S.CANCELLED: frozenset(),
    _S.RETURNED: frozenset(),
}
ON_ITS_WAY = frozenset({_S.IN_TRANSIT, _S.OUT_FOR_DELIVERY})


class ShippingError(Exception):
    """A refusal that a client may see: a stable code, the input field at fault, and what to do."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of an ISO 4217 currency."""

    amount_minor: int
    currency_code: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel goes."""

    name: str
    line1: str
    line2: str | None
    city: str
    postal_code: str
    country_code: str


@dataclass(frozen=True, slots=True)
class ParcelLine:
    """Some pieces of a product in a parcel."""

    product_id: str
    quantity: int
    weight_grams: int


@dataclass(frozen=True, slots=True)
class ConfirmedOrder:
    """What shipping needs to know of an order."""

    id: str
    number: str
    customer_id: str
    address: Address
    lines: tuple[ParcelLine, ...]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a carrier tells of a parcel: where it is and what happened."""

    status: ShipmentStatus
    at: datetime
    location: str
    description: str


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    """A sighting in the history of a shipment; ``key`` is the caller's idempotency key where a person recorded it."""

    sighting: Sighting
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """The call to the carrier that was begun and is not concluded; ``count`` is how many times it was made."""

    kind: "StepKind"
    count: int


@dataclass(frozen=True, slots=True)
class Booking:
    """A carrier's promise to take a parcel; it will not be asked about it before ``next_check_at``."""

    carrier: str
    tracking_number: str
    estimated_delivery: datetime
    location: str
    next_check_at: datetime


@dataclass(frozen=True, slots=True)
class Tracking:
    """What a carrier knows that we did not, oldest first, and when to ask again (None: there will be no more)."""

    sightings: tuple[Sighting, ...]
    next_check_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shipment:
    """One parcel of an order.

    ``due_at`` is when the carrier has to be asked next, None when there is nothing to ask. ``revision`` counts the
    writes: a change is stored only over the revision from which it was derived.
    """

    id: str
    order_id: str
    order_number: str
    customer_id: str
    address: Address
    lines: tuple[ParcelLine, ...]
    status: ShipmentStatus
    created_at: datetime
    updated_at: datetime
    carrier: str | None = None
    tracking_number: str | None = None
    estimated_delivery: datetime | None = None
    events: tuple[TrackingEvent, ...] = ()
    cancel_requested: bool = False
    attempt: Attempt | None = None
    due_at: datetime | None = None
    revision: int = 0

    @property
    def weight_grams(self) -> int:
        """What the parcel weighs."""
        return sum(line.quantity * line.weight_grams for line in self.lines)


class StepKind(StrEnum):
    """What a carrier can be asked."""

    BOOK = "BOOK"
    STOP = "STOP"
    TRACK = "TRACK"


@dataclass(frozen=True, slots=True)
class ShipmentBooked:
    """A carrier has promised to take the parcel."""

    order_id: str
    shipment_id: str
    carrier: str
    tracking_number: str
    estimated_delivery: datetime


@dataclass(frozen=True, slots=True)
class ShipmentDispatched:
    """The carrier has the parcel."""

    order_id: str
    shipment_id: str
    dispatched_at: datetime


@dataclass(frozen=True, slots=True)
class ShipmentDelivered:
    """The customer has the parcel."""

    order_id: str
    shipment_id: str
    delivered_at: datetime


@dataclass(frozen=True, slots=True)
class ShipmentCancelled:
    """The parcel will not be sent."""

    order_id: str
    shipment_id: str


@dataclass(frozen=True, slots=True)
class ShipmentReturned:
    """The parcel came back."""

    order_id: str
    shipment_id: str
    returned_at: datetime


ShipmentEvent = ShipmentBooked | ShipmentDispatched | ShipmentDelivered | ShipmentCancelled | ShipmentReturned


@dataclass(frozen=True, slots=True)
class Change:
    """A shipment after a change, and the events that tell of it: both are stored by one write."""

    shipment: Shipment
    events: tuple[ShipmentEvent, ...] = ()


def shipment_id_of(order_id: str) -> str:
    """The id of an order's shipment: derived, so that a repeated order.confirmed cannot make a second one."""
    return f"shp_{order_id.removeprefix('ord_')}"


def new_shipment(order: ConfirmedOrder, now: datetime) -> Shipment:
    """The shipment of a confirmed order, which waits to be booked."""
    return Shipment(
        id=shipment_id_of(order.id),
        order_id=order.id,
        order_number=order.number,
        customer_id=order.customer_id,
        address=order.address,
        lines=order.lines,
        status=ShipmentStatus.PENDING,
        created_at=now,
        updated_at=now,
        due_at=now,
    )


def next_step(shipment: Shipment) -> StepKind | None:
    """What the carrier has to be asked; None when the shipment has reached its end."""
    if shipment.status is ShipmentStatus.PENDING:
        return StepKind.STOP if shipment.cancel_requested else StepKind.BOOK
    if shipment.status is ShipmentStatus.BOOKED or shipment.status in ON_ITS_WAY:
        return StepKind.STOP if shipment.cancel_requested else StepKind.TRACK
    return None


def due_step(shipment: Shipment, now: datetime) -> StepKind | None:
    """What the carrier has to be asked by now."""
    is_due = shipment.due_at is not None and shipment.due_at <= now
    return next_step(shipment) if is_due else None


def begin_step(shipment: Shipment, kind: StepKind, now: datetime) -> Shipment:
    """The shipment that says that the carrier is being asked, and leaves it to the caller for ``CLAIM_S``."""
    previous = shipment.attempt
    count = previous.count + 1 if previous and previous.kind is kind else 1
    return replace(shipment, attempt=Attempt(kind, count), due_at=now + timedelta(seconds=CLAIM_S))


def postpone_step(shipment: Shipment, now: datetime) -> Shipment:
    """The shipment whose carrier gave no answer and is asked again after a pause that grows."""
    count = shipment.attempt.count if shipment.attempt else 1
    pause_s = min(_FIRST_PAUSE_S * 2 ** min(count - 1, 16), _LONGEST_PAUSE_S)
    return replace(shipment, due_at=now + timedelta(seconds=pause_s))


def book(shipment: Shipment, booking: Booking, now: datetime) -> Change:
    """The shipment that a carrier has promised to take."""
    sighting = Sighting(ShipmentStatus.BOOKED, now, booking.location, f"Announced to {booking.carrier}.")
    booked = replace(
        _record(shipment, TrackingEvent(sighting)),
        carrier=booking.carrier,
        tracking_number=booking.tracking_number,
        estimated_delivery=booking.estimated_delivery,
        due_at=booking.next_check_at,
        updated_at=now,
    )
    event = ShipmentBooked(
        shipment.order_id, shipment.id, booking.carrier, booking.tracking_number, booking.estimated_delivery
    )
    return Change(booked, (event,))


def request_cancel(shipment: Shipment, now: datetime) -> Change | None:
    """The shipment whose order was cancelled; None where nothing follows from that.

    A parcel that no carrier was asked to take is cancelled at once; one that may be on its way has to be stopped.
    """
    if shipment.cancel_requested or next_step(shipment) is None:
        return None
    requested = replace(shipment, cancel_requested=True, due_at=now, updated_at=now)
    if shipment.status is ShipmentStatus.PENDING and shipment.attempt is None:
        return stop(requested, now)
    return Change(requested)


def stop(shipment: Shipment, now: datetime) -> Change:
    """The shipment that its carrier has stopped: CANCELLED before it was handed over, RETURNED on its way."""
    if shipment.status in ON_ITS_WAY:
        returned = Sighting(ShipmentStatus.RETURNED, now, "Warehouse", "Called back and returned.")
        return observe(shipment, [TrackingEvent(returned)], None, now)
    cancelled = Sighting(ShipmentStatus.CANCELLED, now, "Warehouse", "Cancelled before pick-up.")
    return observe(shipment, [TrackingEvent(cancelled)], None, now)


def observe(shipment: Shipment, seen: Sequence[TrackingEvent], next_check_at: datetime | None, now: datetime) -> Change:
    """The shipment with what was seen of it, oldest first; what cannot follow its status is left out.

    ``next_check_at`` is when to ask the carrier again.
    """
    current, events = shipment, list[ShipmentEvent]()
    for event in seen:
        if event.sighting.status in TRANSITIONS[current.status] and len(current.events) < MAX_EVENTS:
            events.extend(_news(current, event.sighting))
            current = _record(current, event)
    if current is not shipment:
        current = replace(current, updated_at=now)
    due_at = next_check_at if next_step(current) else None
    return Change(replace(current, attempt=None, due_at=due_at), tuple(events))


def picked_up(at: datetime) -> Sighting:
    """What is seen when the carrier takes the parcel."""
    return Sighting(ShipmentStatus.IN_TRANSIT, at, "Warehouse", "Picked up by the carrier.")


def dispatch(shipment: Shipment, key: str, now: datetime) -> Change | None:
    """The shipment that was handed to its carrier; None if that was done before under the same key.

    Raises ShippingError: SHIPMENT_NOT_BOOKED, or a code of :func:`record`.
    """
    repeated = any(event.key == key for event in shipment.events)
    if shipment.status is not ShipmentStatus.BOOKED and not repeated:
        message = f"Only a booked shipment can be dispatched; this one is {shipment.status}."
        raise ShippingError("SHIPMENT_NOT_BOOKED", message, "shipmentId")
    return record(shipment, TrackingEvent(picked_up(now), key), now)


def record(shipment: Shipment, event: TrackingEvent, now: datetime) -> Change | None:
    """The shipment with what a person saw; None if the same was recorded before under the same key.

    Raises ShippingError: IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_REUSED (the key stands for another status),
    TEXT_INVALID, SHIPMENT_CANCEL_REQUESTED, TRANSITION_NOT_ALLOWED, TOO_MANY_EVENTS.
    """
    if not event.key or len(event.key) > MAX_KEY_LENGTH:
        message = f"Give an idempotency key of 1 to {MAX_KEY_LENGTH} characters."
        raise ShippingError("IDEMPOTENCY_KEY_INVALID", message, "idempotencyKey")
    earlier = next((known for known in shipment.events if known.key == event.key), None)
    if earlier is None:
        _check_recordable(shipment, event.sighting)
        return observe(shipment, [event], now, now)
    if earlier.sighting.status is not event.sighting.status:
        message = "This idempotency key stands for another event: take a new key for a new event."
        raise ShippingError("IDEMPOTENCY_KEY_REUSED", message, "idempotencyKey")
    return None


def _check_recordable(shipment: Shipment, sighting: Sighting) -> None:
    for field, text in (("location", sighting.location), ("description", sighting.description)):
        if not 0 < len(text.strip()) <= MAX_TEXT_LENGTH:
            raise ShippingError("TEXT_INVALID", f"Give a {field} of 1 to {MAX_TEXT_LENGTH} characters.", field)
    if shipment.cancel_requested and sighting.status is not ShipmentStatus.RETURNED:
        message = "The order was cancelled: the parcel is being stopped and goes no further."
        raise ShippingError("SHIPMENT_CANCEL_REQUESTED", message, "shipmentId")
    if sighting.status is ShipmentStatus.CANCELLED or sighting.status not in TRANSITIONS[shipment.status]:
        message = f"A shipment that is {shipment.status} cannot become {sighting.status}."
        raise ShippingError("TRANSITION_NOT_ALLOWED", message, "status")
    if len(shipment.events) >= MAX_EVENTS:
        raise ShippingError("TOO_MANY_EVENTS", f"A shipment has at most {MAX_EVENTS} events.", "shipmentId")


def _record(shipment: Shipment, event: TrackingEvent) -> Shipment:
    return replace(shipment, status=event.sighting.status, events=(*shipment.events, event), attempt=None)


def _news(shipment: Shipment, sighting: Sighting) -> list[ShipmentEvent]:
    """What other services are told when ``shipment`` is seen so."""
    match sighting.status:
        case ShipmentStatus.IN_TRANSIT if shipment.status is ShipmentStatus.BOOKED:
            return [ShipmentDispatched(shipment.order_id, shipment.id, sighting.at)]
        case ShipmentStatus.DELIVERED:
            return [ShipmentDelivered(shipment.order_id, shipment.id, sighting.at)]
        case ShipmentStatus.CANCELLED:
            return [ShipmentCancelled(shipment.order_id, shipment.id)]
        case ShipmentStatus.RETURNED:
            return [ShipmentReturned(shipment.order_id, shipment.id, sighting.at)]
        case _:
            return []
