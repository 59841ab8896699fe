"""Payments: what an order's money may do, as pure functions from one payment to the next.

Theory of operation. A payment learns facts about its order (reserved, cancelled, dispatched) in whatever order the
events arrive, and ``next_step`` derives from what is known the one call that the provider has to make next. So early,
late and repeated events end in the same state. A call is first written down (``begin_step``: the claim), then made,
then concluded (``conclude_step``): after a crash at any instant the same call is made again under the same key.

    PENDING    + RESERVED    -> AUTHORIZATION -> AUTHORIZED | DECLINED
    AUTHORIZED + DISPATCHED  -> CAPTURE       -> CAPTURED
    PENDING or AUTHORIZED + CANCELLED -> VOID -> VOIDED
    CAPTURED   + CANCELLED, or a refund asked for by staff -> REFUND -> PARTIALLY_REFUNDED | REFUNDED
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

CURRENCY = "EUR"
MAX_REFUNDS = 100
MAX_REASON_LENGTH = 500
MAX_KEY_LENGTH = 128
CLAIM_S = 30.0
"""How long a call that was begun is left to whoever began it, before another one makes it again."""

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 300.0
_CANCELLATION_KEY = "order-cancelled"


class PaymentStatus(StrEnum):
    """Where a payment stands; see ``TRANSITIONS``."""

    PENDING = "PENDING"
    AUTHORIZED = "AUTHORIZED"
    DECLINED = "DECLINED"
    CAPTURED = "CAPTURED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    VOIDED = "VOIDED"


TRANSITIONS: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.PENDING: frozenset({PaymentStatus.AUTHORIZED, PaymentStatus.DECLINED, PaymentStatus.VOIDED}),
    PaymentStatus.AUTHORIZED: frozenset({PaymentStatus.CAPTURED, PaymentStatus.VOIDED}),
    PaymentStatus.CAPTURED: frozenset({PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED}),
    PaymentStatus.PARTIALLY_REFUNDED: frozenset({PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED}),
    PaymentStatus.REFUNDED: frozenset(),
    PaymentStatus.DECLINED: frozenset(),
    PaymentStatus.VOIDED: frozenset(),
}


class OrderFact(StrEnum):
    """What happened to the order, as far as its money is concerned."""

    RESERVED = "RESERVED"
    CANCELLED = "CANCELLED"
    DISPATCHED = "DISPATCHED"


class TransactionKind(StrEnum):
    """The calls that a payment provider knows."""

    AUTHORIZATION = "AUTHORIZATION"
    CAPTURE = "CAPTURE"
    VOID = "VOID"
    REFUND = "REFUND"


class TransactionStatus(StrEnum):
    """The provider's answer to a call."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class RefundStatus(StrEnum):
    """A refund is PENDING from the moment it is accepted until the provider has answered."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class PaymentError(Exception):
    """A refusal that a client may see: a stable code, the input field at fault, and what to do."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field


class IllegalTransitionError(Exception):
    """A change of status that is not in ``TRANSITIONS``: a defect of ours, never a client's fault."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of an ISO 4217 currency."""

    amount_minor: int
    currency_code: str

    def plus(self, amount_minor: int) -> "Money":
        """This amount and ``amount_minor`` more of the same currency."""
        return Money(self.amount_minor + amount_minor, self.currency_code)


@dataclass(frozen=True, slots=True)
class Transaction:
    """An answer of the provider: what was asked, how much, and why it was refused."""

    id: str
    kind: TransactionKind
    amount: Money
    at: datetime
    status: TransactionStatus
    reason: str | None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money to give back; ``key`` is the caller's idempotency key, unique within the payment."""

    id: str
    key: str
    amount: Money
    reason: str
    status: RefundStatus
    at: datetime
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """The bill of what was captured; the numbers of a series have no gaps."""

    number: str
    issued_at: datetime
    total: Money


@dataclass(frozen=True, slots=True)
class Attempt:
    """The provider call that was begun and is not concluded; ``count`` is how many times it was made."""

    kind: TransactionKind
    key: str
    count: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Payment:
    """The payment of one order: 0 <= refunded <= captured <= amount.

    ``due_at`` is when the next provider call has to be made, None when there is nothing to do. ``revision`` counts the
    writes: a change is stored only over the revision from which it was derived.
    """

    id: str
    order_id: str
    customer_id: str
    token: str
    method: str
    amount: Money
    status: PaymentStatus
    captured: Money
    refunded: Money
    created_at: datetime
    updated_at: datetime
    facts: frozenset[OrderFact] = frozenset()
    transactions: tuple[Transaction, ...] = ()
    refunds: tuple[Refund, ...] = ()
    invoice: Invoice | None = None
    attempt: Attempt | None = None
    due_at: datetime | None = None
    revision: int = 0

    @property
    def refundable_minor(self) -> int:
        """What may still be given back: captured, less what was refunded and what is being refunded."""
        pending = sum(r.amount.amount_minor for r in self.refunds if r.status is RefundStatus.PENDING)
        return self.captured.amount_minor - self.refunded.amount_minor - pending


@dataclass(frozen=True, slots=True)
class Step:
    """The call that the provider has to make next; a repeat has the same ``key`` and must have the same effect."""

    kind: TransactionKind
    key: str
    payment_id: str
    amount: Money
    token: str
    first_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Approved:
    """The provider did it."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider will not do it, now or later."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class InProgress:
    """The provider has not decided yet: ask again after ``retry_after_s``."""

    retry_after_s: float


Outcome = Approved | Declined | InProgress


@dataclass(frozen=True, slots=True)
class PaymentAuthorized:
    """The amount is held on the customer's account."""

    order_id: str
    payment_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PaymentDeclined:
    """The provider refused to authorise the amount."""

    order_id: str
    payment_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PaymentCaptured:
    """The amount was taken."""

    order_id: str
    payment_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PaymentRefunded:
    """Some of what was captured was given back."""

    order_id: str
    payment_id: str
    refund_id: str
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentVoided:
    """Nothing is held any more, and nothing was taken."""

    order_id: str
    payment_id: str


PaymentEvent = PaymentAuthorized | PaymentDeclined | PaymentCaptured | PaymentRefunded | PaymentVoided


@dataclass(frozen=True, slots=True)
class Change:
    """A payment after a change, and the events that tell of it: both are stored by one write."""

    payment: Payment
    events: tuple[PaymentEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What staff ask for: give back ``amount``, once per ``key``."""

    amount: Money
    reason: str
    key: str


def payment_id_of(order_id: str) -> str:
    """The id of the payment of an order: derived, so that a repeated order.placed cannot make a second one."""
    return f"pay_{order_id.removeprefix('ord_')}"


def learn(payment: Payment, fact: OrderFact, now: datetime) -> Change | None:
    """The payment that knows ``fact``; None if it knew already."""
    if fact in payment.facts:
        return None
    return _react(replace(payment, facts=payment.facts | {fact}, updated_at=now), now)


def next_step(payment: Payment) -> Step | None:
    """The provider call that brings the payment forward; None when it is where its facts lead."""
    open_kind = payment.attempt.kind if payment.attempt else None
    if open_kind is TransactionKind.CAPTURE:
        # Whether the money was taken is unknown until this call is concluded: only then can it be given back.
        return _step(payment, TransactionKind.CAPTURE)
    if payment.status in (PaymentStatus.PENDING, PaymentStatus.AUTHORIZED):
        kind = _next_kind(payment)
        return _step(payment, kind) if kind and not _was_refused(payment, kind) else None
    pending = next((r for r in payment.refunds if r.status is RefundStatus.PENDING), None)
    return _refund_step(payment, pending) if pending else None


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


def postpone_step(payment: Payment, now: datetime, pause_s: float | None = None) -> Payment:
    """The payment whose call gave no answer and is made again after ``pause_s``, by default a pause that grows."""
    count = payment.attempt.count if payment.attempt else 1
    grown_s = min(_FIRST_PAUSE_S * 2 ** min(count - 1, 16), _LONGEST_PAUSE_S)
    return replace(payment, due_at=now + timedelta(seconds=grown_s if pause_s is None else pause_s))


def conclude_step(
    payment: Payment, step: Step, outcome: Approved | Declined, now: datetime, invoice_number: str | None = None
) -> Change:
    """The payment after the provider's answer to ``step``.

    ``invoice_number`` is needed for an approved capture, and only then: it issues the invoice.
    """
    answered = replace(
        payment, attempt=None, updated_at=now, transactions=(*payment.transactions, _record(step, outcome, now))
    )
    match step.kind, outcome:
        case TransactionKind.AUTHORIZATION, _:
            change = _conclude_authorization(answered, outcome)
        case TransactionKind.CAPTURE, Approved():
            change = _conclude_capture(answered, now, invoice_number)
        case TransactionKind.VOID, Approved():
            change = _void(answered)
        case TransactionKind.REFUND, _:
            change = _conclude_refund(answered, step, outcome)
        case _:
            change = Change(answered)
    reacted = _react(change.payment, now)
    return Change(reacted.payment, change.events + reacted.events)


def request_refund(payment: Payment, request: RefundRequest, now: datetime) -> Payment:
    """The payment with one more pending refund; unchanged if the same was requested before under the same key.

    Raises PaymentError: CURRENCY_NOT_SUPPORTED, AMOUNT_NOT_POSITIVE, REASON_INVALID, IDEMPOTENCY_KEY_INVALID,
    IDEMPOTENCY_KEY_REUSED (the key stands for another amount), NOTHING_CAPTURED, REFUND_EXCEEDS_CAPTURED,
    TOO_MANY_REFUNDS.
    """
    _check_refund_request(payment, request)
    earlier = find_refund(payment, request.key)
    if earlier:
        if earlier.amount != request.amount:
            raise PaymentError(
                "IDEMPOTENCY_KEY_REUSED",
                "This idempotency key stands for a refund of another amount: take a new key for a new refund.",
                "idempotencyKey",
            )
        return payment
    _check_refundable(payment, request.amount)
    return _react(_with_refund(payment, request, now), now).payment


def find_refund(payment: Payment, key: str) -> Refund | None:
    """The refund that was requested under ``key``."""
    return next((refund for refund in payment.refunds if refund.key == key), None)


def invoice_series(at: datetime) -> str:
    """The series that an invoice of that time belongs to; each year has its own."""
    return f"INV-{at.year}"


def format_invoice_number(series: str, sequence: int) -> str:
    """The number of the ``sequence``-th invoice of a series."""
    return f"{series}-{sequence:06}"


def read_invoice_number(number: str) -> tuple[str, int]:
    """Series and sequence of an invoice's number."""
    series, _, sequence = number.rpartition("-")
    return series, int(sequence)


def _next_kind(payment: Payment) -> TransactionKind | None:
    if OrderFact.CANCELLED in payment.facts:
        return TransactionKind.VOID
    if payment.status is PaymentStatus.PENDING and OrderFact.RESERVED in payment.facts:
        return TransactionKind.AUTHORIZATION
    if payment.status is PaymentStatus.AUTHORIZED and OrderFact.DISPATCHED in payment.facts:
        return TransactionKind.CAPTURE
    return None


def _was_refused(payment: Payment, kind: TransactionKind) -> bool:
    return any(t.kind is kind and t.status is TransactionStatus.FAILED for t in payment.transactions)


def _step(payment: Payment, kind: TransactionKind) -> Step:
    return _with_first_attempt(
        payment, Step(kind, f"{payment.id}:{kind.value.lower()}", payment.id, payment.amount, payment.token)
    )


def _refund_step(payment: Payment, refund: Refund) -> Step:
    key = f"{payment.id}:refund:{refund.id}"
    return _with_first_attempt(payment, Step(TransactionKind.REFUND, key, payment.id, refund.amount, payment.token))


def _with_first_attempt(payment: Payment, step: Step) -> Step:
    attempt = payment.attempt
    return replace(step, first_at=attempt.first_at) if attempt and attempt.key == step.key else step


def _react(payment: Payment, now: datetime) -> Change:
    """What follows without asking the provider, and whether there is anything to ask it (``due_at``)."""
    change = Change(payment)
    if OrderFact.CANCELLED in payment.facts:
        if payment.status is PaymentStatus.PENDING and payment.attempt is None and not payment.transactions:
            # The provider was never asked for anything, so there is nothing that it holds.
            change = _void(payment)
        elif payment.refundable_minor > 0 and find_refund(payment, _CANCELLATION_KEY) is None:
            rest = Money(payment.refundable_minor, payment.amount.currency_code)
            change = Change(
                _with_refund(payment, RefundRequest(rest, "The order was cancelled.", _CANCELLATION_KEY), now)
            )
    due_at = now if next_step(change.payment) else None
    return Change(replace(change.payment, due_at=due_at), change.events)


def _move(payment: Payment, status: PaymentStatus) -> Payment:
    if status not in TRANSITIONS[payment.status]:
        raise IllegalTransitionError(f"payment {payment.id} cannot go from {payment.status} to {status}")
    return replace(payment, status=status)


def _conclude_authorization(payment: Payment, outcome: Approved | Declined) -> Change:
    if isinstance(outcome, Declined):
        event = PaymentDeclined(payment.order_id, payment.id, outcome.code, outcome.message)
        return Change(_move(payment, PaymentStatus.DECLINED), (event,))
    authorized = _move(payment, PaymentStatus.AUTHORIZED)
    return Change(authorized, (PaymentAuthorized(payment.order_id, payment.id, payment.amount),))


def _conclude_capture(payment: Payment, now: datetime, invoice_number: str | None) -> Change:
    if invoice_number is None:
        raise ValueError("an approved capture needs the number of its invoice")
    invoice = Invoice(invoice_number, now, payment.amount)
    captured = replace(_move(payment, PaymentStatus.CAPTURED), captured=payment.amount, invoice=invoice)
    return Change(captured, (PaymentCaptured(payment.order_id, payment.id, payment.amount),))


def _void(payment: Payment) -> Change:
    return Change(_move(payment, PaymentStatus.VOIDED), (PaymentVoided(payment.order_id, payment.id),))


def _conclude_refund(payment: Payment, step: Step, outcome: Approved | Declined) -> Change:
    refund = next(r for r in payment.refunds if _refund_step(payment, r).key == step.key)
    if isinstance(outcome, Declined):
        failed = replace(refund, status=RefundStatus.FAILED, failure=outcome.message)
        return Change(_with_answered(payment, failed))
    refunded = payment.refunded.plus(refund.amount.amount_minor)
    whole = refunded.amount_minor == payment.captured.amount_minor
    moved = _move(payment, PaymentStatus.REFUNDED if whole else PaymentStatus.PARTIALLY_REFUNDED)
    done = _with_answered(replace(moved, refunded=refunded), replace(refund, status=RefundStatus.SUCCEEDED))
    event = PaymentRefunded(payment.order_id, payment.id, refund.id, refund.amount, refund.reason)
    return Change(done, (event,))


def _with_answered(payment: Payment, answered: Refund) -> Payment:
    return replace(payment, refunds=tuple(answered if r.id == answered.id else r for r in payment.refunds))


def _with_refund(payment: Payment, request: RefundRequest, now: datetime) -> Payment:
    refund_id = f"ref_{_digest(f'{payment.id}:{request.key}')}"
    refund = Refund(refund_id, request.key, request.amount, request.reason, RefundStatus.PENDING, now)
    return replace(payment, refunds=(*payment.refunds, refund), updated_at=now)


def _record(step: Step, outcome: Approved | Declined, now: datetime) -> Transaction:
    approved = isinstance(outcome, Approved)
    status = TransactionStatus.SUCCEEDED if approved else TransactionStatus.FAILED
    reason = None if isinstance(outcome, Approved) else outcome.message
    return Transaction(f"txn_{_digest(step.key)}", step.kind, step.amount, now, status, reason)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]


def _check_refund_request(payment: Payment, request: RefundRequest) -> None:
    currency = payment.amount.currency_code
    if request.amount.currency_code != currency:
        message = f"This payment is in {currency}: give the amount of the refund in {currency}."
        raise PaymentError("CURRENCY_NOT_SUPPORTED", message, "amount.currencyCode")
    if request.amount.amount_minor <= 0:
        raise PaymentError("AMOUNT_NOT_POSITIVE", "The amount of a refund must be greater than zero.", "amount.amount")
    if not 0 < len(request.reason.strip()) <= MAX_REASON_LENGTH:
        message = f"Say why the money is given back, in at most {MAX_REASON_LENGTH} characters."
        raise PaymentError("REASON_INVALID", message, "reason")
    # The key of a cancellation is ours: nobody else's refund may take its place.
    if not 0 < len(request.key) <= MAX_KEY_LENGTH or request.key == _CANCELLATION_KEY:
        message = f"Give an idempotency key of your own, of 1 to {MAX_KEY_LENGTH} characters."
        raise PaymentError("IDEMPOTENCY_KEY_INVALID", message, "idempotencyKey")


def _check_refundable(payment: Payment, amount: Money) -> None:
    if payment.captured.amount_minor == 0:
        message = (
            f"Nothing was captured yet: this payment is {payment.status}, and only captured money can be refunded."
        )
        raise PaymentError("NOTHING_CAPTURED", message, "paymentId")
    if amount.amount_minor > payment.refundable_minor:
        left = f"{payment.refundable_minor // 100}.{payment.refundable_minor % 100:02d} {amount.currency_code}"
        raise PaymentError(
            "REFUND_EXCEEDS_CAPTURED", f"At most {left} of this payment can still be refunded.", "amount.amount"
        )
    if len(payment.refunds) >= MAX_REFUNDS:
        raise PaymentError("TOO_MANY_REFUNDS", f"A payment can have at most {MAX_REFUNDS} refunds.", "paymentId")
