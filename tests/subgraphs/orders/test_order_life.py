"""The table of an order's life: every stage with everything that can happen."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from subgraphs.orders.changes import events_between, follow_parcel, move, take_reservation, wait_for_payment
from subgraphs.orders.domain import Allocation, Order, OrderCancelled, OrderConfirmed, Parcel, ParcelStatus
from subgraphs.orders.order_life import (
    TRANSITIONS,
    Occurrence,
    OrderStatus,
    Stage,
    TransitionError,
    WaitingFor,
    next_stage,
)
from tests.subgraphs.orders.examples import NOW, an_order

LATER = NOW + timedelta(seconds=1)
WHAT_HAPPENS = {
    Stage.PLACED: {
        Occurrence.STOCK_RESERVED: "RESERVED",
        Occurrence.STOCK_REJECTED: "CANCELLED",
        Occurrence.RESERVATION_EXPIRED: "CANCELLED",
        Occurrence.PAYMENT_AUTHORIZED: "AUTHORIZED",
        Occurrence.PAYMENT_DECLINED: "CANCELLED",
        Occurrence.PAYMENT_DELAYED: "PLACED",
        Occurrence.CANCELLED_BY_CUSTOMER: "CANCELLED",
        Occurrence.CANCELLED_BY_STAFF: "CANCELLED",
    },
    Stage.RESERVED: {
        Occurrence.RESERVATION_EXPIRED: "CANCELLED",
        Occurrence.PAYMENT_AUTHORIZED: "CONFIRMED",
        Occurrence.PAYMENT_DECLINED: "CANCELLED",
        Occurrence.PAYMENT_DELAYED: "RESERVED",
        Occurrence.CANCELLED_BY_CUSTOMER: "CANCELLED",
        Occurrence.CANCELLED_BY_STAFF: "CANCELLED",
    },
    Stage.AUTHORIZED: {
        Occurrence.STOCK_RESERVED: "CONFIRMED",
        Occurrence.STOCK_REJECTED: "CANCELLED",
        Occurrence.RESERVATION_EXPIRED: "CANCELLED",
        Occurrence.CANCELLED_BY_CUSTOMER: "CANCELLED",
        Occurrence.CANCELLED_BY_STAFF: "CANCELLED",
    },
    Stage.CONFIRMED: {
        Occurrence.PARCEL_DISPATCHED: "DISPATCHED",
        Occurrence.PARCEL_DELIVERED: "DISPATCHED",
        Occurrence.LAST_PARCEL_DELIVERED: "DELIVERED",
        Occurrence.ALL_PARCELS_CAME_BACK: "CANCELLED",
        Occurrence.CANCELLED_BY_CUSTOMER: "CANCELLED",
        Occurrence.CANCELLED_BY_STAFF: "CANCELLED",
    },
    Stage.DISPATCHED: {
        Occurrence.PARCEL_DISPATCHED: "DISPATCHED",
        Occurrence.PARCEL_DELIVERED: "DISPATCHED",
        Occurrence.LAST_PARCEL_DELIVERED: "DELIVERED",
        Occurrence.ALL_PARCELS_CAME_BACK: "CANCELLED",
        Occurrence.CANCELLED_BY_STAFF: "CANCELLED",
    },
    Stage.DELIVERED: {
        Occurrence.RETURN_REQUESTED: "DELIVERED",
        Occurrence.RETURN_RECEIVED: "DELIVERED",
        Occurrence.LAST_RETURN_RECEIVED: "RETURNED",
    },
    Stage.RETURNED: {},
    Stage.CANCELLED: {},
}
EARLY = {
    Occurrence.PARCEL_DISPATCHED,
    Occurrence.PARCEL_DELIVERED,
    Occurrence.LAST_PARCEL_DELIVERED,
    Occurrence.ALL_PARCELS_CAME_BACK,
}
PENDING = {Stage.PLACED, Stage.RESERVED, Stage.AUTHORIZED}
CELLS = [(stage, occurrence, row.get(occurrence)) for stage, row in WHAT_HAPPENS.items() for occurrence in Occurrence]


@pytest.mark.parametrize(("stage", "occurrence", "outcome"), CELLS)
def test_each_occurrence_leads_where_the_table_says(stage: Stage, occurrence: Occurrence, outcome: str | None) -> None:
    if outcome is None:
        with pytest.raises(TransitionError) as refused:
            next_stage(stage, occurrence)
        assert refused.value.early is (stage in PENDING and occurrence in EARLY)
    else:
        assert next_stage(stage, occurrence) is Stage(outcome)


def test_no_cell_of_the_table_is_left_out() -> None:
    assert len(CELLS) == len(Stage) * len(Occurrence)
    assert sum(outcome is not None for _, _, outcome in CELLS) == len(TRANSITIONS)


@pytest.mark.parametrize(
    ("stage", "code", "message"),
    [
        (Stage.DISPATCHED, "ORDER_ALREADY_DISPATCHED", "The order is on its way: only our staff can call it back."),
        (Stage.DELIVERED, "ORDER_ALREADY_DELIVERED", "The order has been delivered: it can no longer be cancelled."),
        (Stage.CANCELLED, "ORDER_ALREADY_CANCELLED", "The order has been cancelled already."),
    ],
)
def test_a_cancellation_that_comes_too_late_is_refused_with_the_code_of_its_stage(
    stage: Stage, code: str, message: str
) -> None:
    with pytest.raises(TransitionError) as refused:
        next_stage(stage, Occurrence.CANCELLED_BY_CUSTOMER)
    [problem] = refused.value.problems
    assert (problem.code, problem.message, problem.field) == (code, message, "id")


def test_three_stages_are_pending_and_the_others_are_named_like_their_status() -> None:
    assert {stage for stage in Stage if stage.status is OrderStatus.PENDING} == PENDING
    assert {stage.status for stage in Stage} == set(OrderStatus)


def test_a_pending_order_says_whom_it_waits_for() -> None:
    stages = (Stage.PLACED, Stage.RESERVED, Stage.AUTHORIZED, Stage.CONFIRMED)
    waiting = [an_order(stage=stage).waiting_for for stage in stages]
    both = (WaitingFor.STOCK, WaitingFor.PAYMENT)
    assert waiting == [both, (WaitingFor.PAYMENT,), (WaitingFor.STOCK,), ()]


def replay(order: Order, occurrences: tuple[Occurrence, ...]) -> Order:
    for occurrence in occurrences:
        try:
            order = move(order, occurrence, NOW)
        except TransitionError:
            continue
    return order


@pytest.mark.parametrize(
    ("occurrences", "stage"),
    [
        ((Occurrence.STOCK_RESERVED, Occurrence.PAYMENT_AUTHORIZED), Stage.CONFIRMED),
        ((Occurrence.STOCK_REJECTED, Occurrence.PAYMENT_AUTHORIZED), Stage.CANCELLED),
        ((Occurrence.STOCK_RESERVED, Occurrence.PAYMENT_DECLINED), Stage.CANCELLED),
        ((Occurrence.STOCK_RESERVED, Occurrence.PAYMENT_DELAYED, Occurrence.RESERVATION_EXPIRED), Stage.CANCELLED),
        ((Occurrence.STOCK_RESERVED, Occurrence.PAYMENT_AUTHORIZED, Occurrence.CANCELLED_BY_CUSTOMER), Stage.CANCELLED),
    ],
)
def test_answers_in_any_order_and_repeated_end_at_the_same_stage(
    occurrences: tuple[Occurrence, ...], stage: Stage
) -> None:
    for order in itertools.permutations(occurrences):
        assert replay(an_order(), (*order, *order)).stage is stage


def test_an_answer_within_pending_leaves_no_entry_in_the_history() -> None:
    order = an_order()
    assert move(order, Occurrence.STOCK_RESERVED, LATER) == replace(order, stage=Stage.RESERVED, updated_at=LATER)


def test_a_change_of_status_leaves_an_entry_with_reason_and_code() -> None:
    order = an_order()
    after = move(order, Occurrence.PAYMENT_DECLINED, NOW, "The card has expired.", "EXPIRED_CARD")
    assert after == replace(order, stage=Stage.CANCELLED, updated_at=NOW, history=after.history)
    entry = after.history[-1]
    assert (entry.from_status, entry.to_status, entry.at) == (OrderStatus.PENDING, OrderStatus.CANCELLED, NOW)
    assert (entry.reason, entry.code) == ("The card has expired.", "EXPIRED_CARD")


def test_a_change_without_a_reason_says_what_happened() -> None:
    after = move(an_order(stage=Stage.RESERVED), Occurrence.PAYMENT_AUTHORIZED, NOW)
    assert after.history[-1].reason == "Stock reserved and payment authorized."


def test_a_reservation_tells_each_line_where_it_comes_from() -> None:
    after = take_reservation(an_order(), {"MUG-001": (Allocation("BER", 1), Allocation("LYO", 1))}, NOW)
    assert after.stage is Stage.RESERVED
    assert after.lines[0].allocations == (Allocation("BER", 1), Allocation("LYO", 1))


def test_a_delayed_payment_is_told_once() -> None:
    waiting = wait_for_payment(an_order(stage=Stage.RESERVED), "The provider does not answer.", NOW)
    entry = waiting.history[-1]
    assert (entry.from_status, entry.to_status, entry.code) == (
        OrderStatus.PENDING,
        OrderStatus.PENDING,
        "PAYMENT_DELAYED",
    )
    assert wait_for_payment(waiting, "Still not.", LATER) is waiting


# --- parcels


def follow(order: Order, *news: Parcel) -> Order:
    for parcel in news:
        try:
            order = follow_parcel(order, parcel, NOW)
        except TransitionError:
            continue
    return order


SENT, DELIVERED, BACK = ParcelStatus
ONE = (Parcel(SENT, 1, 2), Parcel(DELIVERED, 1, 2))
OTHER = (Parcel(SENT, 2, 2), Parcel(DELIVERED, 2, 2))


def test_an_order_of_one_parcel_is_dispatched_and_delivered_with_it() -> None:
    dispatched = follow(an_order(stage=Stage.CONFIRMED), Parcel(SENT))
    assert dispatched.stage is Stage.DISPATCHED
    assert follow(dispatched, Parcel(DELIVERED)).stage is Stage.DELIVERED


def test_an_order_is_delivered_with_the_last_of_its_parcels_and_not_before() -> None:
    confirmed = an_order(stage=Stage.CONFIRMED)
    stages = [follow(confirmed, *[*ONE, *OTHER][:count]).stage for count in range(1, 5)]
    assert stages == [Stage.DISPATCHED, Stage.DISPATCHED, Stage.DISPATCHED, Stage.DELIVERED]


def test_news_of_parcels_in_any_order_and_repeated_end_delivered() -> None:
    for news in itertools.permutations((*ONE, *OTHER)):
        after = follow(an_order(stage=Stage.CONFIRMED), *news, *news)
        assert after.stage is Stage.DELIVERED
        assert [entry.to_status for entry in after.history[1:]] == [OrderStatus.DISPATCHED, OrderStatus.DELIVERED]


def test_an_order_that_came_back_whole_is_cancelled() -> None:
    after = follow(an_order(stage=Stage.DISPATCHED), Parcel(SENT, 1, 2), Parcel(BACK, 1, 2), Parcel(BACK, 2, 2))
    assert after.stage is Stage.CANCELLED
    assert (after.history[-1].reason, after.history[-1].code) == ("The carrier brought it back.", "PARCEL_CAME_BACK")


def test_an_order_of_which_some_came_back_is_delivered() -> None:
    after = follow(an_order(stage=Stage.DISPATCHED), Parcel(BACK, 1, 2), *OTHER)
    assert after.stage is Stage.DELIVERED


# --- what is told


@pytest.mark.parametrize(
    ("stage", "occurrence", "kinds"),
    [
        (Stage.PLACED, Occurrence.STOCK_RESERVED, []),
        (Stage.RESERVED, Occurrence.PAYMENT_AUTHORIZED, [OrderConfirmed]),
        (Stage.RESERVED, Occurrence.PAYMENT_DECLINED, [OrderCancelled]),
        (Stage.CONFIRMED, Occurrence.PARCEL_DISPATCHED, []),
        (Stage.DISPATCHED, Occurrence.CANCELLED_BY_STAFF, [OrderCancelled]),
    ],
)
def test_others_are_told_of_confirmation_and_cancellation(
    stage: Stage, occurrence: Occurrence, kinds: list[type]
) -> None:
    before = an_order(stage=stage)
    after = move(before, occurrence, NOW)
    assert [(type(event), event.order) for event in events_between(before, after)] == [(kind, after) for kind in kinds]
