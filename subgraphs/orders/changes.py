"""What becomes of an order: pure functions from one order to the next.

::

    placed -> take_reservation(placed, ...) -> move(..., PAYMENT_AUTHORIZED) -> follow_parcel(..., ...) -> delivered

Each gives the same order back, unchanged, for news that it knows already, and raises TransitionError for what cannot
happen to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from subgraphs.orders.domain import (
    Allocation,
    Order,
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
    Parcel,
    ParcelStatus,
    ReturnRequested,
    StatusChange,
)
from subgraphs.orders.order_life import Occurrence, Stage, next_stage

PAYMENT_DELAYED = "PAYMENT_DELAYED"
_REASONS: Mapping[Stage, str] = {
    Stage.CONFIRMED: "Stock reserved and payment authorized.",
    Stage.DISPATCHED: "Handed over to the carrier.",
    Stage.DELIVERED: "Delivered to the customer.",
    Stage.RETURNED: "Everything was returned.",
    Stage.CANCELLED: "Cancelled.",
}
_PROGRESS = tuple(ParcelStatus)


def move(
    order: Order, occurrence: Occurrence, at: datetime, reason: str | None = None, code: str | None = None
) -> Order:
    """The order after ``occurrence``; raises TransitionError where it cannot happen to it."""
    stage = next_stage(order.stage, occurrence)
    history = order.history
    if stage.status is not order.status:
        entry = StatusChange(order.status, stage.status, at, reason or _REASONS[stage], code)
        history = (*history, entry)
    return replace(order, stage=stage, updated_at=at, history=history)


def take_reservation(order: Order, allocations: Mapping[str, tuple[Allocation, ...]], at: datetime) -> Order:
    """The order whose stock is set aside: ``allocations`` by product."""
    lines = tuple(replace(line, allocations=allocations.get(line.product_id, ())) for line in order.lines)
    return move(replace(order, lines=lines), Occurrence.STOCK_RESERVED, at)


def wait_for_payment(order: Order, reason: str, at: datetime) -> Order:
    """The order whose payment takes longer than usual: it says so, once, in its history."""
    after = move(order, Occurrence.PAYMENT_DELAYED, at)
    if any(entry.code == PAYMENT_DELAYED for entry in order.history):
        return order
    entry = StatusChange(order.status, order.status, at, reason, PAYMENT_DELAYED)
    return replace(after, history=(*after.history, entry))


def follow_parcel(order: Order, parcel: Parcel, at: datetime) -> Order:
    """The order after news of one of its parcels; news that are older than what is known change nothing."""
    known = {each.index: each for each in order.parcels}
    earlier = known.get(parcel.index)
    if earlier and _PROGRESS.index(earlier.status) >= _PROGRESS.index(parcel.status):
        return order
    known[parcel.index] = parcel
    parcels = tuple(known[index] for index in sorted(known))
    occurrence = _parcel_occurrence(parcels, parcel)
    came_back = occurrence is Occurrence.ALL_PARCELS_CAME_BACK
    reason, code = ("The carrier brought it back.", "PARCEL_CAME_BACK") if came_back else (None, None)
    return move(replace(order, parcels=parcels), occurrence, at, reason, code)


def was_cancelled(order: Order, reason: str, code: str) -> bool:
    """Whether it was cancelled for just this ``reason`` and ``code``.

    An order is cancelled once, so its id is the idempotency key of that, and who asks with the same words repeats.
    """
    last = order.history[-1]
    return order.stage is Stage.CANCELLED and (last.reason, last.code) == (reason, code)


def events_between(before: Order, after: Order) -> tuple[OrderEvent, ...]:
    """What to tell of the change from ``before`` to ``after``."""
    events: list[OrderEvent] = [ReturnRequested(after, each) for each in after.returns[len(before.returns) :]]
    if after.stage is not before.stage and after.stage is Stage.CONFIRMED:
        events.append(OrderConfirmed(after))
    if after.stage is not before.stage and after.stage is Stage.CANCELLED:
        events.append(OrderCancelled(after))
    return tuple(events)


def _parcel_occurrence(parcels: Sequence[Parcel], news: Parcel) -> Occurrence:
    arrived = [each.status for each in parcels if each.status is not ParcelStatus.DISPATCHED]
    if len(arrived) < news.count:
        dispatched = news.status is ParcelStatus.DISPATCHED
        return Occurrence.PARCEL_DISPATCHED if dispatched else Occurrence.PARCEL_DELIVERED
    # Where some were delivered and others came back, staff refund those: nobody knows whether they are sent again.
    all_came_back = all(status is ParcelStatus.RETURNED for status in arrived)
    return Occurrence.ALL_PARCELS_CAME_BACK if all_came_back else Occurrence.LAST_PARCEL_DELIVERED
