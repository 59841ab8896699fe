"""Sending a delivered order back: what may be returned, what is refunded for it, and what is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from subgraphs.orders.changes import events_between
from subgraphs.orders.domain import Money, Order, OrderLine, ReturnLine, ReturnRequested, ReturnStatus
from subgraphs.orders.order_life import OrderStatus, Stage
from subgraphs.orders.refusal import RefusalError
from subgraphs.orders.returns import MAX_RETURNS, ReturnRequest, receive_return, request_return, returnable
from tests.subgraphs.orders.examples import NOW, an_order

LATER = NOW + timedelta(days=3)
LINES = (OrderLine("MUG-001", 3, Money(1250), 400), OrderLine("LMP-001", 1, Money(8900), 2100))


def delivered() -> Order:
    """Three mugs and a lamp, sent for 9.90."""
    return an_order(stage=Stage.DELIVERED, lines=LINES)


def wish(lines: Sequence[tuple[str, int]] | None, key: str = "key-1", reason: str = "broken") -> ReturnRequest:
    named = None if lines is None else tuple(ReturnLine(*line) for line in lines)
    return ReturnRequest(named, reason, key)


def refusals(order: Order, request: ReturnRequest) -> list[tuple[str, str | None]]:
    with pytest.raises(RefusalError) as refused:
        request_return(order, request, NOW)
    return [(problem.code, problem.field) for problem in refused.value.problems]


def received(order: Order) -> Order:
    for each in order.returns:
        order = receive_return(order, each.id, LATER)
    return order


def test_a_whole_order_is_returned_with_its_shipping_fee() -> None:
    before = delivered()
    after = request_return(before, wish(None), NOW)
    [requested] = after.returns
    assert requested.lines == (ReturnLine("MUG-001", 3), ReturnLine("LMP-001", 1))
    assert (requested.refund, requested.status, requested.received_at) == (
        before.total,
        ReturnStatus.REQUESTED,
        None,
    )
    assert (after.status, after.history) == (OrderStatus.DELIVERED, before.history)
    assert events_between(before, after) == (ReturnRequested(after, requested),)


def test_some_lines_are_returned_for_what_they_cost() -> None:
    after = request_return(delivered(), wish([("MUG-001", 2)]), NOW)
    assert after.returns[0].refund == Money(2500)
    assert returnable(after) == {"MUG-001": 1, "LMP-001": 1}


def test_the_shipping_fee_is_kept_where_everything_comes_back_bit_by_bit() -> None:
    order = delivered()
    for number, lines in enumerate(([("MUG-001", 2)], None)):
        order = request_return(order, wish(lines, f"key-{number}"), NOW)
    assert [each.refund for each in order.returns] == [Money(2500), Money(1250 + 8900)]
    assert sum(each.refund.amount_minor for each in order.returns) == order.subtotal.amount_minor


def test_a_repeat_under_the_same_key_changes_nothing() -> None:
    once = request_return(delivered(), wish([("MUG-001", 2)]), NOW)
    assert request_return(once, wish([("MUG-001", 2)], reason=" broken "), LATER) is once
    assert refusals(once, wish([("MUG-001", 1)])) == [("IDEMPOTENCY_KEY_REUSED", "idempotencyKey")]


def test_a_repeat_is_answered_after_everything_has_come_back() -> None:
    done = received(request_return(delivered(), wish(None), NOW))
    assert done.stage is Stage.RETURNED
    assert request_return(done, wish(None), LATER) is done


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (wish([]), ("RETURN_EMPTY", "lines")),
        (wish([("POT-009", 1)]), ("PRODUCT_NOT_IN_ORDER", "lines.0.productId")),
        (wish([("MUG-001", 4)]), ("RETURN_QUANTITY_INVALID", "lines.0.quantity")),
        (wish([("MUG-001", 0)]), ("RETURN_QUANTITY_INVALID", "lines.0.quantity")),
        (wish([("MUG-001", -1)]), ("RETURN_QUANTITY_INVALID", "lines.0.quantity")),
        (wish([("MUG-001", 1), ("MUG-001", 1)]), ("PRODUCT_REPEATED", "lines.1.productId")),
        (wish(None, key=""), ("IDEMPOTENCY_KEY_INVALID", "idempotencyKey")),
        (wish(None, reason=" "), ("REASON_INVALID", "reason")),
    ],
)
def test_a_wrong_request_is_refused_with_code_and_field(
    request_: ReturnRequest, refusal: tuple[str, str | None]
) -> None:
    assert refusals(delivered(), request_) == [refusal]


def test_what_is_on_its_way_back_cannot_be_returned_again() -> None:
    order = request_return(delivered(), wish([("MUG-001", 2)]), NOW)
    assert refusals(order, wish([("MUG-001", 2)], "key-2")) == [("RETURN_QUANTITY_INVALID", "lines.0.quantity")]
    everything = request_return(order, wish(None, "key-3"), NOW)
    assert refusals(everything, wish(None, "key-4")) == [("NOTHING_TO_RETURN", None)]


def test_the_number_of_returns_is_limited() -> None:
    order = an_order(stage=Stage.DELIVERED, lines=(OrderLine("MUG-001", 999, Money(1250), 400),))
    for number in range(MAX_RETURNS):
        order = request_return(order, wish([("MUG-001", 1)], f"key-{number}"), NOW)
    assert refusals(order, wish(None, "one more")) == [("TOO_MANY_RETURNS", None)]


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        (Stage.PLACED, "ORDER_NOT_DELIVERED"),
        (Stage.RESERVED, "ORDER_NOT_DELIVERED"),
        (Stage.AUTHORIZED, "ORDER_NOT_DELIVERED"),
        (Stage.CONFIRMED, "ORDER_NOT_DELIVERED"),
        (Stage.DISPATCHED, "ORDER_NOT_DELIVERED"),
        (Stage.RETURNED, "ORDER_ALREADY_RETURNED"),
        (Stage.CANCELLED, "ORDER_ALREADY_CANCELLED"),
    ],
)
def test_only_a_delivered_order_can_be_returned(stage: Stage, code: str) -> None:
    assert refusals(an_order(stage=stage), wish(None)) == [(code, "orderId")]


def test_a_return_that_arrived_is_received_once() -> None:
    order = request_return(delivered(), wish([("MUG-001", 2)]), NOW)
    back = received(order)
    assert (back.stage, back.returns[0].status, back.returns[0].received_at) == (
        Stage.DELIVERED,
        ReturnStatus.RECEIVED,
        LATER,
    )
    assert received(back) is back
    assert receive_return(back, "ret_unknown", LATER) is back


def test_an_order_is_returned_when_all_its_pieces_have_arrived() -> None:
    order = request_return(delivered(), wish([("MUG-001", 2)]), NOW)
    order = request_return(order, wish(None, "key-2"), NOW)
    half = receive_return(order, order.returns[1].id, LATER)
    assert half.stage is Stage.DELIVERED
    whole = received(half)
    assert whole.stage is Stage.RETURNED
    assert (whole.history[-1].to_status, whole.history[-1].reason) == (
        OrderStatus.RETURNED,
        "Everything was returned.",
    )
