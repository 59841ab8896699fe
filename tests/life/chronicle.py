"""The chronicle: which moves of an order, and which rare moments, the stories told so far came to.

A random story that never comes to the moments that are hard to get right proves nothing about them. So all that happens
is written down here, by a name for each kind of moment, and a test holds the stories to what they must have come to.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from subgraphs.chassis.events.event import Event
from subgraphs.orders.domain import Order
from subgraphs.orders.order_life import TRANSITIONS, Occurrence, Stage

_O = Occurrence
BROUGHT_BY = {
    "inventory.reserved": (_O.STOCK_RESERVED,),
    "inventory.rejected": (_O.STOCK_REJECTED,),
    "inventory.expired": (_O.RESERVATION_EXPIRED,),
    "payment.authorized": (_O.PAYMENT_AUTHORIZED,),
    "payment.declined": (_O.PAYMENT_DECLINED,),
    "payment.delayed": (_O.PAYMENT_DELAYED,),
    "shipment.dispatched": (_O.PARCEL_DISPATCHED,),
    "shipment.delivered": (_O.PARCEL_DELIVERED, _O.LAST_PARCEL_DELIVERED),
    "shipment.returned": (
        *(_O.PARCEL_DELIVERED, _O.LAST_PARCEL_DELIVERED, _O.ALL_PARCELS_CAME_BACK),
        *(_O.RETURN_RECEIVED, _O.LAST_RETURN_RECEIVED),
    ),
}
WISHES = {"CUSTOMER_REQUEST": _O.CANCELLED_BY_CUSTOMER, "STAFF_REQUEST": _O.CANCELLED_BY_STAFF}


def row(stage: Stage, occurrence: Occurrence) -> str:
    """The name of a row of the table of an order's life."""
    return f"{occurrence} at {stage}"


ROWS = frozenset(row(stage, occurrence) for stage, occurrence in TRANSITIONS)


@dataclass(slots=True)
class Chronicle:
    """How often each kind of moment came."""

    seen: Counter[str] = field(default_factory=Counter)

    def note(self, moment: str) -> None:
        """It came to this."""
        self.seen[moment] += 1

    def note_move(self, before: Order, after: Order, cause: Event | None) -> None:
        """An order moved, because of an event or of a wish (None)."""
        for occurrence in _occurrences(before, after, cause):
            if TRANSITIONS.get((before.stage, occurrence)) is after.stage:
                self.note(row(before.stage, occurrence))


def _occurrences(before: Order, after: Order, cause: Event | None) -> tuple[Occurrence, ...]:
    if cause is not None:
        return BROUGHT_BY[cause.type]
    if len(after.returns) > len(before.returns):
        return (_O.RETURN_REQUESTED,)
    return (WISHES[after.history[-1].code or ""],)


def is_overtaken(earlier: Event, event: Event) -> bool:
    """Whether ``event`` is about the same order as another one that was to come first."""
    same_order = earlier.data.get("orderId") == event.data.get("orderId")
    return same_order and earlier.type != event.type and int(earlier.id[4:]) < int(event.id[4:])


def expected(stories: int) -> frozenset[str]:
    """What so many stories must have come to; nothing where they are too few for chance to be fair."""
    if stories < FEW:
        return frozenset()
    return RARE if stories >= MANY else COMMON


FEW, MANY = 200, 2500
COMMON = frozenset(
    {
        row(Stage.PLACED, _O.STOCK_RESERVED),
        row(Stage.PLACED, _O.STOCK_REJECTED),
        row(Stage.RESERVED, _O.PAYMENT_AUTHORIZED),
        row(Stage.RESERVED, _O.PAYMENT_DECLINED),
        row(Stage.RESERVED, _O.PAYMENT_DELAYED),
        row(Stage.CONFIRMED, _O.PARCEL_DISPATCHED),
        row(Stage.DISPATCHED, _O.PARCEL_DISPATCHED),
        row(Stage.DISPATCHED, _O.PARCEL_DELIVERED),
        row(Stage.DISPATCHED, _O.LAST_PARCEL_DELIVERED),
        row(Stage.DELIVERED, _O.RETURN_REQUESTED),
    }
)
# Payments authorises what is reserved alone, so stock cannot refuse an order after that: orders does not rely on it.
NEVER = frozenset({row(Stage.AUTHORIZED, _O.STOCK_REJECTED)})
RARE = (ROWS - NEVER) | frozenset(
    {
        "cancelled while the bank was asked for AUTHORIZATION",
        "cancelled with a parcel IN_TRANSIT",
        "cancelled with several parcels, one IN_TRANSIT",
        "inventory crashed in the middle of order.placed",
        "inventory handled order.placed twice at once",
        "inventory.expired overtook inventory.reserved on its way to orders",
        "lost the answer to book",
        "lost the answer to perform",
        "order.cancelled overtook inventory.reserved on its way to payments",
        "order.cancelled overtook order.confirmed on its way to shipping",
        "order.cancelled overtook order.placed on its way to inventory",
        "order.cancelled overtook order.placed on its way to payments",
        "orders heard of payment.authorized again",
        "payment.authorized overtook inventory.reserved on its way to orders",
        "payments crashed in the middle of inventory.reserved",
        "payments handled shipment.dispatched twice at once",
        "payments heard of shipment.dispatched again",
        "returned with several parcels, one DELIVERED",
        "shipment.delivered overtook shipment.dispatched on its way to orders",
        "shipment.dispatched overtook order.cancelled on its way to payments",
        "shipment.returned overtook shipment.dispatched on its way to orders",
        "shipping crashed in the middle of its work",
        "shipping crashed in the middle of order.cancelled",
        "shipping crashed in the middle of order.confirmed",
        "shipping handled order.confirmed twice at once",
    }
)
