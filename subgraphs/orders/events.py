"""The events of orders: what it publishes, and what it does with those of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog

from subgraphs.chassis.errors import RetryLater
from subgraphs.chassis.events.event import Event, Payload, new_event, read_payload
from subgraphs.orders.changes import follow_parcel, move, take_reservation, wait_for_payment
from subgraphs.orders.domain import (
    Address,
    Allocation,
    Money,
    Order,
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
    OrderLine,
    OrderPlaced,
    Parcel,
    ParcelStatus,
    Product,
    Return,
    ReturnRequested,
)
from subgraphs.orders.order_life import Occurrence, OrderStatus, TransitionError
from subgraphs.orders.returns import receive_return
from subgraphs.orders.service import Change, Orders

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


class AllocationPayload(Payload):
    """So many pieces come from this warehouse."""

    warehouse: str
    quantity: int


class AllocatedLinePayload(PricedLinePayload):
    """A line with its price, and the warehouses that it comes from."""

    allocations: list[AllocationPayload]


class ReturnLinePayload(Payload):
    """So many pieces of a product that are sent back."""

    product_id: str
    quantity: int


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
    lines: list[AllocatedLinePayload]
    shipping_fee: MoneyPayload
    total: MoneyPayload
    shipping_address: AddressPayload
    confirmed_at: datetime


class OrderCancelledPayload(Payload):
    """``order.cancelled``: let go of whatever is held for it; ``confirmed`` tells whether there may be parcels."""

    order_id: str
    number: str
    customer_id: str
    reason: str
    code: str
    confirmed: bool


class ReturnRequestedPayload(Payload):
    """``order.return_requested``: a parcel is to fetch it, and the refund is due when it has come."""

    order_id: str
    number: str
    customer_id: str
    return_id: str
    lines: list[ReturnLinePayload]
    refund: MoneyPayload
    reason: str


class OfOrderPayload(Payload):
    """What orders reads of ``payment.authorized`` and ``inventory.expired``."""

    order_id: str


class ReservedLinePayload(Payload):
    """A line of ``inventory.reserved``."""

    product_id: str
    allocations: tuple[AllocationPayload, ...] = ()


class ReservedPayload(Payload):
    """What orders reads of ``inventory.reserved``."""

    order_id: str
    lines: tuple[ReservedLinePayload, ...] = ()


class RefusedPayload(Payload):
    """What orders reads of ``inventory.rejected`` and ``payment.declined``."""

    order_id: str
    code: str
    message: str


class DelayedPayload(Payload):
    """What orders reads of ``payment.delayed``."""

    order_id: str
    reason: str


class ParcelPayload(Payload):
    """Which of the parcels of an order."""

    index: int = 1
    count: int = 1


class ShipmentPayload(Payload):
    """What orders reads of the events of a shipment; ``return_id`` is there where it brings back a return."""

    order_id: str
    parcel: ParcelPayload = ParcelPayload()
    return_id: str | None = None


class ProductChangedPayload(Payload):
    """What orders reads of ``product.changed``."""

    product_id: str
    name: str
    price: MoneyPayload
    weight_grams: int
    active: bool
    version: int


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
        case ReturnRequested(_, of):
            return _new_event("order.return_requested", order, _return_requested(order, of))


async def on_reserved(orders: Orders, event: Event) -> None:
    """Stock has said yes."""
    reserved = read_payload(event, ReservedPayload)
    allocations = {
        line.product_id: tuple(Allocation(each.warehouse, each.quantity) for each in line.allocations)
        for line in reserved.lines
    }
    await _learn(orders, event, reserved.order_id, lambda order, at: take_reservation(order, allocations, at))


async def on_expired(orders: Orders, event: Event) -> None:
    """Stock will not wait any longer for an order that is still pending."""
    known_id = read_payload(event, OfOrderPayload).order_id
    reason = "It was not paid in time: the stock was given back."
    expired = Occurrence.RESERVATION_EXPIRED
    await _learn(orders, event, known_id, lambda order, at: move(order, expired, at, reason, expired.value))


async def on_authorized(orders: Orders, event: Event) -> None:
    """Payment has said yes."""
    known_id = read_payload(event, OfOrderPayload).order_id
    await _learn(orders, event, known_id, lambda order, at: move(order, Occurrence.PAYMENT_AUTHORIZED, at))


async def on_delayed(orders: Orders, event: Event) -> None:
    """Payment takes longer than usual."""
    delayed = read_payload(event, DelayedPayload)
    await _learn(orders, event, delayed.order_id, lambda order, at: wait_for_payment(order, delayed.reason, at))


def on_refusal(occurrence: Occurrence) -> Callable[[Orders, Event], Awaitable[None]]:
    """A handler of events that refuse an order, with code and message for its history."""

    async def handle(orders: Orders, event: Event) -> None:
        refused = read_payload(event, RefusedPayload)
        await _learn(
            orders,
            event,
            refused.order_id,
            lambda order, at: move(order, occurrence, at, refused.message, refused.code),
        )

    return handle


def on_parcel(status: ParcelStatus) -> Callable[[Orders, Event], Awaitable[None]]:
    """A handler of news of a parcel on its way to the customer."""

    async def handle(orders: Orders, event: Event) -> None:
        shipment = read_payload(event, ShipmentPayload)
        parcel = Parcel(status, shipment.parcel.index, shipment.parcel.count)
        await _learn(orders, event, shipment.order_id, lambda order, at: follow_parcel(order, parcel, at))

    return handle


async def on_returned(orders: Orders, event: Event) -> None:
    """A parcel is back in a warehouse: what a customer returned, or what the carrier could not deliver."""
    shipment = read_payload(event, ShipmentPayload)
    returned = shipment.return_id
    if returned is None:
        await on_parcel(ParcelStatus.RETURNED)(orders, event)
    else:
        await _learn(orders, event, shipment.order_id, lambda order, at: receive_return(order, returned, at))


async def on_product_changed(orders: Orders, event: Event) -> None:
    """Sell the product from now on as it is said to be."""
    changed = read_payload(event, ProductChangedPayload)
    price = Money(changed.price.amount_minor, changed.price.currency_code)
    product = Product(changed.product_id, changed.name, price, changed.weight_grams, changed.active)
    await orders.change_product(product, changed.version)


HANDLERS: Mapping[str, Callable[[Orders, Event], Awaitable[None]]] = {
    "inventory.reserved": on_reserved,
    "inventory.rejected": on_refusal(Occurrence.STOCK_REJECTED),
    "inventory.expired": on_expired,
    "payment.authorized": on_authorized,
    "payment.declined": on_refusal(Occurrence.PAYMENT_DECLINED),
    "payment.delayed": on_delayed,
    "shipment.dispatched": on_parcel(ParcelStatus.DISPATCHED),
    "shipment.delivered": on_parcel(ParcelStatus.DELIVERED),
    "shipment.returned": on_returned,
    "product.changed": on_product_changed,
}


async def _learn(orders: Orders, event: Event, known_id: str, news: Change) -> None:
    """Let it happen, unless it has, or it is too late for it. Raises RetryLater for an event that came too early."""
    try:
        order = await orders.learn(known_id, news, event.id)
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
        lines=[_allocated_line(line) for line in order.lines],
        shipping_fee=_money(order.shipping_fee),
        total=_money(order.total),
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
        confirmed=last.from_status is not OrderStatus.PENDING,
    )


def _priced_line(line: OrderLine) -> PricedLinePayload:
    return PricedLinePayload(
        product_id=line.product_id,
        quantity=line.quantity,
        unit_price=_money(line.unit_price),
        weight_grams=line.weight_grams,
    )


def _allocated_line(line: OrderLine) -> AllocatedLinePayload:
    return AllocatedLinePayload(
        product_id=line.product_id,
        quantity=line.quantity,
        unit_price=_money(line.unit_price),
        weight_grams=line.weight_grams,
        allocations=[AllocationPayload(warehouse=each.warehouse, quantity=each.quantity) for each in line.allocations],
    )


def _return_requested(order: Order, requested: Return) -> ReturnRequestedPayload:
    return ReturnRequestedPayload(
        order_id=order.id,
        number=order.number,
        customer_id=order.customer_id,
        return_id=requested.id,
        lines=[ReturnLinePayload(product_id=line.product_id, quantity=line.quantity) for line in requested.lines],
        refund=_money(requested.refund),
        reason=requested.reason,
    )


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
