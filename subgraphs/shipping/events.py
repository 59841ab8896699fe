"""The events of shipping: what it publishes, and what it does with those of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from subgraphs.chassis.event import Event, Payload, new_event, read_payload
from subgraphs.shipping.domain import (
    Address,
    ConfirmedOrder,
    ParcelLine,
    ShipmentBooked,
    ShipmentCancelled,
    ShipmentDelivered,
    ShipmentDispatched,
    ShipmentEvent,
    ShipmentReturned,
)
from subgraphs.shipping.service import Shipping

SOURCE = "shipping"


class AddressPayload(Payload):
    """Where an order goes."""

    name: str
    line1: str
    line2: str | None = None
    city: str
    postal_code: str
    country_code: str


class LinePayload(Payload):
    """A line of an order."""

    product_id: str
    quantity: int
    weight_grams: int


class OrderConfirmedPayload(Payload):
    """What shipping reads of ``order.confirmed``."""

    order_id: str
    number: str
    customer_id: str
    lines: list[LinePayload]
    shipping_address: AddressPayload


class OrderCancelledPayload(Payload):
    """What shipping reads of ``order.cancelled``."""

    order_id: str


class BookedPayload(Payload):
    """``shipment.booked``."""

    order_id: str
    shipment_id: str
    carrier: str
    tracking_number: str
    estimated_delivery: datetime


class DispatchedPayload(Payload):
    """``shipment.dispatched``."""

    order_id: str
    shipment_id: str
    dispatched_at: datetime


class DeliveredPayload(Payload):
    """``shipment.delivered``."""

    order_id: str
    shipment_id: str
    delivered_at: datetime


class CancelledPayload(Payload):
    """``shipment.cancelled``."""

    order_id: str
    shipment_id: str


class ReturnedPayload(Payload):
    """``shipment.returned``."""

    order_id: str
    shipment_id: str
    returned_at: datetime


def encode(event: ShipmentEvent, at: datetime) -> Event:
    """The form in which a domain event travels."""
    type_, payload = _describe(event)
    return new_event(SOURCE, type_, event.shipment_id, at, payload)


async def on_order_confirmed(shipping: Shipping, event: Event) -> None:
    """Book a parcel; answers with ``shipment.booked``."""
    order = read_payload(event, OrderConfirmedPayload)
    to = order.shipping_address
    address = Address(to.name, to.line1, to.line2, to.city, to.postal_code, to.country_code)
    lines = tuple(ParcelLine(line.product_id, line.quantity, line.weight_grams) for line in order.lines)
    confirmed = ConfirmedOrder(order.order_id, order.number, order.customer_id, address, lines)
    await shipping.open_shipment(confirmed, event.id)


async def on_order_cancelled(shipping: Shipping, event: Event) -> None:
    """Send nothing, and call back what is on its way."""
    await shipping.cancel_order(read_payload(event, OrderCancelledPayload).order_id, event.id)


HANDLERS: Mapping[str, Callable[[Shipping, Event], Awaitable[None]]] = {
    "order.confirmed": on_order_confirmed,
    "order.cancelled": on_order_cancelled,
}


def _describe(event: ShipmentEvent) -> tuple[str, Payload]:
    order_id, shipment_id = event.order_id, event.shipment_id
    match event:
        case ShipmentBooked(carrier=carrier, tracking_number=number, estimated_delivery=estimate):
            return "shipment.booked", BookedPayload(
                order_id=order_id,
                shipment_id=shipment_id,
                carrier=carrier,
                tracking_number=number,
                estimated_delivery=estimate,
            )
        case ShipmentDispatched(dispatched_at=at):
            return "shipment.dispatched", DispatchedPayload(
                order_id=order_id, shipment_id=shipment_id, dispatched_at=at
            )
        case ShipmentDelivered(delivered_at=at):
            return "shipment.delivered", DeliveredPayload(order_id=order_id, shipment_id=shipment_id, delivered_at=at)
        case ShipmentCancelled():
            return "shipment.cancelled", CancelledPayload(order_id=order_id, shipment_id=shipment_id)
        case ShipmentReturned(returned_at=at):
            return "shipment.returned", ReturnedPayload(order_id=order_id, shipment_id=shipment_id, returned_at=at)
