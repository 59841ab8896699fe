"""The events of shipping: what it publishes, and what it does with those of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from subgraphs.chassis.errors import RetryLater
from subgraphs.chassis.events.event import Event, Payload, new_event, read_payload
from subgraphs.shipping.domain import (
    Address,
    ConfirmedOrder,
    OrderLine,
    Parcel,
    ReturnRequest,
    ShipmentBooked,
    ShipmentCancelled,
    ShipmentDelivered,
    ShipmentDispatched,
    ShipmentEvent,
    ShipmentReturned,
)
from subgraphs.shipping.service import OrderUnknownError, Shipping

SOURCE = "shipping"


class AddressPayload(Payload):
    """Where an order goes."""

    name: str
    line1: str
    line2: str | None = None
    city: str
    postal_code: str
    country_code: str


class AllocationPayload(Payload):
    """So many pieces come from this warehouse."""

    warehouse: str
    quantity: int


class LinePayload(Payload):
    """A line of an order."""

    product_id: str
    quantity: int
    weight_grams: int
    allocations: tuple[AllocationPayload, ...] = ()


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


class PiecesPayload(Payload):
    """So many pieces of a product."""

    product_id: str
    quantity: int


class ReturnRequestedPayload(Payload):
    """What shipping reads of ``order.return_requested``."""

    order_id: str
    return_id: str
    lines: list[PiecesPayload]


class ParcelPayload(Payload):
    """Which of the parcels of an order; ``index`` counts from 1."""

    index: int
    count: int


class ShipmentPayload(Payload):
    """What every event of a shipment tells; ``shipment.cancelled`` tells nothing more."""

    order_id: str
    shipment_id: str
    warehouse: str | None
    lines: list[PiecesPayload]
    parcel: ParcelPayload


class BookedPayload(ShipmentPayload):
    """``shipment.booked``."""

    carrier: str
    tracking_number: str
    estimated_delivery: datetime


class DispatchedPayload(ShipmentPayload):
    """``shipment.dispatched``."""

    dispatched_at: datetime


class DeliveredPayload(ShipmentPayload):
    """``shipment.delivered``."""

    delivered_at: datetime


class ReturnedPayload(ShipmentPayload):
    """``shipment.returned``: a customer's return; without ``return_id`` a parcel that was called back on its way."""

    return_id: str | None
    returned_at: datetime


def encode(event: ShipmentEvent, at: datetime) -> Event:
    """The form in which a domain event travels."""
    type_, payload = _describe(event)
    return new_event(SOURCE, type_, event.shipment_id, at, payload)


async def on_order_confirmed(shipping: Shipping, event: Event) -> None:
    """Book a parcel for each warehouse; answers with ``shipment.booked``."""
    order = read_payload(event, OrderConfirmedPayload)
    to = order.shipping_address
    address = Address(to.name, to.line1, to.line2, to.city, to.postal_code, to.country_code)
    lines = tuple(_order_line(line) for line in order.lines)
    confirmed = ConfirmedOrder(order.order_id, order.number, order.customer_id, address, lines)
    await shipping.open_shipments(confirmed, event.id)


async def on_return_requested(shipping: Shipping, event: Event) -> None:
    """Have a parcel fetched; answers with ``shipment.returned`` when it is back."""
    data = read_payload(event, ReturnRequestedPayload)
    pieces = tuple((line.product_id, line.quantity) for line in data.lines)
    try:
        await shipping.open_return(ReturnRequest(data.order_id, data.return_id, pieces), event.id)
    except OrderUnknownError as error:
        raise RetryLater(str(error)) from None


async def on_order_cancelled(shipping: Shipping, event: Event) -> None:
    """Send nothing, and call back what is on its way."""
    await shipping.cancel_order(read_payload(event, OrderCancelledPayload).order_id, event.id)


HANDLERS: Mapping[str, Callable[[Shipping, Event], Awaitable[None]]] = {
    "order.confirmed": on_order_confirmed,
    "order.cancelled": on_order_cancelled,
    "order.return_requested": on_return_requested,
}


def _order_line(line: LinePayload) -> OrderLine:
    allocations = tuple((each.warehouse, each.quantity) for each in line.allocations)
    return OrderLine(line.product_id, line.quantity, line.weight_grams, allocations)


def _describe(event: ShipmentEvent) -> tuple[str, Payload]:
    told = _of_parcel(event.order_id, event.shipment_id, event.parcel).model_dump()
    match event:
        case ShipmentBooked(carrier=carrier, tracking_number=number, estimated_delivery=estimate):
            booked = BookedPayload(**told, carrier=carrier, tracking_number=number, estimated_delivery=estimate)
            return "shipment.booked", booked
        case ShipmentDispatched(dispatched_at=at):
            return "shipment.dispatched", DispatchedPayload(**told, dispatched_at=at)
        case ShipmentDelivered(delivered_at=at):
            return "shipment.delivered", DeliveredPayload(**told, delivered_at=at)
        case ShipmentCancelled():
            return "shipment.cancelled", ShipmentPayload(**told)
        case ShipmentReturned(parcel=parcel, returned_at=at):
            return "shipment.returned", ReturnedPayload(**told, return_id=parcel.return_id, returned_at=at)


def _of_parcel(order_id: str, shipment_id: str, parcel: Parcel) -> ShipmentPayload:
    return ShipmentPayload(
        order_id=order_id,
        shipment_id=shipment_id,
        warehouse=parcel.warehouse,
        lines=[PiecesPayload(product_id=line.product_id, quantity=line.quantity) for line in parcel.lines],
        parcel=ParcelPayload(index=parcel.index, count=parcel.count),
    )
