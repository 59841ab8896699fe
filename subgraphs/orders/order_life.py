"""The life of an order, as a table: what may happen to it where it stands, and where that leads.

Theory of operation. An order stands at one :class:`Stage`. Things happen to it
(:class:`Occurrence`: an answer of stock or payment, a move of a parcel, a wish), and :data:`TRANSITIONS` says where
each leads. Stock and payment answer in any order, so the time before confirmation has three stages, which the outside
sees as one status, PENDING. What is not in the table does not happen: a wish is refused with a code; an event is a
repeat, too late, or too early (:class:`TransitionError`).

::

    PLACED ──stock──▶ RESERVED ──payment──▶ CONFIRMED ──▶ DISPATCHED ──▶ DELIVERED ──▶ RETURNED
       └──payment──▶ AUTHORIZED ──stock──────▲    │           │
       (all of these) ──refused, cancelled──▶ CANCELLED ◀──recalled by staff, or came back

An order may travel as several parcels: it is DISPATCHED with the first and DELIVERED with the last of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from subgraphs.orders.refusal import Problem, RefusalError


class OrderStatus(StrEnum):
    """Where an order stands, as customers see it."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    DISPATCHED = "DISPATCHED"
    DELIVERED = "DELIVERED"
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"


class Stage(StrEnum):
    """Where an order stands: finer than its status while stock and payment have not both answered."""

    PLACED = "PLACED"
    RESERVED = "RESERVED"
    AUTHORIZED = "AUTHORIZED"
    CONFIRMED = "CONFIRMED"
    DISPATCHED = "DISPATCHED"
    DELIVERED = "DELIVERED"
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"

    @property
    def status(self) -> OrderStatus:
        """The status that customers see at this stage."""
        return OrderStatus.PENDING if self in WAITING else OrderStatus(self.value)


class WaitingFor(StrEnum):
    """Whose answer a pending order waits for."""

    STOCK = "STOCK"
    PAYMENT = "PAYMENT"


class Occurrence(StrEnum):
    """Something that happens to an order."""

    STOCK_RESERVED = "STOCK_RESERVED"
    STOCK_REJECTED = "STOCK_REJECTED"
    RESERVATION_EXPIRED = "RESERVATION_EXPIRED"
    PAYMENT_AUTHORIZED = "PAYMENT_AUTHORIZED"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    PAYMENT_DELAYED = "PAYMENT_DELAYED"
    PARCEL_DISPATCHED = "PARCEL_DISPATCHED"
    PARCEL_DELIVERED = "PARCEL_DELIVERED"
    LAST_PARCEL_DELIVERED = "LAST_PARCEL_DELIVERED"
    ALL_PARCELS_CAME_BACK = "ALL_PARCELS_CAME_BACK"
    CANCELLED_BY_CUSTOMER = "CANCELLED_BY_CUSTOMER"
    CANCELLED_BY_STAFF = "CANCELLED_BY_STAFF"
    RETURN_REQUESTED = "RETURN_REQUESTED"
    RETURN_RECEIVED = "RETURN_RECEIVED"
    LAST_RETURN_RECEIVED = "LAST_RETURN_RECEIVED"


WAITING: Mapping[Stage, tuple[WaitingFor, ...]] = {
    Stage.PLACED: (WaitingFor.STOCK, WaitingFor.PAYMENT),
    Stage.RESERVED: (WaitingFor.PAYMENT,),
    Stage.AUTHORIZED: (WaitingFor.STOCK,),
}
"""The stages of a pending order, and whose answers it still needs."""

_S, _O = Stage, Occurrence
_PARCEL_MOVES = frozenset(
    {_O.PARCEL_DISPATCHED, _O.PARCEL_DELIVERED, _O.LAST_PARCEL_DELIVERED, _O.ALL_PARCELS_CAME_BACK}
)

TRANSITIONS: Mapping[tuple[Stage, Occurrence], Stage] = {
    (_S.PLACED, _O.STOCK_RESERVED): _S.RESERVED,
    (_S.PLACED, _O.STOCK_REJECTED): _S.CANCELLED,
    (_S.PLACED, _O.RESERVATION_EXPIRED): _S.CANCELLED,
    (_S.PLACED, _O.PAYMENT_AUTHORIZED): _S.AUTHORIZED,
    (_S.PLACED, _O.PAYMENT_DECLINED): _S.CANCELLED,
    (_S.PLACED, _O.PAYMENT_DELAYED): _S.PLACED,
    (_S.PLACED, _O.CANCELLED_BY_CUSTOMER): _S.CANCELLED,
    (_S.PLACED, _O.CANCELLED_BY_STAFF): _S.CANCELLED,
    (_S.RESERVED, _O.RESERVATION_EXPIRED): _S.CANCELLED,
    (_S.RESERVED, _O.PAYMENT_AUTHORIZED): _S.CONFIRMED,
    (_S.RESERVED, _O.PAYMENT_DECLINED): _S.CANCELLED,
    (_S.RESERVED, _O.PAYMENT_DELAYED): _S.RESERVED,
    (_S.RESERVED, _O.CANCELLED_BY_CUSTOMER): _S.CANCELLED,
    (_S.RESERVED, _O.CANCELLED_BY_STAFF): _S.CANCELLED,
    (_S.AUTHORIZED, _O.STOCK_RESERVED): _S.CONFIRMED,
    (_S.AUTHORIZED, _O.STOCK_REJECTED): _S.CANCELLED,
    (_S.AUTHORIZED, _O.RESERVATION_EXPIRED): _S.CANCELLED,
    (_S.AUTHORIZED, _O.CANCELLED_BY_CUSTOMER): _S.CANCELLED,
    (_S.AUTHORIZED, _O.CANCELLED_BY_STAFF): _S.CANCELLED,
    # A confirmed order has no row for RESERVATION_EXPIRED: inventory keeps what it holds until an order is cancelled,
    # so which of the two came first is decided here, by one document.
    (_S.CONFIRMED, _O.PARCEL_DISPATCHED): _S.DISPATCHED,
    # News of the delivery can overtake that of the dispatch.
    (_S.CONFIRMED, _O.PARCEL_DELIVERED): _S.DISPATCHED,
    (_S.CONFIRMED, _O.LAST_PARCEL_DELIVERED): _S.DELIVERED,
    (_S.CONFIRMED, _O.ALL_PARCELS_CAME_BACK): _S.CANCELLED,
    (_S.CONFIRMED, _O.CANCELLED_BY_CUSTOMER): _S.CANCELLED,
    (_S.CONFIRMED, _O.CANCELLED_BY_STAFF): _S.CANCELLED,
    (_S.DISPATCHED, _O.PARCEL_DISPATCHED): _S.DISPATCHED,
    (_S.DISPATCHED, _O.PARCEL_DELIVERED): _S.DISPATCHED,
    (_S.DISPATCHED, _O.LAST_PARCEL_DELIVERED): _S.DELIVERED,
    (_S.DISPATCHED, _O.ALL_PARCELS_CAME_BACK): _S.CANCELLED,
    # A parcel on its way is called back by staff alone: the money goes back before the goods do.
    (_S.DISPATCHED, _O.CANCELLED_BY_STAFF): _S.CANCELLED,
    (_S.DELIVERED, _O.RETURN_REQUESTED): _S.DELIVERED,
    (_S.DELIVERED, _O.RETURN_RECEIVED): _S.DELIVERED,
    (_S.DELIVERED, _O.LAST_RETURN_RECEIVED): _S.RETURNED,
}

_REFUSALS: Mapping[Stage, tuple[str, str]] = {
    Stage.PLACED: ("ORDER_NOT_CONFIRMED", "The order is not confirmed yet."),
    Stage.RESERVED: ("ORDER_NOT_CONFIRMED", "The order is not confirmed yet."),
    Stage.AUTHORIZED: ("ORDER_NOT_CONFIRMED", "The order is not confirmed yet."),
    Stage.CONFIRMED: ("ORDER_ALREADY_CONFIRMED", "The order is confirmed already."),
    Stage.DISPATCHED: ("ORDER_ALREADY_DISPATCHED", "The order is on its way: only our staff can call it back."),
    Stage.DELIVERED: ("ORDER_ALREADY_DELIVERED", "The order has been delivered: it can no longer be cancelled."),
    Stage.RETURNED: ("ORDER_ALREADY_RETURNED", "Everything of the order has been returned already."),
    Stage.CANCELLED: ("ORDER_ALREADY_CANCELLED", "The order has been cancelled already."),
}
_NOT_DELIVERED = ("ORDER_NOT_DELIVERED", "Only what has been delivered can be returned; cancel the order instead.")


class TransitionError(RefusalError):
    """Something that cannot happen to an order at its stage.

    ``early`` tells an event that came before its time, and must come again, from one that is a repeat or too late.
    """

    def __init__(self, stage: Stage, occurrence: Occurrence) -> None:
        is_return = occurrence is Occurrence.RETURN_REQUESTED
        before_delivery = stage in WAITING or stage in (Stage.CONFIRMED, Stage.DISPATCHED)
        code, message = _NOT_DELIVERED if is_return and before_delivery else _REFUSALS[stage]
        super().__init__(Problem(code, message, "orderId" if is_return else "id"))
        self.early = stage in WAITING and occurrence in _PARCEL_MOVES


def next_stage(stage: Stage, occurrence: Occurrence) -> Stage:
    """Where ``occurrence`` leads from ``stage``; raises TransitionError where the table has no such row."""
    try:
        return TRANSITIONS[stage, occurrence]
    except KeyError:
        raise TransitionError(stage, occurrence) from None
