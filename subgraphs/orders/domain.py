"""Orders: what one consists of, and what the other services are told of it.

Where it stands is in :mod:`subgraphs.orders.order_life`, how one is placed and priced in
:mod:`subgraphs.orders.checkout`, what becomes of it in :mod:`subgraphs.orders.changes`, how it is sent back in
:mod:`subgraphs.orders.returns`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from subgraphs.orders.order_life import WAITING, OrderStatus, Stage, WaitingFor

SHOP_CURRENCY = "EUR"
PLACED_REASON = "Order placed."


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


def digest(parts: object) -> str:
    """32 hexadecimal digits that stand for JSON ``parts``."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


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
