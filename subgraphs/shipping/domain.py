"""Shipping: a parcel, what is seen of it, and what others are told.

What goes into which parcel is in :mod:`subgraphs.shipping.parcels`, how a parcel moves on in
:mod:`subgraphs.shipping.journey`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
Transitions = Mapping[ShipmentStatus, frozenset[ShipmentStatus]]

TRANSITIONS: Transitions = {
    # A carrier's second attempt at the door brings a parcel back from OUT_FOR_DELIVERY to IN_TRANSIT.
    _S.PENDING: frozenset({_S.BOOKED, _S.CANCELLED}),
    _S.BOOKED: frozenset({_S.IN_TRANSIT, _S.CANCELLED}),
    _S.IN_TRANSIT: frozenset({_S.IN_TRANSIT, _S.OUT_FOR_DELIVERY, _S.DELIVERED, _S.RETURNED}),
    _S.OUT_FOR_DELIVERY: frozenset({_S.IN_TRANSIT, _S.DELIVERED, _S.RETURNED}),
    # What a customer has comes back as a parcel of its own.
    _S.DELIVERED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.RETURNED: frozenset(),
}
RETURN_TRANSITIONS: Transitions = {
    **dict.fromkeys(ShipmentStatus, frozenset()),
    _S.PENDING: frozenset({_S.BOOKED}),
    _S.BOOKED: frozenset({_S.IN_TRANSIT}),
    _S.IN_TRANSIT: frozenset({_S.IN_TRANSIT, _S.RETURNED}),
}
"""The way back of what a customer returns: from the door to a warehouse."""

ON_ITS_WAY = frozenset({_S.IN_TRANSIT, _S.OUT_FOR_DELIVERY})


class Direction(StrEnum):
    """Whether a parcel goes to the customer or comes back from them."""

    OUTBOUND = "OUTBOUND"
    RETURN = "RETURN"


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
    """The customer's end of the way."""

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
class OrderLine:
    """A product in an order; ``allocations`` are (warehouse, quantity), as inventory has set it aside."""

    product_id: str
    quantity: int
    weight_grams: int
    allocations: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ConfirmedOrder:
    """What shipping needs to know of an order."""

    id: str
    number: str
    customer_id: str
    address: Address
    lines: tuple[OrderLine, ...]


@dataclass(frozen=True, slots=True)
class ReturnRequest:
    """What a customer sends back; ``pieces`` are (product id, quantity)."""

    order_id: str
    return_id: str
    pieces: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is in a parcel, the warehouse that it leaves or comes back to, and which of its order's parcels it is.

    ``index`` counts from 1. ``warehouse`` is None where inventory named none. ``return_id`` names the return that it
    brings back.
    """

    warehouse: str | None
    lines: tuple[ParcelLine, ...]
    index: int = 1
    count: int = 1
    return_id: str | None = None


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
    """One parcel of an order, on its way to the customer or back.

    ``due_at`` is when the carrier has to be asked next, None when there is nothing to ask. ``revision`` counts the
    writes: a change is stored only over the revision from which it was derived.
    """

    id: str
    order_id: str
    order_number: str
    customer_id: str
    address: Address
    parcel: Parcel
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
        return sum(line.quantity * line.weight_grams for line in self.parcel.lines)

    @property
    def direction(self) -> Direction:
        """Whether it goes to the customer or comes back."""
        return Direction.RETURN if self.parcel.return_id else Direction.OUTBOUND

    @property
    def transitions(self) -> Transitions:
        """What may become of it."""
        return RETURN_TRANSITIONS if self.direction is Direction.RETURN else TRANSITIONS


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
    parcel: Parcel
    carrier: str
    tracking_number: str
    estimated_delivery: datetime


@dataclass(frozen=True, slots=True)
class ShipmentDispatched:
    """The carrier has the parcel."""

    order_id: str
    shipment_id: str
    parcel: Parcel
    dispatched_at: datetime


@dataclass(frozen=True, slots=True)
class ShipmentDelivered:
    """The customer has the parcel."""

    order_id: str
    shipment_id: str
    parcel: Parcel
    delivered_at: datetime


@dataclass(frozen=True, slots=True)
class ShipmentCancelled:
    """The parcel will not be sent."""

    order_id: str
    shipment_id: str
    parcel: Parcel


@dataclass(frozen=True, slots=True)
class ShipmentReturned:
    """The parcel came back: a customer's return where it has a ``return_id``, else it was called back on its way."""

    order_id: str
    shipment_id: str
    parcel: Parcel
    returned_at: datetime


ShipmentEvent = ShipmentBooked | ShipmentDispatched | ShipmentDelivered | ShipmentCancelled | ShipmentReturned


@dataclass(frozen=True, slots=True)
class Change:
    """A shipment after a change, and the events that tell of it: both are stored by one write."""

    shipment: Shipment
    events: tuple[ShipmentEvent, ...] = ()
