"""Refunds: money that is given back because staff say so, a return has arrived, or the order was cancelled.

Each refund has a key within its payment, so that whatever asks for it again gets the same one.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from subgraphs.payments.captures import pending_capture, unclaimed_minor
from subgraphs.payments.card_numbers import has_card_number, mask_card_numbers
from subgraphs.payments.domain import (
    Money,
    OrderFact,
    Payment,
    PaymentError,
    Refund,
    ReturnClaim,
    SettlementStatus,
    TransactionKind,
    digest,
    settle,
)

MAX_REFUNDS = 100
MAX_REASON_LENGTH = 500
MAX_KEY_LENGTH = 128

_CANCELLATION_KEY = "order-cancelled"
_RETURN_PREFIX = "return:"


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What staff ask for: give back ``amount``, once per ``key``."""

    amount: Money
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class ReturnRequested:
    """Orders promises ``refund`` for a return, once it has come back."""

    return_id: str
    refund: Money
    reason: str


@dataclass(frozen=True, slots=True)
class ReturnReceived:
    """A return has come back to a warehouse."""

    return_id: str


def add_request(payment: Payment, request: RefundRequest, now: datetime) -> Payment:
    """The payment with one more pending refund; the same one if that was requested before under the same key.

    Raises PaymentError: CURRENCY_NOT_SUPPORTED, AMOUNT_NOT_POSITIVE, REASON_INVALID, CARD_NUMBER_NOT_ALLOWED,
    IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_REUSED (the key stands for another amount), NOTHING_CAPTURED,
    REFUND_EXCEEDS_CAPTURED, TOO_MANY_REFUNDS.
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
    return _with_refund(payment, request, now)


def note_return(payment: Payment, news: ReturnRequested | ReturnReceived) -> Payment | None:
    """The payment that knows more of a return; None where it knew that already."""
    known = {claim.id: claim for claim in payment.returns}
    claim = known.get(news.return_id, ReturnClaim(news.return_id))
    match news:
        case ReturnRequested(_, refund, reason):
            told = claim if claim.refund else replace(claim, refund=refund, reason=mask_card_numbers(reason))
        case ReturnReceived():
            told = replace(claim, received=True)
    if told == claim:
        return None
    return replace(payment, returns=tuple({**known, told.id: told}.values()))


def add_owed(payment: Payment, now: datetime) -> Payment:
    """The payment with the refunds that are owed without anybody asking: for a cancellation, or returns that arrived.

    They wait for captures that are still to be made, since only what was taken can be given back; and one by one for
    the provider's answer to refunds, since what it declines is left for those that follow.
    """
    open_kind = payment.attempt.kind if payment.attempt else None
    if open_kind is TransactionKind.CAPTURE or pending_capture(payment) or pending_refund(payment):
        return payment
    if OrderFact.CANCELLED in payment.facts:
        rest = Money(payment.refundable_minor, payment.amount.currency_code)
        return _add_once(payment, RefundRequest(rest, "The order was cancelled.", _CANCELLATION_KEY), now)
    for claim in payment.returns:
        if claim.received and claim.refund:
            owed = _add_return(payment, claim, claim.refund, now)
            if owed is not payment:
                return owed
    return payment


def find_refund(payment: Payment, key: str) -> Refund | None:
    """The refund that was requested under ``key``."""
    return next((refund for refund in payment.refunds if refund.key == key), None)


def pending_refund(payment: Payment) -> Refund | None:
    """The refund that the provider has to be asked for next."""
    return next((each for each in payment.refunds if each.status is SettlementStatus.PENDING), None)


def refund_key(payment: Payment, refund: Refund) -> str:
    """The idempotency key under which the provider knows this refund."""
    return f"{payment.id}:refund:{refund.id}"


def give_back(payment: Payment, refund: Refund) -> Payment:
    """The payment whose provider has given ``refund`` back."""
    refunded = payment.refunded.plus(refund.amount.amount_minor)
    done = replace(refund, status=SettlementStatus.SUCCEEDED)
    return settle(replace(_with_answered(payment, done), refunded=refunded))


def fail_refund(payment: Payment, refund: Refund, failure: str) -> Payment:
    """The payment whose provider has refused ``refund``; its amount can be refunded again."""
    return _with_answered(payment, replace(refund, status=SettlementStatus.FAILED, failure=failure))


def _add_return(payment: Payment, claim: ReturnClaim, promised: Money, now: datetime) -> Payment:
    """The refund of a return: as much of what is promised as staff have not given back already.

    While a parcel is still unheard of, what it brings may be needed for all of it.
    """
    amount = Money(min(promised.amount_minor, payment.refundable_minor), payment.amount.currency_code)
    if amount != promised and unclaimed_minor(payment) > 0:
        return payment
    return _add_once(payment, RefundRequest(amount, claim.reason, _RETURN_PREFIX + claim.id), now)


def _add_once(payment: Payment, request: RefundRequest, now: datetime) -> Payment:
    if request.amount.amount_minor <= 0 or find_refund(payment, request.key):
        return payment
    return _with_refund(payment, request, now)


def _with_refund(payment: Payment, request: RefundRequest, now: datetime) -> Payment:
    refund_id = f"ref_{digest(f'{payment.id}:{request.key}')}"
    refund = Refund(refund_id, request.key, request.amount, request.reason, SettlementStatus.PENDING, now)
    return replace(payment, refunds=(*payment.refunds, refund), updated_at=now)


def _with_answered(payment: Payment, answered: Refund) -> Payment:
    return replace(payment, refunds=tuple(answered if r.id == answered.id else r for r in payment.refunds))


def _check_refund_request(payment: Payment, request: RefundRequest) -> None:
    currency = payment.amount.currency_code
    if request.amount.currency_code != currency:
        message = f"This payment is in {currency}: give the amount of the refund in {currency}."
        raise PaymentError("CURRENCY_NOT_SUPPORTED", message, "amount.currencyCode")
    if request.amount.amount_minor <= 0:
        raise PaymentError("AMOUNT_NOT_POSITIVE", "The amount of a refund must be greater than zero.", "amount.amount")
    if not request.reason.strip() or len(request.reason) > MAX_REASON_LENGTH:
        message = f"Say why the money is given back, in at most {MAX_REASON_LENGTH} characters."
        raise PaymentError("REASON_INVALID", message, "reason")
    for field, text in (("reason", request.reason), ("idempotencyKey", request.key)):
        if has_card_number(text):
            raise PaymentError("CARD_NUMBER_NOT_ALLOWED", "This looks like a card number: leave it out.", field)
    # The keys of cancellations and returns are ours: nobody else's refund may take their place.
    ours = request.key == _CANCELLATION_KEY or request.key.startswith(_RETURN_PREFIX)
    if not 0 < len(request.key) <= MAX_KEY_LENGTH or ours:
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
