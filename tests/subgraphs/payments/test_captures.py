"""Split shipments: each parcel is captured on its own, and all of them are the total."""

from __future__ import annotations

from itertools import permutations

import pytest

from subgraphs.payments.captures import DispatchedParcel
from subgraphs.payments.domain import (
    Approved,
    Declined,
    Money,
    OrderFact,
    Payment,
    PaymentCaptured,
    PaymentEvent,
    PaymentRefunded,
    PaymentStatus,
    SettlementStatus,
)
from subgraphs.payments.steps import News, begin_step, conclude_step, learn, next_step
from tests.subgraphs.payments.examples import MUGS, NOW, REST, TOTAL, a_payment

DECLINED = Declined("EXPIRED", "The authorisation has expired.")


def told(payment: Payment, *news: News, outcome: Approved | Declined | None = None) -> Payment:
    return story(payment, *news, outcome=outcome)[0]


def story(
    payment: Payment, *news: News, outcome: Approved | Declined | None = None
) -> tuple[Payment, tuple[PaymentEvent, ...]]:
    """The payment that learns ``news`` one by one, each call answered with ``outcome``, and the events on the way."""
    events: tuple[PaymentEvent, ...] = ()
    for each in news:
        change = learn(payment, each, NOW)
        assert change
        payment, events = change.payment, events + change.events
        while step := next_step(payment):
            number = f"INV-2026-{len(payment.invoices) + 1:06}"
            change = conclude_step(begin_step(payment, step, NOW), step, outcome or Approved(), NOW, number)
            payment, events = change.payment, events + change.events
    return payment, events


def test_the_first_parcel_is_captured_with_the_shipping_fee() -> None:
    payment, events = story(a_payment(), OrderFact.RESERVED, MUGS)
    assert payment.status is PaymentStatus.PARTIALLY_CAPTURED
    assert (payment.captured, payment.held_minor) == (Money(2490, "EUR"), 3500)
    assert events[-1] == PaymentCaptured("ord_1", "pay_1", Money(2490, "EUR"), "shp_ber")
    assert [(bill.number, bill.total) for bill in payment.invoices] == [("INV-2026-000001", Money(2490, "EUR"))]


@pytest.mark.parametrize("news", list(permutations([OrderFact.RESERVED, MUGS, REST])))
def test_all_parcels_are_the_total_in_whatever_order_the_news_came(news: tuple[News, ...]) -> None:
    payment, events = story(a_payment(), *news)
    assert (payment.status, payment.captured, payment.held_minor) == (PaymentStatus.CAPTURED, TOTAL, 0)
    amounts = {event.shipment_id: event.amount.amount_minor for event in events if isinstance(event, PaymentCaptured)}
    mugs_first = news.index(MUGS) < news.index(REST)
    assert amounts == ({"shp_ber": 2490, "shp_par": 3500} if mugs_first else {"shp_ber": 2000, "shp_par": 3990})
    assert sum(bill.total.amount_minor for bill in payment.invoices) == 5990


def test_a_parcel_that_is_known_is_not_captured_again() -> None:
    assert learn(told(a_payment(), OrderFact.RESERVED, MUGS), MUGS, NOW) is None


def test_pieces_that_nobody_ordered_take_no_more_than_what_is_authorised() -> None:
    many = DispatchedParcel("shp_1", (("MUG-001", 1000), ("UNKNOWN", 5)), 3)
    payment = told(a_payment(), OrderFact.RESERVED, many, MUGS)
    assert (payment.status, payment.captured) == (PaymentStatus.CAPTURED, TOTAL)
    assert [capture.amount.amount_minor for capture in payment.captures] == [5990, 0]
    assert payment.captures[1].status is SettlementStatus.SUCCEEDED


def test_a_refused_capture_leaves_the_other_parcels_alone() -> None:
    authorized = told(a_payment(), OrderFact.RESERVED)
    payment = told(told(authorized, MUGS, outcome=DECLINED), REST)
    assert [capture.status.value for capture in payment.captures] == ["FAILED", "SUCCEEDED"]
    assert (payment.status, payment.captured) == (PaymentStatus.PARTIALLY_CAPTURED, Money(3500, "EUR"))
    assert len(payment.invoices) == 1


def test_a_cancellation_between_two_parcels_lets_the_rest_go_and_refunds_the_first() -> None:
    payment, events = story(a_payment(), OrderFact.RESERVED, MUGS, OrderFact.CANCELLED)
    assert (payment.status, payment.refunded, payment.held_minor) == (PaymentStatus.REFUNDED, Money(2490, "EUR"), 0)
    assert [type(event) for event in events[1:]] == [PaymentCaptured, PaymentRefunded]
    assert [transaction.amount.amount_minor for transaction in payment.transactions] == [5990, 2490, 3500, 2490]
    late = learn(payment, REST, NOW)
    assert late
    assert next_step(late.payment) is None


def test_a_parcel_whose_capture_is_in_the_air_at_the_cancellation_is_refunded_too() -> None:
    change = learn(told(a_payment(), OrderFact.RESERVED, MUGS), REST, NOW)
    assert change
    step = next_step(change.payment)
    assert step
    cancelled = learn(begin_step(change.payment, step, NOW), OrderFact.CANCELLED, NOW)
    assert cancelled
    assert cancelled.payment.refunds == (), "what is to be given back is known only when the capture is concluded"
    change = conclude_step(cancelled.payment, step, Approved(), NOW, "INV-2026-000002")
    assert [refund.amount for refund in change.payment.refunds] == [TOTAL]


def test_a_parcel_of_a_declined_payment_captures_nothing() -> None:
    payment = told(a_payment(), OrderFact.RESERVED, outcome=DECLINED)
    late = learn(payment, MUGS, NOW)
    assert late
    assert next_step(late.payment) is None


def test_a_parcel_of_a_cancelled_order_captures_nothing_where_the_provider_would_not_let_go() -> None:
    payment = told(told(a_payment(), OrderFact.RESERVED), OrderFact.CANCELLED, outcome=DECLINED)
    assert payment.held_minor == 5990
    late = learn(payment, MUGS, NOW)
    assert late
    assert next_step(late.payment) is None
