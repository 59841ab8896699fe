"""The table of an order's life: every stage with everything that can happen."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from subgraphs.orders.domain import (
    TRANSITIONS,
    Change,
    Occurrence,
    Order,
    OrderStatus,
    Stage,
    TransitionError,
    move,
    moved,
    next_stage,
)
from tests.subgraphs.orders.examples import NOW, an_order

WHAT_HAPPENS = {
    Stage.PLACED: "RESERVED CANCELLED AUTHORIZED CANCELLED early early CANCELLED CANCELLED",
    Stage.RESERVED: "- - CONFIRMED CANCELLED early early CANCELLED CANCELLED",
    Stage.AUTHORIZED: "CONFIRMED CANCELLED - - early early CANCELLED CANCELLED",
    Stage.CONFIRMED: "- - - - DISPATCHED DELIVERED CANCELLED CANCELLED",
    Stage.DISPATCHED: "- - - - - DELIVERED - CANCELLED",
    Stage.DELIVERED: "- - - - - - - -",
    Stage.CANCELLED: "- - - - - - - -",
}
CELLS = [
    (stage, occurrence, outcome)
    for stage, row in WHAT_HAPPENS.items()
    for occurrence, outcome in zip(Occurrence, row.split(), strict=True)
]


@pytest.mark.parametrize(("stage", "occurrence", "outcome"), CELLS)
def test_each_occurrence_leads_where_the_table_says(stage: Stage, occurrence: Occurrence, outcome: str) -> None:
    if outcome in ("-", "early"):
        with pytest.raises(TransitionError) as refused:
            next_stage(stage, occurrence)
        assert refused.value.early is (outcome == "early")
    else:
        assert next_stage(stage, occurrence) is Stage(outcome)


def test_no_cell_of_the_table_is_left_out() -> None:
    assert len(CELLS) == len(Stage) * len(Occurrence)
    assert sum(outcome not in ("-", "early") for _, _, outcome in CELLS) == len(TRANSITIONS)


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
    pending = {stage for stage in Stage if stage.status is OrderStatus.PENDING}
    assert pending == {Stage.PLACED, Stage.RESERVED, Stage.AUTHORIZED}
    assert {stage.status for stage in Stage} == set(OrderStatus)


def replay(order: Order, occurrences: tuple[Occurrence, ...]) -> Order:
    for occurrence in occurrences:
        try:
            order = moved(order, move(order, occurrence, NOW))
        except TransitionError:
            continue
    return order


@pytest.mark.parametrize(
    ("occurrences", "stage"),
    [
        ((Occurrence.STOCK_RESERVED, Occurrence.PAYMENT_AUTHORIZED), Stage.CONFIRMED),
        ((Occurrence.STOCK_REJECTED, Occurrence.PAYMENT_AUTHORIZED), Stage.CANCELLED),
        ((Occurrence.STOCK_RESERVED, Occurrence.PAYMENT_DECLINED), Stage.CANCELLED),
        ((Occurrence.STOCK_RESERVED, Occurrence.PAYMENT_AUTHORIZED, Occurrence.CANCELLED_BY_CUSTOMER), Stage.CANCELLED),
    ],
)
def test_answers_in_any_order_and_repeated_end_at_the_same_stage(
    occurrences: tuple[Occurrence, ...], stage: Stage
) -> None:
    for order in itertools.permutations(occurrences):
        assert replay(an_order(), (*order, *order)).stage is stage


def test_news_of_delivery_before_that_of_dispatch_ends_delivered() -> None:
    confirmed = an_order(stage=Stage.CONFIRMED)
    assert replay(confirmed, (Occurrence.PARCEL_DELIVERED, Occurrence.PARCEL_DISPATCHED)).stage is Stage.DELIVERED


def test_an_answer_within_pending_leaves_no_entry_in_the_history() -> None:
    change = move(an_order(), Occurrence.STOCK_RESERVED, NOW)
    assert change == Change(an_order().id, Stage.PLACED, Stage.RESERVED, NOW, None)


def test_a_change_of_status_leaves_an_entry_with_reason_and_code() -> None:
    order = an_order()
    after = moved(order, move(order, Occurrence.PAYMENT_DECLINED, NOW, "The card has expired.", "EXPIRED_CARD"))
    assert after == replace(order, stage=Stage.CANCELLED, updated_at=NOW, history=after.history)
    entry = after.history[-1]
    assert (entry.from_status, entry.to_status, entry.at) == (OrderStatus.PENDING, OrderStatus.CANCELLED, NOW)
    assert (entry.reason, entry.code) == ("The card has expired.", "EXPIRED_CARD")


def test_a_change_without_a_reason_says_what_happened() -> None:
    order = an_order(stage=Stage.RESERVED)
    after = moved(order, move(order, Occurrence.PAYMENT_AUTHORIZED, NOW))
    assert after.history[-1].reason == "Stock reserved and payment authorized."
