"""What an order's money may do, whatever the order in which the news arrives."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from subgraphs.payments.domain import (
    TRANSITIONS,
    Approved,
    Declined,
    IllegalTransitionError,
    Money,
    OrderFact,
    Payment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentError,
    PaymentEvent,
    PaymentRefunded,
    PaymentStatus,
    PaymentVoided,
    SettlementStatus,
    Step,
    TransactionKind,
    TransactionStatus,
    payment_id_of,
)
from subgraphs.payments.refunds import RefundRequest
from subgraphs.payments.steps import News, begin_step, conclude_step, learn, next_step, postpone_step, request_refund
from tests.subgraphs.payments.examples import NOW, TOTAL, WHOLE, a_payment, captured


def step_of(payment: Payment) -> Step:
    step = next_step(payment)
    assert step is not None
    return step


def settle(payment: Payment, outcome: Approved | Declined | None = None) -> tuple[Payment, tuple[PaymentEvent, ...]]:
    """The payment when all calls were made and answered, and the events on the way."""
    events: tuple[PaymentEvent, ...] = ()
    while step := next_step(payment):
        change = conclude_step(begin_step(payment, step, NOW), step, outcome or Approved(), NOW, "INV-2026-000001")
        payment, events = change.payment, events + change.events
    return payment, events


def learn_all(payment: Payment, *facts: News) -> tuple[Payment, tuple[PaymentEvent, ...]]:
    """The payment that learns `facts` one by one and settles after each."""
    events: tuple[PaymentEvent, ...] = ()
    for fact in facts:
        change = learn(payment, fact, NOW)
        assert change is not None
        payment, further = settle(change.payment)
        events += change.events + further
    return payment, events


def refund_of(
    amount_minor: int, key: str = "key-1", currency: str = "EUR", reason: str = "Arrived damaged."
) -> RefundRequest:
    return RefundRequest(Money(amount_minor, currency), reason, key)


def test_an_order_has_one_payment_whose_id_follows_from_its_own() -> None:
    assert payment_id_of("ord_0123abcd") == "pay_0123abcd"


def test_nothing_is_authorised_before_stock_is_reserved() -> None:
    assert next_step(a_payment()) is None


def test_reserved_stock_leads_to_an_authorisation() -> None:
    payment, events = learn_all(a_payment(), OrderFact.RESERVED)
    assert payment.status is PaymentStatus.AUTHORIZED
    assert events == (PaymentAuthorized("ord_1", "pay_1", TOTAL),)
    assert [(t.kind, t.amount, t.status) for t in payment.transactions] == [
        (TransactionKind.AUTHORIZATION, TOTAL, TransactionStatus.SUCCEEDED)
    ]
    assert payment.due_at is None


def test_a_declined_authorisation_ends_the_payment_and_says_why() -> None:
    change = learn(a_payment(), OrderFact.RESERVED, NOW)
    assert change
    payment, events = settle(change.payment, Declined("EXPIRED_CARD", "The card has expired."))
    assert payment.status is PaymentStatus.DECLINED
    assert events == (PaymentDeclined("ord_1", "pay_1", "EXPIRED_CARD", "The card has expired."),)
    assert payment.transactions[0].reason == "The card has expired."
    cancelled = learn(payment, OrderFact.CANCELLED, NOW)
    assert cancelled
    assert (cancelled.payment.status, cancelled.events) == (PaymentStatus.DECLINED, ())


def test_dispatch_captures_the_amount_and_issues_the_invoice() -> None:
    payment, events = learn_all(a_payment(), OrderFact.RESERVED, WHOLE)
    assert payment.status is PaymentStatus.CAPTURED
    assert payment.captured == TOTAL
    assert events[1:] == (PaymentCaptured("ord_1", "pay_1", TOTAL, "shp_1"),)
    assert [(each.number, each.total) for each in payment.invoices] == [("INV-2026-000001", TOTAL)]


def test_cancellation_before_any_call_voids_without_asking_the_provider() -> None:
    change = learn(a_payment(), OrderFact.CANCELLED, NOW)
    assert change
    assert change.payment.status is PaymentStatus.VOIDED
    assert change.events == (PaymentVoided("ord_1", "pay_1"),)
    assert change.payment.transactions == ()
    assert next_step(change.payment) is None


def test_cancellation_during_an_authorisation_voids_at_the_provider() -> None:
    waiting = learn(a_payment(), OrderFact.RESERVED, NOW)
    assert waiting
    begun = begin_step(waiting.payment, step_of(waiting.payment), NOW)
    cancelled = learn(begun, OrderFact.CANCELLED, NOW)
    assert cancelled
    assert cancelled.payment.status is PaymentStatus.PENDING
    assert step_of(cancelled.payment).kind is TransactionKind.VOID
    payment, events = settle(cancelled.payment)
    assert (payment.status, events) == (PaymentStatus.VOIDED, (PaymentVoided("ord_1", "pay_1"),))


def test_cancellation_after_the_authorisation_voids_it() -> None:
    payment, events = learn_all(a_payment(), OrderFact.RESERVED, OrderFact.CANCELLED)
    assert payment.status is PaymentStatus.VOIDED
    assert events[-1] == PaymentVoided("ord_1", "pay_1")
    assert [t.kind for t in payment.transactions] == [TransactionKind.AUTHORIZATION, TransactionKind.VOID]


def test_cancellation_during_a_capture_concludes_it_and_then_refunds() -> None:
    authorized, _ = learn_all(a_payment(), OrderFact.RESERVED)
    dispatched = learn(authorized, WHOLE, NOW)
    assert dispatched
    begun = begin_step(dispatched.payment, step_of(dispatched.payment), NOW)
    cancelled = learn(begun, OrderFact.CANCELLED, NOW)
    assert cancelled
    assert step_of(cancelled.payment).kind is TransactionKind.CAPTURE
    payment, events = settle(cancelled.payment)
    assert payment.status is PaymentStatus.REFUNDED
    assert [type(event) for event in events] == [PaymentCaptured, PaymentRefunded]


def test_cancellation_after_the_capture_refunds_what_is_left() -> None:
    partly, _ = settle(request_refund(captured(), refund_of(1000), NOW))
    payment, events = learn_all(partly, OrderFact.CANCELLED)
    assert payment.status is PaymentStatus.REFUNDED
    assert payment.refunded == TOTAL
    (event,) = events
    assert isinstance(event, PaymentRefunded)
    assert event.amount == Money(4990, "EUR")
    assert event.reason == "The order was cancelled."


@pytest.mark.parametrize("facts", list(permutations([OrderFact.RESERVED, OrderFact.CANCELLED])))
def test_a_cancelled_order_holds_nothing_in_whatever_order_the_news_came(facts: tuple[News, ...]) -> None:
    payment, _ = learn_all(a_payment(), *facts)
    assert payment.status is PaymentStatus.VOIDED
    assert (payment.due_at, payment.refundable_minor) == (None, 0)


@pytest.mark.parametrize("facts", list(permutations([OrderFact.RESERVED, WHOLE])))
def test_early_and_late_news_end_in_the_same_state(facts: tuple[News, ...]) -> None:
    payment, events = learn_all(a_payment(), *facts)
    assert payment.status is PaymentStatus.CAPTURED
    assert [type(event) for event in events] == [PaymentAuthorized, PaymentCaptured]


def test_news_that_is_known_changes_nothing() -> None:
    payment, _ = learn_all(a_payment(), OrderFact.RESERVED)
    assert learn(payment, OrderFact.RESERVED, NOW) is None


def test_a_repeated_call_keeps_its_key_and_the_time_of_its_first_attempt() -> None:
    change = learn(a_payment(), OrderFact.RESERVED, NOW)
    assert change
    first = step_of(change.payment)
    begun = begin_step(change.payment, first, NOW)
    again = step_of(begun)
    assert (first.key, first.first_at) == ("pay_1:authorization", None)
    assert (again.key, again.first_at) == ("pay_1:authorization", NOW)
    twice = begin_step(begun, again, NOW + timedelta(seconds=60)).attempt
    assert twice is not None
    assert (twice.count, twice.first_at) == (2, NOW)


@pytest.mark.parametrize(("count", "pause_s"), [(1, 2.0), (2, 4.0), (5, 32.0), (30, 300.0)])
def test_pauses_between_attempts_grow_up_to_a_limit(count: int, pause_s: float) -> None:
    change = learn(a_payment(), OrderFact.RESERVED, NOW)
    assert change
    begun = begin_step(change.payment, step_of(change.payment), NOW)
    assert begun.attempt is not None
    waiting = postpone_step(replace(begun, attempt=replace(begun.attempt, count=count)), "No answer.", NOW).payment
    assert waiting.due_at == NOW + timedelta(seconds=pause_s)
    assert waiting.status is PaymentStatus.PENDING


def test_a_refused_capture_leaves_the_authorisation_and_is_not_repeated() -> None:
    authorized, _ = learn_all(a_payment(), OrderFact.RESERVED)
    change = learn(authorized, WHOLE, NOW)
    assert change
    payment, events = settle(change.payment, Declined("AUTHORIZATION_EXPIRED", "The authorisation has expired."))
    assert (payment.status, events) == (PaymentStatus.AUTHORIZED, ())
    assert payment.transactions[-1].reason == "The authorisation has expired."
    assert payment.due_at is None


def test_news_are_known_since_they_came() -> None:
    later = NOW + timedelta(hours=1)
    change = learn(a_payment(), OrderFact.CANCELLED, later)
    assert change
    assert (change.payment.status, change.payment.updated_at) == (PaymentStatus.VOIDED, later)


def test_a_single_cent_is_given_up_too_when_the_order_is_cancelled() -> None:
    payment, _ = learn_all(replace(a_payment(), amount=Money(1, "EUR")), OrderFact.RESERVED, OrderFact.CANCELLED)
    assert (payment.status, payment.held_minor) == (PaymentStatus.VOIDED, 0)


def test_a_refused_void_is_shown_and_not_repeated() -> None:
    authorized, _ = learn_all(a_payment(), OrderFact.RESERVED)
    change = learn(authorized, OrderFact.CANCELLED, NOW)
    assert change
    payment, events = settle(change.payment, Declined("SETTLED", "The amount is being settled."))
    assert (payment.status, events, payment.due_at) == (PaymentStatus.AUTHORIZED, (), None)
    assert (payment.transactions[-1].kind, payment.transactions[-1].reason) == (
        TransactionKind.VOID,
        "The amount is being settled.",
    )


def test_refunds_add_up_until_everything_is_given_back() -> None:
    partly, first = settle(request_refund(captured(), refund_of(1000, "a"), NOW))
    assert (partly.status, partly.refunded) == (PaymentStatus.PARTIALLY_REFUNDED, Money(1000, "EUR"))
    whole, second = settle(request_refund(partly, refund_of(4990, "b"), NOW))
    assert (whole.status, whole.refunded) == (PaymentStatus.REFUNDED, TOTAL)
    assert [type(event) for event in first + second] == [PaymentRefunded, PaymentRefunded]


def test_a_refused_refund_frees_its_amount() -> None:
    payment, events = settle(request_refund(captured(), refund_of(5990), NOW), Declined("NO", "The account is closed."))
    assert (payment.status, events, payment.refundable_minor) == (PaymentStatus.CAPTURED, (), 5990)
    assert (payment.refunds[0].status, payment.refunds[0].failure) == (
        SettlementStatus.FAILED,
        "The account is closed.",
    )


def test_a_pending_refund_counts_against_the_next_one() -> None:
    pending = request_refund(captured(), refund_of(5000, "a"), NOW)
    with pytest.raises(PaymentError, match=r"^At most 9\.90 EUR of this payment can still be refunded\.$") as refused:
        request_refund(pending, refund_of(991, "b"), NOW)
    assert refused.value.code == "REFUND_EXCEEDS_CAPTURED"


def test_the_same_refund_under_the_same_key_is_one_refund() -> None:
    once = request_refund(captured(), refund_of(1000), NOW)
    assert request_refund(once, refund_of(1000), NOW) is once


@pytest.mark.parametrize(
    ("payment", "request_", "code", "field"),
    [
        (captured(), refund_of(1000, currency="USD"), "CURRENCY_NOT_SUPPORTED", "amount.currencyCode"),
        (captured(), refund_of(0), "AMOUNT_NOT_POSITIVE", "amount.amount"),
        (captured(), refund_of(-1), "AMOUNT_NOT_POSITIVE", "amount.amount"),
        (captured(), refund_of(5991), "REFUND_EXCEEDS_CAPTURED", "amount.amount"),
        (captured(), refund_of(1, reason="  "), "REASON_INVALID", "reason"),
        (captured(), refund_of(1, reason="x" * 501), "REASON_INVALID", "reason"),
        (captured(), refund_of(1, reason="x" + " " * 500), "REASON_INVALID", "reason"),
        (captured(), refund_of(1, key=""), "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
        (captured(), refund_of(1, key="k" * 129), "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
        (captured(), refund_of(1, key="order-cancelled"), "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
        (request_refund(captured(), refund_of(1), NOW), refund_of(2), "IDEMPOTENCY_KEY_REUSED", "idempotencyKey"),
        (a_payment(PaymentStatus.AUTHORIZED), refund_of(1), "NOTHING_CAPTURED", "paymentId"),
        (a_payment(PaymentStatus.DECLINED), refund_of(1), "NOTHING_CAPTURED", "paymentId"),
    ],
)
def test_a_wrong_refund_is_refused_with_a_code_and_a_field(
    payment: Payment, request_: RefundRequest, code: str, field: str
) -> None:
    with pytest.raises(PaymentError) as refused:
        request_refund(payment, request_, NOW)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_payment_has_a_limited_number_of_refunds() -> None:
    payment = captured()
    for number in range(100):
        payment, _ = settle(request_refund(payment, refund_of(1, str(number)), NOW))
    with pytest.raises(PaymentError) as refused:
        request_refund(payment, refund_of(1, "one more"), NOW)
    assert refused.value.code == "TOO_MANY_REFUNDS"


def test_final_states_have_no_way_out() -> None:
    final = {status for status, targets in TRANSITIONS.items() if not targets}
    assert final == {PaymentStatus.DECLINED, PaymentStatus.REFUNDED, PaymentStatus.VOIDED}


def test_a_change_that_is_not_in_the_table_is_a_defect() -> None:
    step = Step(TransactionKind.VOID, "pay_1:void", "pay_1", TOTAL, "tok_approved")
    with pytest.raises(IllegalTransitionError, match="payment pay_1 cannot go from CAPTURED to CAPTURED"):
        conclude_step(captured(), step, Approved(), NOW)
