"""The events of orders: what it publishes, and what it does with those of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog

from subgraphs.chassis.errors import RetryLater
from subgraphs.chassis.event import Event, Payload, new_event, read_payload
from subgraphs.orders.domain import (
    Address,
    Money,
    Occurrence,
    Order,
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
    OrderLine,
    OrderPlaced,
    Product,
    TransitionError,
)
from subgraphs.orders.service import Cause, Orders

SOURCE = "orders"
LOG = structlog.get_logger()


class MoneyPayload(Payload):
    """Minor units and currency."""

    amount_minor: int
    currency_code: str


class AddressPayload(Payload):
    """Where the parcel goes."""

    name: str
    line1: str
    line2: str | None
    city: str
    postal_code: str
    country_code: str


class PricedLinePayload(Payload):
    """A line with its price."""

    product_id: str
    quantity: int
    unit_price: MoneyPayload
    weight_grams: int


class LinePayload(Payload):
    """A line without its price."""

    product_id: str
    quantity: int
    weight_grams: int


class PaymentMethodPayload(Payload):
    """The token that stands for a payment method."""

    token: str


class OrderPlacedPayload(Payload):
    """``order.placed``: what stock and payment need to answer."""

    order_id: str
    number: str
    customer_id: str
    lines: list[PricedLinePayload]
    subtotal: MoneyPayload
    shipping_fee: MoneyPayload
    total: MoneyPayload
    shipping_address: AddressPayload
    payment_method: PaymentMethodPayload


class OrderConfirmedPayload(Payload):
    """``order.confirmed``: what shipping needs to book, and recommendations to learn."""

    order_id: str
    number: str
    customer_id: str
    lines: list[LinePayload]
    shipping_address: AddressPayload
    confirmed_at: datetime


class OrderCancelledPayload(Payload):
    """``order.cancelled``: let go of whatever is held for it."""

    order_id: str
    number: str
    customer_id: str
    reason: str
    code: str


class OfOrderPayload(Payload):
    """What orders reads of ``inventory.reserved``, ``payment.authorized`` and the events of a shipment."""

    order_id: str


class RefusedPayload(Payload):
    """What orders reads of ``inventory.rejected`` and ``payment.declined``."""

    order_id: str
    code: str
    message: str


class ProductChangedPayload(Payload):
    """What orders reads of ``product.changed``."""

    product_id: str
    name: str
    price: MoneyPayload
    weight_grams: int
    active: bool


def encode(event: OrderEvent) -> Event:
    """The form in which a domain event travels."""
    order = event.order
    match event:
        case OrderPlaced(_, token):
            return _new_event("order.placed", order, _placed(order, token))
        case OrderConfirmed():
            return _new_event("order.confirmed", order, _confirmed(order))
        case OrderCancelled():
            return _new_event("order.cancelled", order, _cancelled(order))


def on_answer(occurrence: Occurrence) -> Callable[[Orders, Event], Awaitable[None]]:
    """A handler of events that say only that ``occurrence`` happened to an order."""

    async def handle(orders: Orders, event: Event) -> None:
        known_id = read_payload(event, OfOrderPayload).order_id
        await _occur(orders, known_id, occurrence, Cause(event.id))

    return handle


def on_refusal(occurrence: Occurrence) -> Callable[[Orders, Event], Awaitable[None]]:
    """A handler of events that refuse an order, with code and message for its history."""

    async def handle(orders: Orders, event: Event) -> None:
        refused = read_payload(event, RefusedPayload)
        await _occur(orders, refused.order_id, occurrence, Cause(event.id, refused.message, refused.code))

    return handle


async def on_product_changed(orders: Orders, event: Event) -> None:
    """Sell the product from now on as it is said to be."""
    changed = read_payload(event, ProductChangedPayload)
    price = Money(changed.price.amount_minor, changed.price.currency_code)
    product = Product(changed.product_id, changed.name, price, changed.weight_grams, changed.active)
    await orders.change_product(product, event.time)


HANDLERS: Mapping[str, Callable[[Orders, Event], Awaitable[None]]] = {
    "inventory.reserved": on_answer(Occurrence.STOCK_RESERVED),
    "inventory.rejected": on_refusal(Occurrence.STOCK_REJECTED),
    "payment.authorized": on_answer(Occurrence.PAYMENT_AUTHORIZED),
    "payment.declined": on_refusal(Occurrence.PAYMENT_DECLINED),
    "shipment.dispatched": on_answer(Occurrence.PARCEL_DISPATCHED),
    "shipment.delivered": on_answer(Occurrence.PARCEL_DELIVERED),
    "product.changed": on_product_changed,
}


async def _occur(orders: Orders, known_id: str, occurrence: Occurrence, cause: Cause) -> None:
    """Let it happen, unless it has, or it is too late for it. Raises RetryLater for an event that came too early."""
    try:
        order = await orders.occur(known_id, occurrence, cause)
    except TransitionError as error:
        if error.early:
            raise RetryLater(f"{known_id} is not confirmed yet.") from None
        return
    if order is None:
        # An order is written before anyone hears of it, so this one was never ours: the database was set up anew.
        LOG.warning("event_of_unknown_order", order=known_id)


def _new_event(type_: str, order: Order, payload: Payload) -> Event:
    return new_event(SOURCE, type_, order.id, order.updated_at, payload)


def _placed(order: Order, token: str) -> OrderPlacedPayload:
    return OrderPlacedPayload(
        order_id=order.id,
        number=order.number,
        customer_id=order.customer_id,
        lines=[_priced_line(line) for line in order.lines],
        subtotal=_money(order.subtotal),
        shipping_fee=_money(order.shipping_fee),
        total=_money(order.total),
        shipping_address=_address(order.shipping_address),
        payment_method=PaymentMethodPayload(token=token),
    )


def _confirmed(order: Order) -> OrderConfirmedPayload:
    return OrderConfirmedPayload(
        order_id=order.id,
        number=order.number,
        customer_id=order.customer_id,
        lines=[_line(line) for line in order.lines],
        shipping_address=_address(order.shipping_address),
        confirmed_at=order.updated_at,
    )


def _cancelled(order: Order) -> OrderCancelledPayload:
    last = order.history[-1]
    return OrderCancelledPayload(
        order_id=order.id,
        number=order.number,
        customer_id=order.customer_id,
        reason=last.reason,
        code=last.code or "",
    )


def _priced_line(line: OrderLine) -> PricedLinePayload:
    return PricedLinePayload(
        product_id=line.product_id,
        quantity=line.quantity,
        unit_price=_money(line.unit_price),
        weight_grams=line.weight_grams,
    )


def _line(line: OrderLine) -> LinePayload:
    return LinePayload(product_id=line.product_id, quantity=line.quantity, weight_grams=line.weight_grams)


def _money(money: Money) -> MoneyPayload:
    return MoneyPayload(amount_minor=money.amount_minor, currency_code=money.currency_code)


def _address(address: Address) -> AddressPayload:
    return AddressPayload(
        name=address.name,
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        postal_code=address.postal_code,
        country_code=address.country_code,
    )
