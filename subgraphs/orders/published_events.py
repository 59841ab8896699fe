"""The events that orders publishes, and the form in which they travel."""

from __future__ import annotations

from datetime import datetime

from subgraphs.chassis.events.event import Event, Payload, new_event
from subgraphs.orders.domain import (
    Address,
    Money,
    Order,
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
    OrderLine,
    OrderPlaced,
    Return,
    ReturnRequested,
)
from subgraphs.orders.order_life import OrderStatus

SOURCE = "orders"


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
