"""Orders: what one is, and the table of its life. How one is placed and priced is in :mod:`subgraphs.orders.checkout`.

The life of an order, theory of operation: an order stands at one :class:`Stage`. Things happen to it
(:class:`Occurrence`: an answer of stock or payment, a move of the parcel, a wish to cancel), and :data:`TRANSITIONS`
says where each leads. Stock and payment answer in any order, so the time before confirmation has three stages, which
the outside sees as one status, PENDING. What is not in the table does not happen: a wish is refused with a code; an
event is a repeat, too late, or too early (:class:`TransitionError`).

::

    PLACED ──stock──▶ RESERVED ──payment──▶ CONFIRMED ──▶ DISPATCHED ──▶ DELIVERED
       └──payment──▶ AUTHORIZED ──stock──────▲    │           │
       (all of these) ──refused, cancelled──▶ CANCELLED ◀──recalled by staff
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

SHOP_CURRENCY = "EUR"
MAX_REASON_LENGTH = 500


# --- refusals


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a stable ``code``, a sentence, and the path of the input field, if it is about one."""

    code: str
    message: str
    field: str | None = None


class RefusalError(Exception):
    """A request that changes nothing, with every problem that was found in it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.code}: {problem.message}" for problem in problems))
        self.problems = problems


# --- the life of an order


class OrderStatus(StrEnum):
    """Where an order stands, as customers see it."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    DISPATCHED = "DISPATCHED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"


class Stage(StrEnum):
    """Where an order stands: finer than its status while stock and payment have not both answered."""

    PLACED = "PLACED"
    RESERVED = "RESERVED"
    AUTHORIZED = "AUTHORIZED"
    CONFIRMED = "CONFIRMED"
    DISPATCHED = "DISPATCHED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"

    @property
    def status(self) -> OrderStatus:
        """The status that customers see at this stage."""
        return OrderStatus.PENDING if self in WAITING else OrderStatus(self.value)


class Occurrence(StrEnum):
    """Something that happens to an order."""

    STOCK_RESERVED = "STOCK_RESERVED"
    STOCK_REJECTED = "STOCK_REJECTED"
    PAYMENT_AUTHORIZED = "PAYMENT_AUTHORIZED"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    PARCEL_DISPATCHED = "PARCEL_DISPATCHED"
    PARCEL_DELIVERED = "PARCEL_DELIVERED"
    CANCELLED_BY_CUSTOMER = "CANCELLED_BY_CUSTOMER"
    CANCELLED_BY_STAFF = "CANCELLED_BY_STAFF"


WAITING = frozenset({Stage.PLACED, Stage.RESERVED, Stage.AUTHORIZED})
_PARCEL_MOVES = frozenset({Occurrence.PARCEL_DISPATCHED, Occurrence.PARCEL_DELIVERED})

TRANSITIONS: Mapping[tuple[Stage, Occurrence], Stage] = {
    (Stage.PLACED, Occurrence.STOCK_RESERVED): Stage.RESERVED,
    (Stage.PLACED, Occurrence.STOCK_REJECTED): Stage.CANCELLED,
    (Stage.PLACED, Occurrence.PAYMENT_AUTHORIZED): Stage.AUTHORIZED,
    (Stage.PLACED, Occurrence.PAYMENT_DECLINED): Stage.CANCELLED,
    (Stage.PLACED, Occurrence.CANCELLED_BY_CUSTOMER): Stage.CANCELLED,
    (Stage.PLACED, Occurrence.CANCELLED_BY_STAFF): Stage.CANCELLED,
    (Stage.RESERVED, Occurrence.PAYMENT_AUTHORIZED): Stage.CONFIRMED,
    (Stage.RESERVED, Occurrence.PAYMENT_DECLINED): Stage.CANCELLED,
    (Stage.RESERVED, Occurrence.CANCELLED_BY_CUSTOMER): Stage.CANCELLED,
    (Stage.RESERVED, Occurrence.CANCELLED_BY_STAFF): Stage.CANCELLED,
    (Stage.AUTHORIZED, Occurrence.STOCK_RESERVED): Stage.CONFIRMED,
    (Stage.AUTHORIZED, Occurrence.STOCK_REJECTED): Stage.CANCELLED,
    (Stage.AUTHORIZED, Occurrence.CANCELLED_BY_CUSTOMER): Stage.CANCELLED,
    (Stage.AUTHORIZED, Occurrence.CANCELLED_BY_STAFF): Stage.CANCELLED,
    (Stage.CONFIRMED, Occurrence.PARCEL_DISPATCHED): Stage.DISPATCHED,
    # News of the delivery can overtake that of the dispatch.
    (Stage.CONFIRMED, Occurrence.PARCEL_DELIVERED): Stage.DELIVERED,
    (Stage.CONFIRMED, Occurrence.CANCELLED_BY_CUSTOMER): Stage.CANCELLED,
    (Stage.CONFIRMED, Occurrence.CANCELLED_BY_STAFF): Stage.CANCELLED,
    (Stage.DISPATCHED, Occurrence.PARCEL_DELIVERED): Stage.DELIVERED,
    # A parcel on its way is called back by staff alone: the money goes back before the goods do.
    (Stage.DISPATCHED, Occurrence.CANCELLED_BY_STAFF): Stage.CANCELLED,
}

_REFUSALS: Mapping[Stage, tuple[str, str]] = {
    Stage.PLACED: ("ORDER_NOT_CONFIRMED", "The order is not confirmed yet."),
    Stage.RESERVED: ("ORDER_NOT_CONFIRMED", "The order is not confirmed yet."),
    Stage.AUTHORIZED: ("ORDER_NOT_CONFIRMED", "The order is not confirmed yet."),
    Stage.CONFIRMED: ("ORDER_ALREADY_CONFIRMED", "The order is confirmed already."),
    Stage.DISPATCHED: ("ORDER_ALREADY_DISPATCHED", "The order is on its way: only our staff can call it back."),
    Stage.DELIVERED: ("ORDER_ALREADY_DELIVERED", "The order has been delivered: it can no longer be cancelled."),
    Stage.CANCELLED: ("ORDER_ALREADY_CANCELLED", "The order has been cancelled already."),
}


class TransitionError(RefusalError):
    """Something that cannot happen to an order at its stage.

    ``early`` tells an event that came before its time, and must come again, from one that is a repeat or too late.
    """

    def __init__(self, stage: Stage, occurrence: Occurrence) -> None:
        code, message = _REFUSALS[stage]
        super().__init__(Problem(code, message, "id"))
        self.early = stage in WAITING and occurrence in _PARCEL_MOVES


def next_stage(stage: Stage, occurrence: Occurrence) -> Stage:
    """Where ``occurrence`` leads from ``stage``; raises TransitionError where the table has no such row."""
    try:
        return TRANSITIONS[stage, occurrence]
    except KeyError:
        raise TransitionError(stage, occurrence) from None


# --- what an order consists of


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the minor unit of a currency (cents of EUR)."""

    amount_minor: int
    currency_code: str = SHOP_CURRENCY

    @property
    def amount(self) -> Decimal:
        """The amount in the major unit, with two decimals."""
        return Decimal(self.amount_minor).scaleb(-2)

    def __add__(self, other: Money) -> Money:
        """The sum; raises ValueError across currencies."""
        if other.currency_code != self.currency_code:
            raise ValueError(f"cannot add {other.currency_code} to {self.currency_code}")
        return Money(self.amount_minor + other.amount_minor, self.currency_code)

    def __mul__(self, quantity: int) -> Money:
        """``quantity`` times this amount."""
        return Money(self.amount_minor * quantity, self.currency_code)


def sum_up(amounts: Iterable[Money]) -> Money:
    """The sum of ``amounts``, zero in the shop's currency where there are none."""
    return sum(amounts, start=Money(0))


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel goes; ``country_code`` is ISO 3166-1 alpha-2."""

    name: str
    line1: str
    line2: str | None
    city: str
    postal_code: str
    country_code: str


@dataclass(frozen=True, slots=True)
class Customer:
    """Who buys, as their token last named them."""

    id: str
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """This service's own copy of what it needs of a product to price an order."""

    id: str
    name: str
    price: Money
    weight_grams: int
    active: bool


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A product in an order, with the price and weight that it had when the order was placed."""

    product_id: str
    quantity: int
    unit_price: Money
    weight_grams: int

    @property
    def total(self) -> Money:
        """What the line costs."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One change of an order's status; ``from_status`` is None where the order was placed."""

    from_status: OrderStatus | None
    to_status: OrderStatus
    at: datetime
    reason: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order; ``fingerprint`` is that of the request that placed it (see :func:`fingerprint`)."""

    id: str
    number: str
    customer_id: str
    stage: Stage
    lines: tuple[OrderLine, ...]
    shipping_fee: Money
    shipping_address: Address
    placed_at: datetime
    updated_at: datetime
    history: tuple[StatusChange, ...]
    fingerprint: str

    @property
    def status(self) -> OrderStatus:
        """The status that customers see."""
        return self.stage.status

    @property
    def subtotal(self) -> Money:
        """What all lines cost, without shipping."""
        return sum_up(line.total for line in self.lines)

    @property
    def total(self) -> Money:
        """What the customer pays."""
        return self.subtotal + self.shipping_fee


@dataclass(frozen=True, slots=True)
class Change:
    """How an order moves: applied only where it still stands at ``before``; ``entry`` is None within one status."""

    order_id: str
    before: Stage
    after: Stage
    at: datetime
    entry: StatusChange | None


PLACED_REASON = "Order placed."
_REASONS: Mapping[Stage, str] = {
    Stage.CONFIRMED: "Stock reserved and payment authorized.",
    Stage.DISPATCHED: "Handed over to the carrier.",
    Stage.DELIVERED: "Delivered to the customer.",
    Stage.CANCELLED: "Cancelled.",
}


def move(
    order: Order, occurrence: Occurrence, at: datetime, reason: str | None = None, code: str | None = None
) -> Change:
    """What ``occurrence`` changes in ``order``; raises TransitionError where it cannot happen to it."""
    after = next_stage(order.stage, occurrence)
    if after.status is order.status:
        return Change(order.id, order.stage, after, at, None)
    entry = StatusChange(order.status, after.status, at, reason or _REASONS[after], code)
    return Change(order.id, order.stage, after, at, entry)


def moved(order: Order, change: Change) -> Order:
    """``order`` after ``change``."""
    history = (*order.history, change.entry) if change.entry else order.history
    return replace(order, stage=change.after, updated_at=change.at, history=history)


def position_of(order: Order) -> str:
    """Where ``order`` stands in every list: a text that sorts by placing time, then id."""
    at = order.placed_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"{at.removesuffix('+00:00')}Z {order.id}"


# --- cancelling an order


def check_reason(reason: str) -> str:
    """``reason`` trimmed; raises RefusalError(REASON_INVALID) where it is empty or too long."""
    trimmed = " ".join(reason.split())
    if not is_text(trimmed, MAX_REASON_LENGTH):
        message = f"The reason must be 1 to {MAX_REASON_LENGTH} printable characters."
        raise RefusalError(Problem("REASON_INVALID", message, "reason"))
    return trimmed


def order_not_found() -> RefusalError:
    """The refusal for an order that does not exist, or is someone else's: the two must look the same."""
    return RefusalError(Problem("NOT_FOUND", "There is no such order.", "id"))


def is_text(text: str, max_length: int) -> bool:
    """Whether ``text`` is 1 to ``max_length`` printable characters."""
    return 1 <= len(text) <= max_length and text.isprintable()


# --- events: what the other services are told


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """An order was placed; ``payment_token`` is for the payments service alone and is not kept."""

    order: Order
    payment_token: str


@dataclass(frozen=True, slots=True)
class OrderConfirmed:
    """Stock and payment have both said yes."""

    order: Order


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """An order was cancelled; whoever holds something for it lets go."""

    order: Order


OrderEvent: TypeAlias = OrderPlaced | OrderConfirmed | OrderCancelled


def events_of(order: Order) -> tuple[OrderEvent, ...]:
    """What to tell of ``order``, which has just reached its stage."""
    if order.stage is Stage.CONFIRMED:
        return (OrderConfirmed(order),)
    return (OrderCancelled(order),) if order.stage is Stage.CANCELLED else ()
