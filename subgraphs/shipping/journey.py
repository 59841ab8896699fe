"""How a parcel moves on: pure functions from one shipment to the next.

Theory of operation. A shipment is made for a confirmed order, or for a return; ``next_step`` derives from what is known
whether the carrier has to be asked to book it, to stop it, or where it is. Each call is written down first
(``begin_step``: the claim), so that one replica makes it and another repeats it after a crash; a carrier knows a
repeated call by the shipment's id.

    to the customer:  PENDING -> BOOKED -> IN_TRANSIT -> OUT_FOR_DELIVERY -> DELIVERED
                         |         |           |               |
                         +---------+-> CANCELLED +-------------+-> RETURNED
    a return:         PENDING -> BOOKED -> IN_TRANSIT -> RETURNED
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from subgraphs.shipping.domain import (
    ON_ITS_WAY,
    Attempt,
    Booking,
    Change,
    Direction,
    Shipment,
    ShipmentBooked,
    ShipmentCancelled,
    ShipmentDelivered,
    ShipmentDispatched,
    ShipmentEvent,
    ShipmentReturned,
    ShipmentStatus,
    ShippingError,
    Sighting,
    StepKind,
    TrackingEvent,
)

MAX_KEY_LENGTH = 128
CARRIER_KEY = "carrier:"
"""What the keys of sightings begin with that a carrier told of: no key of a person may."""
MAX_TEXT_LENGTH = 200
MAX_EVENTS = 200
"""How many sightings a shipment keeps; beyond them its end alone is recorded, since others wait for that."""
WAREHOUSE = "Warehouse"
CLAIM_S = 30.0
"""How long a call that was begun is left to whoever began it, before another one makes it again."""

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 300.0


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
    if shipment.direction is Direction.RETURN:
        return Change(booked)
    event = ShipmentBooked(
        shipment.order_id,
        shipment.id,
        shipment.parcel,
        booking.carrier,
        booking.tracking_number,
        booking.estimated_delivery,
    )
    return Change(booked, (event,))


def request_cancel(shipment: Shipment, now: datetime) -> Change | None:
    """The shipment whose order was cancelled; None where nothing follows from that, such as for a return.

    A parcel that no carrier was asked to take is cancelled at once; one that may be on its way has to be stopped.
    """
    if shipment.cancel_requested or shipment.direction is Direction.RETURN or next_step(shipment) is None:
        return None
    requested = replace(shipment, cancel_requested=True, due_at=now, updated_at=now)
    if shipment.status is ShipmentStatus.PENDING and shipment.attempt is None:
        return stop(requested, now)
    return Change(requested)


def stop(shipment: Shipment, now: datetime) -> Change:
    """The shipment that its carrier has stopped: CANCELLED before it was handed over, RETURNED on its way."""
    if shipment.status in ON_ITS_WAY:
        returned = Sighting(ShipmentStatus.RETURNED, now, WAREHOUSE, "Called back and returned.")
        return observe(shipment, [TrackingEvent(returned)], None, now)
    cancelled = Sighting(ShipmentStatus.CANCELLED, now, WAREHOUSE, "Cancelled before pick-up.")
    return observe(shipment, [TrackingEvent(cancelled)], None, now)


def observe(shipment: Shipment, seen: Sequence[TrackingEvent], next_check_at: datetime | None, now: datetime) -> Change:
    """The shipment with what was seen of it, oldest first; what cannot follow its status is left out.

    ``next_check_at`` is when to ask the carrier again.
    """
    current, events = shipment, list[ShipmentEvent]()
    for event in seen:
        status = event.sighting.status
        if status in current.transitions[current.status] and _has_room(current, status):
            events.extend(_news(current, event.sighting))
            current = _record(current, event)
    if current is not shipment:
        current = replace(current, updated_at=now)
    due_at = next_check_at if next_step(current) else None
    return Change(replace(current, attempt=None, due_at=due_at), tuple(events))


def picked_up(shipment: Shipment, at: datetime) -> Sighting:
    """What is seen when the carrier takes the parcel."""
    location = shipment.address.city if shipment.direction is Direction.RETURN else WAREHOUSE
    return Sighting(ShipmentStatus.IN_TRANSIT, at, location, "Picked up by the carrier.")


def dispatch(shipment: Shipment, key: str, now: datetime) -> Change | None:
    """The shipment that was handed to its carrier; None if that was done before under the same key.

    Raises ShippingError: SHIPMENT_NOT_BOOKED, or a code of :func:`record`.
    """
    repeated = any(event.key == key for event in shipment.events)
    if shipment.status is not ShipmentStatus.BOOKED and not repeated:
        message = f"Only a booked shipment can be dispatched; this one is {shipment.status}."
        raise ShippingError("SHIPMENT_NOT_BOOKED", message, "shipmentId")
    return record(shipment, TrackingEvent(picked_up(shipment, now), key), now)


def record(shipment: Shipment, event: TrackingEvent, now: datetime) -> Change | None:
    """The shipment with what a person saw; None if the same was recorded before under the same key.

    Raises ShippingError: IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_REUSED (the key stands for another status),
    TEXT_INVALID, SHIPMENT_CANCEL_REQUESTED, TRANSITION_NOT_ALLOWED, TOO_MANY_EVENTS.
    """
    if not event.key or len(event.key) > MAX_KEY_LENGTH:
        message = f"Give an idempotency key of 1 to {MAX_KEY_LENGTH} characters."
        raise ShippingError("IDEMPOTENCY_KEY_INVALID", message, "idempotencyKey")
    if event.key.startswith(CARRIER_KEY):
        message = f"Keys that begin with {CARRIER_KEY!r} are those of carriers: take another one."
        raise ShippingError("IDEMPOTENCY_KEY_INVALID", message, "idempotencyKey")
    earlier = next((known for known in shipment.events if known.key == event.key), None)
    if earlier is None:
        _check_recordable(shipment, event.sighting)
        return observe(shipment, [event], now, now)
    if earlier.sighting.status is not event.sighting.status:
        message = "This idempotency key stands for another event: take a new key for a new event."
        raise ShippingError("IDEMPOTENCY_KEY_REUSED", message, "idempotencyKey")
    return None


def hear(shipment: Shipment, event: TrackingEvent, now: datetime) -> Change | None:
    """The shipment with what its carrier told without being asked; None for a repeat, and for what cannot follow.

    The carrier is asked for the rest when it was to be asked anyway.
    """
    status = event.sighting.status
    repeated = any(known.key == event.key for known in shipment.events)
    # Whether a parcel is given up is for the order to say.
    if repeated or status is ShipmentStatus.CANCELLED or status not in shipment.transitions[shipment.status]:
        return None
    change = observe(shipment, [event], shipment.due_at, now)
    return None if change.shipment.events == shipment.events else change


def _check_recordable(shipment: Shipment, sighting: Sighting) -> None:
    for field, text in (("location", sighting.location), ("description", sighting.description)):
        if not text.strip() or len(text) > MAX_TEXT_LENGTH:
            raise ShippingError("TEXT_INVALID", f"Give a {field} of 1 to {MAX_TEXT_LENGTH} characters.", field)
    if shipment.cancel_requested and sighting.status is not ShipmentStatus.RETURNED:
        message = "The order was cancelled: the parcel is being stopped and goes no further."
        raise ShippingError("SHIPMENT_CANCEL_REQUESTED", message, "shipmentId")
    # That a carrier has taken a booking it says itself, together with the number of the parcel.
    unseen = sighting.status in (ShipmentStatus.BOOKED, ShipmentStatus.CANCELLED)
    if unseen or sighting.status not in shipment.transitions[shipment.status]:
        message = f"A shipment that is {shipment.status} cannot become {sighting.status}."
        raise ShippingError("TRANSITION_NOT_ALLOWED", message, "status")
    if not _has_room(shipment, sighting.status):
        message = f"A shipment that has {MAX_EVENTS} events is told of its end alone."
        raise ShippingError("TOO_MANY_EVENTS", message, "shipmentId")


def _has_room(shipment: Shipment, status: ShipmentStatus) -> bool:
    is_end = not shipment.transitions[status]
    return is_end or len(shipment.events) < MAX_EVENTS


def _record(shipment: Shipment, event: TrackingEvent) -> Shipment:
    return replace(shipment, status=event.sighting.status, events=(*shipment.events, event), attempt=None)


def _news(shipment: Shipment, sighting: Sighting) -> list[ShipmentEvent]:
    """What other services are told when ``shipment`` is seen so; of a return, its arrival alone."""
    ids = (shipment.order_id, shipment.id, shipment.parcel)
    if shipment.direction is Direction.RETURN and sighting.status is not ShipmentStatus.RETURNED:
        return []
    match sighting.status:
        case ShipmentStatus.IN_TRANSIT if shipment.status is ShipmentStatus.BOOKED:
            return [ShipmentDispatched(*ids, sighting.at)]
        case ShipmentStatus.DELIVERED:
            return [ShipmentDelivered(*ids, sighting.at)]
        case ShipmentStatus.CANCELLED:
            return [ShipmentCancelled(*ids)]
        case ShipmentStatus.RETURNED:
            return [ShipmentReturned(*ids, sighting.at)]
        case _:
            return []
