"""Payments: the payment of an order, what the provider answers, and what others are told.

How a payment changes is in :mod:`subgraphs.payments.steps`, :mod:`subgraphs.payments.captures` and
:mod:`subgraphs.payments.refunds`; its accounts are in :mod:`subgraphs.payments.ledger`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from subgraphs.payments.ledger import Account, Posting, sum_by_account

CURRENCY = "EUR"


class PaymentStatus(StrEnum):
    """Where a payment stands; see ``TRANSITIONS``."""

    PENDING = "PENDING"
    AUTHORIZED = "AUTHORIZED"
    DECLINED = "DECLINED"
    PARTIALLY_CAPTURED = "PARTIALLY_CAPTURED"
    CAPTURED = "CAPTURED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    VOIDED = "VOIDED"


_S = PaymentStatus
TRANSITIONS: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    _S.PENDING: frozenset({_S.AUTHORIZED, _S.DECLINED, _S.VOIDED}),
    _S.AUTHORIZED: frozenset({_S.PARTIALLY_CAPTURED, _S.CAPTURED, _S.VOIDED}),
    # A parcel that follows, the rest that is let go, and refunds of what was captured so far, in any order.
    _S.PARTIALLY_CAPTURED: frozenset({_S.PARTIALLY_CAPTURED, _S.CAPTURED, _S.PARTIALLY_REFUNDED}),
    _S.CAPTURED: frozenset({_S.PARTIALLY_REFUNDED, _S.REFUNDED}),
    _S.PARTIALLY_REFUNDED: frozenset({_S.PARTIALLY_REFUNDED, _S.REFUNDED}),
    _S.REFUNDED: frozenset(),
    _S.DECLINED: frozenset(),
    _S.VOIDED: frozenset(),
}


class OrderFact(StrEnum):
    """What happened to the order, as far as its money is concerned."""

    RESERVED = "RESERVED"
    CANCELLED = "CANCELLED"


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


class SettlementStatus(StrEnum):
    """A capture or a refund is PENDING from the moment it is due until the provider has answered."""

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
    """An answer of the provider: what was asked, how much, why it was refused, and what it means to the ledger."""

    id: str
    kind: TransactionKind
    amount: Money
    at: datetime
    status: TransactionStatus
    reason: str | None
    postings: tuple[Posting, ...] = ()


@dataclass(frozen=True, slots=True)
class Refund:
    """Money to give back; ``key`` is the caller's idempotency key, unique within the payment."""

    id: str
    key: str
    amount: Money
    reason: str
    status: SettlementStatus
    at: datetime
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """The bill of what was captured; the numbers of a series have no gaps."""

    number: str
    issued_at: datetime
    total: Money


@dataclass(frozen=True, slots=True)
class PricedLine:
    """So many pieces of a product in an order, and what each of them costs."""

    product_id: str
    quantity: int
    unit_price: Money


@dataclass(frozen=True, slots=True)
class Capture:
    """Money to take for one dispatched parcel, and the bill of it once it is taken."""

    shipment_id: str
    amount: Money
    status: SettlementStatus
    at: datetime
    invoice: Invoice | None = None


@dataclass(frozen=True, slots=True)
class ReturnClaim:
    """What is known of a return; ``refund`` is None until orders has told it, ``received`` says that it has come back.

    The two are told by two services, in either order.
    """

    id: str
    refund: Money | None = None
    reason: str = ""
    received: bool = False


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

    ``delayed`` says that others were told of a provider that takes its time. ``due_at`` is when the next provider call
    has to be made, None when there is nothing to do. ``revision`` counts the writes: a change is stored only over the
    revision from which it was derived.
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
    lines: tuple[PricedLine, ...]
    shipping_fee: Money
    facts: frozenset[OrderFact] = frozenset()
    transactions: tuple[Transaction, ...] = ()
    captures: tuple[Capture, ...] = ()
    refunds: tuple[Refund, ...] = ()
    returns: tuple[ReturnClaim, ...] = ()
    attempt: Attempt | None = None
    delayed: bool = False
    due_at: datetime | None = None
    revision: int = 0

    @property
    def refundable_minor(self) -> int:
        """What may still be given back: captured, less what was refunded and what is being refunded."""
        pending = sum(r.amount.amount_minor for r in self.refunds if r.status is SettlementStatus.PENDING)
        return self.captured.amount_minor - self.refunded.amount_minor - pending

    @property
    def held_minor(self) -> int:
        """What the customer's bank holds for us and we have not taken, as the ledger says."""
        return sum_by_account(self.postings())[Account.HOLD]

    @property
    def invoices(self) -> tuple[Invoice, ...]:
        """The bills, one for each parcel that was captured, the oldest first."""
        return tuple(capture.invoice for capture in self.captures if capture.invoice)

    def postings(self) -> Iterator[Posting]:
        """The ledger of this payment, the oldest first."""
        for transaction in self.transactions:
            yield from transaction.postings


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
class PaymentDelayed:
    """The provider takes longer than usual to authorise the amount; told once."""

    order_id: str
    payment_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentCaptured:
    """The amount was taken, for one parcel."""

    order_id: str
    payment_id: str
    amount: Money
    shipment_id: str


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


PaymentEvent = PaymentAuthorized | PaymentDeclined | PaymentDelayed | PaymentCaptured | PaymentRefunded | PaymentVoided


@dataclass(frozen=True, slots=True)
class Change:
    """A payment after a change, and the events that tell of it: both are stored by one write."""

    payment: Payment
    events: tuple[PaymentEvent, ...] = ()


def payment_id_of(order_id: str) -> str:
    """The id of the payment of an order: derived, so that a repeated order.placed cannot make a second one."""
    return f"pay_{order_id.removeprefix('ord_')}"


def move(payment: Payment, status: PaymentStatus) -> Payment:
    """The payment in another status; raises IllegalTransitionError where ``TRANSITIONS`` does not have that change."""
    if status not in TRANSITIONS[payment.status]:
        raise IllegalTransitionError(f"payment {payment.id} cannot go from {payment.status} to {status}")
    return replace(payment, status=status)


def settle(payment: Payment) -> Payment:
    """The payment in the status that follows from what was captured, what was refunded and what is still held."""
    captured, refunded = payment.captured.amount_minor, payment.refunded.amount_minor
    if refunded:
        whole = refunded == captured and not payment.held_minor
        return move(payment, PaymentStatus.REFUNDED if whole else PaymentStatus.PARTIALLY_REFUNDED)
    return move(payment, PaymentStatus.PARTIALLY_CAPTURED if payment.held_minor else PaymentStatus.CAPTURED)


def digest(text: str) -> str:
    """32 hex digits that follow from ``text``: ids that a repeat finds again."""
    return sha256(text.encode()).hexdigest()[:32]


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
