"""Returns: the refund that orders promises is given when the goods are back, once, and of captured money alone."""

from __future__ import annotations

from itertools import permutations

import pytest

from subgraphs.payments.domain import Declined, Money, OrderFact, PaymentRefunded, PaymentStatus
from subgraphs.payments.refunds import RefundRequest, ReturnReceived, ReturnRequested
from subgraphs.payments.steps import News, conclude_step, learn, next_step, request_refund
from tests.subgraphs.payments.examples import MUGS, NOW, REST, TOTAL, WHOLE, a_payment
from tests.subgraphs.payments.test_captures import story, told

REQUESTED = ReturnRequested("ret_1", Money(2500, "EUR"), "Too small.")
RECEIVED = ReturnReceived("ret_1")


@pytest.mark.parametrize("news", list(permutations([REQUESTED, RECEIVED])))
def test_a_return_is_refunded_when_both_are_known(news: tuple[News, ...]) -> None:
    captured = told(a_payment(), OrderFact.RESERVED, WHOLE)
    one, events = story(captured, news[0])
    assert (one.refunded, events) == (Money(0, "EUR"), ())
    payment, events = story(one, news[1])
    assert (payment.status, payment.refunded) == (PaymentStatus.PARTIALLY_REFUNDED, Money(2500, "EUR"))
    (event,) = events
    assert isinstance(event, PaymentRefunded)
    assert (event.amount, event.reason) == (Money(2500, "EUR"), "Too small.")


@pytest.mark.parametrize("news", [REQUESTED, RECEIVED])
def test_repeated_news_of_a_return_changes_nothing(news: News) -> None:
    payment = told(a_payment(), OrderFact.RESERVED, WHOLE, REQUESTED, RECEIVED)
    assert learn(payment, news, NOW) is None


def test_a_second_return_is_another_refund() -> None:
    second = (ReturnRequested("ret_2", Money(3490, "EUR"), "Broken."), ReturnReceived("ret_2"))
    payment = told(a_payment(), OrderFact.RESERVED, WHOLE, REQUESTED, RECEIVED, *second)
    assert (payment.status, payment.refunded) == (PaymentStatus.REFUNDED, TOTAL)


def test_a_return_waits_for_the_capture() -> None:
    payment = told(a_payment(), REQUESTED, RECEIVED, OrderFact.RESERVED)
    assert (payment.status, payment.refunds) == (PaymentStatus.AUTHORIZED, ())
    assert told(payment, WHOLE).refunded == Money(2500, "EUR")


def test_a_return_that_is_heard_of_before_the_last_parcel_is_refunded_in_full() -> None:
    payment = told(a_payment(), OrderFact.RESERVED, MUGS, REQUESTED, RECEIVED)
    assert (payment.captured, payment.refunds) == (Money(2490, "EUR"), ())
    payment = told(payment, REST)
    assert [refund.amount for refund in payment.refunds] == [Money(2500, "EUR")]


def test_what_staff_gave_back_is_not_given_back_again() -> None:
    captured = told(a_payment(), OrderFact.RESERVED, WHOLE)
    refunding = request_refund(captured, RefundRequest(Money(5000, "EUR"), "Arrived damaged.", "key-1"), NOW)
    payment = told(refunding, REQUESTED, RECEIVED)
    assert (payment.status, payment.refunded) == (PaymentStatus.REFUNDED, TOTAL)
    assert [refund.amount.amount_minor for refund in payment.refunds] == [5000, 990]
    assert next_step(payment) is None


def test_a_return_is_refunded_in_full_where_the_provider_declines_what_staff_asked_for() -> None:
    captured = told(a_payment(), OrderFact.RESERVED, WHOLE)
    asked = request_refund(captured, RefundRequest(Money(5000, "EUR"), "Arrived damaged.", "key-1"), NOW)
    for news in (REQUESTED, RECEIVED):
        change = learn(asked, news, NOW)
        assert change
        asked = change.payment
    step = next_step(asked)
    assert step
    payment = conclude_step(asked, step, Declined("CLOSED", "The account is closed."), NOW).payment
    assert [refund.amount.amount_minor for refund in payment.refunds] == [5000, 2500]


def test_a_cancelled_order_is_refunded_once_whatever_comes_back() -> None:
    payment = told(a_payment(), OrderFact.RESERVED, WHOLE, OrderFact.CANCELLED, REQUESTED, RECEIVED)
    assert [refund.amount for refund in payment.refunds] == [TOTAL]
