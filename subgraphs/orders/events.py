"""What orders does with the events of others; its own are in :mod:`subgraphs.orders.published_events`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog

from subgraphs.chassis.errors import RetryLater
from subgraphs.chassis.events.event import Event, Payload, read_payload
from subgraphs.orders.changes import follow_parcel, move, take_reservation, wait_for_payment
from subgraphs.orders.domain import Allocation, Money, Parcel, ParcelStatus, Product
from subgraphs.orders.order_life import Occurrence, TransitionError
from subgraphs.orders.published_events import AllocationPayload, MoneyPayload
from subgraphs.orders.returns import receive_return
from subgraphs.orders.service import Change, Orders

LOG = structlog.get_logger()


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
