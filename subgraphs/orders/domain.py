"""Orders: what one is, and the table of its life.

How one is placed and priced is in :mod:`subgraphs.orders.checkout`, what becomes of it in
:mod:`subgraphs.orders.changes`, how it is sent back in :mod:`subgraphs.orders.returns`.

The life of an order, theory of operation: an order stands at one :class:`Stage`. Things happen to it
(:class:`Occurrence`: an answer of stock or payment, a move of a parcel, a wish), and :data:`TRANSITIONS` says where
each leads. Stock and payment answer in any order, so the time before confirmation has three stages, which the outside
sees as one status, PENDING. What is not in the table does not happen: a wish is refused with a code; an event is a
repeat, too late, or too early (:class:`TransitionError`).

::

    PLACED ──stock──▶ RESERVED ──payment──▶ CONFIRMED ──▶ DISPATCHED ──▶ DELIVERED ──▶ RETURNED
       └──payment──▶ AUTHORIZED ──stock──────▲    │           │
       (all of these) ──refused, cancelled──▶ CANCELLED ◀──recalled by staff, or came back

An order may travel as several parcels: it is DISPATCHED with the first and DELIVERED with the last of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

SHOP_CURRENCY = "EUR"
MAX_REASON_LENGTH = 500
MAX_KEY_LENGTH = 200
PLACED_REASON = "Order placed."


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
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"


class Stage(StrEnum):
    """Where an order stands: finer than its status while stock and payment have not both answered."""

    PLACED = "PLACED"
    RESERVED = "RESERVED"
    AUTHORIZED = "AUTHORIZED"
    CONFIRMED = "CONFIRMED"
    DISPATCHED = "DISPATCHED"
    DELIVERED = "DELIVERED"
    RETURNED = "RETURNED"
    CANCELLED = "CANCELLED"

    @property
    def status(self) -> OrderStatus:
        """The status that customers see at this stage."""
        return OrderStatus.PENDING if self in WAITING else OrderStatus(self.value)


class WaitingFor(StrEnum):
    """Whose answer a pending order waits for."""

    STOCK = "STOCK"
    PAYMENT = "PAYMENT"


class Occurrence(StrEnum):
    """Something that happens to an order."""

    STOCK_RESERVED = "STOCK_RESERVED"
    STOCK_REJECTED = "STOCK_REJECTED"
    RESERVATION_EXPIRED = "RESERVATION_EXPIRED"
    PAYMENT_AUTHORIZED = "PAYMENT_AUTHORIZED"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    PAYMENT_DELAYED = "PAYMENT_DELAYED"
    PARCEL_DISPATCHED = "PARCEL_DISPATCHED"
    PARCEL_DELIVERED = "PARCEL_DELIVERED"
    LAST_PARCEL_DELIVERED = "LAST_PARCEL_DELIVERED"
    ALL_PARCELS_CAME_BACK = "ALL_PARCELS_CAME_BACK"
    CANCELLED_BY_CUSTOMER = "CANCELLED_BY_CUSTOMER"
    CANCELLED_BY_STAFF = "CANCELLED_BY_STAFF"
    RETURN_REQUESTED = "RETURN_REQUESTED"
    RETURN_RECEIVED = "RETURN_RECEIVED"
    LAST_RETURN_RECEIVED = "LAST_RETURN_RECEIVED"


WAITING: Mapping[Stage, tuple[WaitingFor, ...]] = {
    Stage.PLACED: (WaitingFor.STOCK, WaitingFor.PAYMENT),
    Stage.RESERVED: (WaitingFor.PAYMENT,),
    Stage.AUTHORIZED: (WaitingFor.STOCK,),
}
"""The stages of a pending order, and whose answers it still needs."""

_S, _O = Stage, Occurrence
_PARCEL_MOVES = frozenset(
    {_O.PARCEL_DISPATCHED, _O.PARCEL_DELIVERED, _O.LAST_PARCEL_DELIVERED, _O.ALL_PARCELS_CAME_BACK}
)

TRANSITIONS: Mapping[tuple[Stage, Occurrence], Stage] = {
    (_S.PLACED, _O.STOCK_RESERVED): _S.RESERVED,
    (_S.PLACED, _O.STOCK_REJECTED): _S.CANCELLED,
    (_S.PLACED, _O.RESERVATION_EXPIRED): _S.CANCELLED,
    (_S.PLACED, _O.PAYMENT_AUTHORIZED): _S.AUTHORIZED,
    (_S.PLACED, _O.PAYMENT_DECLINED): _S.CANCELLED,
    (_S.PLACED, _O.PAYMENT_DELAYED): _S.PLACED,
    (_S.PLACED, _O.CANCELLED_BY_CUSTOMER): _S.CANCELLED,
    (_S.PLACED, _O.CANCELLED_BY_STAFF): _S.CANCELLED,
    (_S.RESERVED, _O.RESERVATION_EXPIRED): _S.CANCELLED,
    (_S.RESERVED, _O.PAYMENT_AUTHORIZED): _S.CONFIRMED,
    (_S.RESERVED, _O.PAYMENT_DECLINED): _S.CANCELLED,
    (_S.RESERVED, _O.PAYMENT_DELAYED): _S.RESERVED,
    (_S.RESERVED, _O.CANCELLED_BY_CUSTOMER): _S.CANCELLED,
    (_S.RESERVED, _O.CANCELLED_BY_STAFF): _S.CANCELLED,
    (_S.AUTHORIZED, _O.STOCK_RESERVED): _S.CONFIRMED,
    (_S.AUTHORIZED, _O.STOCK_REJECTED): _S.CANCELLED,
    (_S.AUTHORIZED, _O.RESERVATION_EXPIRED): _S.CANCELLED,
    (_S.AUTHORIZED, _O.CANCELLED_BY_CUSTOMER): _S.CANCELLED,
    (_S.AUTHORIZED, _O.CANCELLED_BY_STAFF): _S.CANCELLED,
    # A confirmed order has no row for RESERVATION_EXPIRED: inventory keeps what it holds until an order is cancelled,
    # so which of the two came first is decided here, by one document.
    (_S.CONFIRMED, _O.PARCEL_DISPATCHED): _S.DISPATCHED,
    # News of the delivery can overtake that of the dispatch.
    (_S.CONFIRMED, _O.PARCEL_DELIVERED): _S.DISPATCHED,
    (_S.CONFIRMED, _O.LAST_PARCEL_DELIVERED): _S.DELIVERED,
    (_S.CONFIRMED, _O.ALL_PARCELS_CAME_BACK): _S.CANCELLED,
    (_S.CONFIRMED, _O.CANCELLED_BY_CUSTOMER): _S.CANCELLED,
    (_S.CONFIRMED, _O.CANCELLED_BY_STAFF): _S.CANCELLED,
    (_S.DISPATCHED, _O.PARCEL_DISPATCHED): _S.DISPATCHED,
    (_S.DISPATCHED, _O.PARCEL_DELIVERED): _S.DISPATCHED,
    (_S.DISPATCHED, _O.LAST_PARCEL_DELIVERED): _S.DELIVERED,
    (_S.DISPATCHED, _O.ALL_PARCELS_CAME_BACK): _S.CANCELLED,
    # A parcel on its way is called back by staff alone: the money goes back before the goods do.
    (_S.DISPATCHED, _O.CANCELLED_BY_STAFF): _S.CANCELLED,
    (_S.DELIVERED, _O.RETURN_REQUESTED): _S.DELIVERED,
    (_S.DELIVERED, _O.RETURN_RECEIVED): _S.DELIVERED,
    (_S.DELIVERED, _O.LAST_RETURN_RECEIVED): _S.RETURNED,
}

_REFUSALS: Mapping[Stage, tuple[str, str]] = {
    Stage.PLACED: ("ORDER_NOT_CONFIRMED", "The order is not confirmed yet."),
    Stage.RESERVED: ("ORDER_NOT_CONFIRMED", "The order is not confirmed yet."),
    Stage.AUTHORIZED: ("ORDER_NOT_CONFIRMED", "The order is not confirmed yet."),
    Stage.CONFIRMED: ("ORDER_ALREADY_CONFIRMED", "The order is confirmed already."),
    Stage.DISPATCHED: ("ORDER_ALREADY_DISPATCHED", "The order is on its way: only our staff can call it back."),
    Stage.DELIVERED: ("ORDER_ALREADY_DELIVERED", "The order has been delivered: it can no longer be cancelled."),
    Stage.RETURNED: ("ORDER_ALREADY_RETURNED", "Everything of the order has been returned already."),
    Stage.CANCELLED: ("ORDER_ALREADY_CANCELLED", "The order has been cancelled already."),
}
_NOT_DELIVERED = ("ORDER_NOT_DELIVERED", "Only what has been delivered can be returned; cancel the order instead.")


class TransitionError(RefusalError):
    """Something that cannot happen to an order at its stage.

    ``early`` tells an event that came before its time, and must come again, from one that is a repeat or too late.
    """

    def __init__(self, stage: Stage, occurrence: Occurrence) -> None:
        is_return = occurrence is Occurrence.RETURN_REQUESTED
        before_delivery = stage in WAITING or stage in (Stage.CONFIRMED, Stage.DISPATCHED)
        code, message = _NOT_DELIVERED if is_return and before_delivery else _REFUSALS[stage]
        super().__init__(Problem(code, message, "orderId" if is_return else "id"))
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

    def __str__(self) -> str:
        """``12.50 EUR``."""
        return f"{self.amount} {self.currency_code}"


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
class Allocation:
    """So many pieces come from this warehouse."""

    warehouse: str
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A product in an order, with the price and weight that it had when the order was placed.

    ``allocations`` say where it comes from, once stock has said yes.
    """

    product_id: str
    quantity: int
    unit_price: Money
    weight_grams: int
    allocations: tuple[Allocation, ...] = ()

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


class ParcelStatus(StrEnum):
    """How far a parcel is known to have come; each one is further than those before it."""

    DISPATCHED = "DISPATCHED"
    DELIVERED = "DELIVERED"
    RETURNED = "RETURNED"


@dataclass(frozen=True, slots=True)
class Parcel:
    """The ``index``-th (from 1) of the ``count`` parcels of an order."""

    status: ParcelStatus
    index: int = 1
    count: int = 1


class ReturnStatus(StrEnum):
    """A return is REQUESTED until the goods are back in a warehouse."""

    REQUESTED = "REQUESTED"
    RECEIVED = "RECEIVED"


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """So many pieces of a product that a customer sends back."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Return:
    """What a customer sends back, and what they get for it; ``fingerprint`` is that of the request."""

    id: str
    lines: tuple[ReturnLine, ...]
    refund: Money
    reason: str
    requested_at: datetime
    fingerprint: str
    status: ReturnStatus = ReturnStatus.REQUESTED
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order; ``fingerprint`` is that of the request that placed it, ``revision`` counts the writes.

    A change is stored only over the revision from which it was derived.
    """

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
    parcels: tuple[Parcel, ...] = ()
    returns: tuple[Return, ...] = ()
    revision: int = 0

    @property
    def status(self) -> OrderStatus:
        """The status that customers see."""
        return self.stage.status

    @property
    def waiting_for(self) -> tuple[WaitingFor, ...]:
        """Whose answers it waits for; none once it is no longer pending."""
        return WAITING.get(self.stage, ())

    @property
    def subtotal(self) -> Money:
        """What all lines cost, without shipping."""
        return sum_up(line.total for line in self.lines)

    @property
    def total(self) -> Money:
        """What the customer pays."""
        return self.subtotal + self.shipping_fee


def position_of(order: Order) -> str:
    """Where ``order`` stands in every list: a text that sorts by placing time, then id."""
    at = order.placed_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"{at.removesuffix('+00:00')}Z {order.id}"


# --- what clients may say


def check_reason(reason: str) -> str:
    """``reason`` trimmed; raises RefusalError(REASON_INVALID) where it is empty or too long."""
    trimmed = " ".join(reason.split())
    if not is_text(trimmed, MAX_REASON_LENGTH):
        message = f"The reason must be 1 to {MAX_REASON_LENGTH} printable characters."
        raise RefusalError(Problem("REASON_INVALID", message, "reason"))
    return trimmed


def order_not_found(field: str) -> RefusalError:
    """The refusal for an order that does not exist, or is someone else's: the two must look the same."""
    return RefusalError(Problem("NOT_FOUND", "There is no such order.", field))


def digest(parts: object) -> str:
    """32 hexadecimal digits that stand for JSON ``parts``."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


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


@dataclass(frozen=True, slots=True)
class ReturnRequested:
    """A customer sends something back: a parcel is to fetch it, and ``of.refund`` is due when it has come."""

    order: Order
    of: Return


OrderEvent: TypeAlias = OrderPlaced | OrderConfirmed | OrderCancelled | ReturnRequested
