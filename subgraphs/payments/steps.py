"""How a payment goes on: pure functions from one payment to the next.

Theory of operation. A payment learns facts about its order (reserved, cancelled, a parcel dispatched, a return asked
for and received) in whatever order the events arrive, and ``next_step`` derives from what is known the one call that
the provider has to make next. So early, late and repeated events end in the same state. A call is first written down
(``begin_step``: the claim), then made, then concluded (``conclude_step``): after a crash at any instant the same call
is made again under the same key.

    PENDING + RESERVED             -> AUTHORIZATION -> AUTHORIZED | DECLINED
    held + a dispatched parcel     -> CAPTURE       -> PARTIALLY_CAPTURED | CAPTURED
    PENDING or held + CANCELLED    -> VOID          -> VOIDED, or what was captured so far
    captured + CANCELLED, a return, or a refund asked for by staff -> REFUND -> PARTIALLY_REFUNDED | REFUNDED
"""

from dataclasses import replace
from datetime import datetime, timedelta

from subgraphs.payments.captures import (
    DispatchedParcel,
    capture_key,
    claim_parcel,
    fail_capture,
    find_capture,
    pending_capture,
    take,
)
from subgraphs.payments.card_numbers import mask_card_numbers
from subgraphs.payments.domain import (
    Approved,
    Attempt,
    Capture,
    Change,
    Declined,
    Invoice,
    Money,
    OrderFact,
    Payment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentDelayed,
    PaymentRefunded,
    PaymentStatus,
    PaymentVoided,
    Refund,
    Step,
    Transaction,
    TransactionKind,
    TransactionStatus,
    digest,
    move,
    settle,
)
from subgraphs.payments.ledger import Postings, post_capture, post_hold, post_refund, post_release
from subgraphs.payments.refunds import (
    RefundRequest,
    ReturnReceived,
    ReturnRequested,
    add_owed,
    add_request,
    fail_refund,
    give_back,
    note_return,
    pending_refund,
    refund_key,
)

CLAIM_S = 30.0
"""How long a call that was begun is left to whoever began it, before another one makes it again."""

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 300.0

News = OrderFact | DispatchedParcel | ReturnRequested | ReturnReceived


def learn(payment: Payment, news: News, now: datetime) -> Change | None:
    """The payment that knows of ``news``; None if it knew already."""
    match news:
        case OrderFact():
            known = news in payment.facts
            informed = None if known else replace(payment, facts=payment.facts | {news})
        case DispatchedParcel():
            informed = claim_parcel(payment, news, now)
        case ReturnRequested() | ReturnReceived():
            informed = note_return(payment, news)
    return _react(replace(informed, updated_at=now), now) if informed else None


def request_refund(payment: Payment, request: RefundRequest, now: datetime) -> Payment:
    """The payment with one more pending refund; the same one if that was requested before under the same key.

    Raises PaymentError with the codes of :func:`subgraphs.payments.refunds.add_request`.
    """
    requested = add_request(payment, request, now)
    return payment if requested is payment else _react(requested, now).payment


def next_step(payment: Payment) -> Step | None:
    """The provider call that brings the payment forward; None when it is where its facts lead."""
    attempt = payment.attempt
    if attempt and attempt.kind is TransactionKind.CAPTURE:
        # Whether the money was taken is unknown until this call is concluded: only then can it be given back.
        return _capture_step(payment, find_capture(payment, attempt.key))
    if _has_to_be_voided(payment):
        return _step(payment, TransactionKind.VOID, Money(_voidable_minor(payment), payment.amount.currency_code))
    if payment.status is PaymentStatus.PENDING:
        return _step(payment, TransactionKind.AUTHORIZATION, payment.amount) if _may_authorize(payment) else None
    if capture := pending_capture(payment):
        return _capture_step(payment, capture)
    refund = pending_refund(payment)
    return _refund_step(payment, refund) if refund else None


def due_step(payment: Payment, now: datetime) -> Step | None:
    """The provider call that has to be made by now; None while another one is making it, or waits to make it again."""
    is_due = payment.due_at is not None and payment.due_at <= now
    return next_step(payment) if is_due else None


def begin_step(payment: Payment, step: Step, now: datetime) -> Payment:
    """The payment that says that ``step`` is being called, and leaves it to the caller for ``CLAIM_S``."""
    previous = payment.attempt
    if previous and previous.key == step.key:
        attempt = replace(previous, count=previous.count + 1)
    else:
        attempt = Attempt(step.kind, step.key, 1, now)
    return replace(payment, attempt=attempt, due_at=now + timedelta(seconds=CLAIM_S))


def postpone_step(payment: Payment, reason: str, now: datetime, pause_s: float | None = None) -> Change:
    """The payment whose call gave no answer and is made again after ``pause_s``, by default a pause that grows.

    The first time that an authorisation has to wait, others are told so, with the ``reason``.
    """
    count = payment.attempt.count if payment.attempt else 1
    grown_s = min(_FIRST_PAUSE_S * 2 ** min(count - 1, 16), _LONGEST_PAUSE_S)
    later = replace(payment, due_at=now + timedelta(seconds=grown_s if pause_s is None else pause_s))
    authorizing = payment.attempt and payment.attempt.kind is TransactionKind.AUTHORIZATION
    if not authorizing or payment.delayed:
        return Change(later)
    delayed = replace(later, delayed=True, updated_at=now)
    return Change(delayed, (PaymentDelayed(payment.order_id, payment.id, reason),))


def conclude_step(
    payment: Payment, step: Step, outcome: Approved | Declined, now: datetime, invoice_number: str | None = None
) -> Change:
    """The payment after the provider's answer to ``step``.

    ``invoice_number`` is needed for an approved capture, and only then: it issues the invoice.
    """
    if isinstance(outcome, Declined):
        outcome = replace(outcome, message=mask_card_numbers(outcome.message))
    transaction = _record(payment, step, outcome, now)
    answered = replace(payment, attempt=None, updated_at=now, transactions=(*payment.transactions, transaction))
    match step.kind:
        case TransactionKind.AUTHORIZATION:
            change = _conclude_authorization(answered, outcome)
        case TransactionKind.CAPTURE:
            change = _conclude_capture(answered, step, outcome, now, invoice_number)
        case TransactionKind.VOID:
            change = _void(answered) if isinstance(outcome, Approved) else Change(answered)
        case TransactionKind.REFUND:
            change = _conclude_refund(answered, step, outcome)
    reacted = _react(change.payment, now)
    return Change(reacted.payment, change.events + reacted.events)


def _has_to_be_voided(payment: Payment) -> bool:
    if OrderFact.CANCELLED not in payment.facts or _was_refused(payment, TransactionKind.VOID):
        return False
    return payment.status is PaymentStatus.PENDING or payment.held_minor > 0


def _voidable_minor(payment: Payment) -> int:
    """What is held; while an authorisation is in the air nobody knows, and it may be all."""
    return payment.amount.amount_minor if payment.status is PaymentStatus.PENDING else payment.held_minor


def _may_authorize(payment: Payment) -> bool:
    return OrderFact.RESERVED in payment.facts and OrderFact.CANCELLED not in payment.facts


def _was_refused(payment: Payment, kind: TransactionKind) -> bool:
    return any(t.kind is kind and t.status is TransactionStatus.FAILED for t in payment.transactions)


def _step(payment: Payment, kind: TransactionKind, amount: Money) -> Step:
    return _with_first_attempt(
        payment, Step(kind, f"{payment.id}:{kind.value.lower()}", payment.id, amount, payment.token)
    )


def _capture_step(payment: Payment, capture: Capture) -> Step:
    key = capture_key(payment, capture)
    return _with_first_attempt(payment, Step(TransactionKind.CAPTURE, key, payment.id, capture.amount, payment.token))


def _refund_step(payment: Payment, refund: Refund) -> Step:
    key = refund_key(payment, refund)
    return _with_first_attempt(payment, Step(TransactionKind.REFUND, key, payment.id, refund.amount, payment.token))


def _with_first_attempt(payment: Payment, step: Step) -> Step:
    attempt = payment.attempt
    return replace(step, first_at=attempt.first_at) if attempt and attempt.key == step.key else step


def _react(payment: Payment, now: datetime) -> Change:
    """What follows without asking the provider, and whether there is anything to ask it (``due_at``)."""
    never_asked = payment.status is PaymentStatus.PENDING and payment.attempt is None and not payment.transactions
    held_by_nobody = never_asked and OrderFact.CANCELLED in payment.facts
    change = _void(payment) if held_by_nobody else Change(add_owed(payment, now))
    due_at = now if next_step(change.payment) else None
    return Change(replace(change.payment, due_at=due_at), change.events)


def _conclude_authorization(payment: Payment, outcome: Approved | Declined) -> Change:
    if isinstance(outcome, Declined):
        event = PaymentDeclined(payment.order_id, payment.id, outcome.code, outcome.message)
        return Change(move(payment, PaymentStatus.DECLINED), (event,))
    authorized = move(payment, PaymentStatus.AUTHORIZED)
    return Change(authorized, (PaymentAuthorized(payment.order_id, payment.id, payment.amount),))


def _conclude_capture(
    payment: Payment, step: Step, outcome: Approved | Declined, now: datetime, invoice_number: str | None
) -> Change:
    capture = find_capture(payment, step.key)
    if isinstance(outcome, Declined):
        return Change(fail_capture(payment, capture))
    if invoice_number is None:
        raise ValueError("an approved capture needs the number of its invoice")
    taken = take(payment, capture, Invoice(invoice_number, now, capture.amount))
    return Change(taken, (PaymentCaptured(payment.order_id, payment.id, capture.amount, capture.shipment_id),))


def _void(payment: Payment) -> Change:
    if payment.captured.amount_minor:
        return Change(settle(payment))  # the parcels that were captured are refunded, the rest is held no longer
    return Change(move(payment, PaymentStatus.VOIDED), (PaymentVoided(payment.order_id, payment.id),))


def _conclude_refund(payment: Payment, step: Step, outcome: Approved | Declined) -> Change:
    refund = next(each for each in payment.refunds if refund_key(payment, each) == step.key)
    if isinstance(outcome, Declined):
        return Change(fail_refund(payment, refund, outcome.message))
    event = PaymentRefunded(payment.order_id, payment.id, refund.id, refund.amount, refund.reason)
    return Change(give_back(payment, refund), (event,))


def _record(payment: Payment, step: Step, outcome: Approved | Declined, now: datetime) -> Transaction:
    id_ = f"txn_{digest(step.key)}"
    if isinstance(outcome, Declined):
        return Transaction(id_, step.kind, step.amount, now, TransactionStatus.FAILED, outcome.message)
    postings = _postings(payment, step)
    return Transaction(id_, step.kind, step.amount, now, TransactionStatus.SUCCEEDED, None, postings)


def _postings(payment: Payment, step: Step) -> Postings:
    match step.kind:
        case TransactionKind.AUTHORIZATION:
            return post_hold(step.amount.amount_minor)
        case TransactionKind.CAPTURE:
            return post_capture(step.amount.amount_minor)
        case TransactionKind.VOID:
            return post_release(payment.held_minor)  # nothing where no authorisation was ever answered
        case TransactionKind.REFUND:
            return post_refund(step.amount.amount_minor)
