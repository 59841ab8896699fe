"""The events of inventory: what it publishes, and what it does with those of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from subgraphs.chassis.errors import RetryLater
from subgraphs.chassis.event import Event, Payload, new_event, read_payload
from subgraphs.inventory.domain import (
    Allocation,
    InventoryEvent,
    Money,
    ProductChanged,
    ReservationLine,
    ReservationPendingError,
    StockRejected,
    StockReserved,
)
from subgraphs.inventory.service import Inventory

SOURCE = "inventory"


class MoneyPayload(Payload):
    """Minor units and currency."""

    amount_minor: int
    currency_code: str


class ProductChangedPayload(Payload):
    """``product.changed``: the facts that other services keep a copy of."""

    product_id: str
    name: str
    category: str
    price: MoneyPayload
    weight_grams: int
    active: bool
    image_url: str


class AllocationPayload(Payload):
    """A warehouse and how much it gives."""

    warehouse: str
    quantity: int


class ReservedLinePayload(Payload):
    """A line and where it comes from."""

    product_id: str
    quantity: int
    allocations: list[AllocationPayload]


class ReservedPayload(Payload):
    """``inventory.reserved``: every line is held."""

    order_id: str
    reservation_id: str
    lines: list[ReservedLinePayload]


class RejectedPayload(Payload):
    """``inventory.rejected``: nothing is held."""

    order_id: str
    code: str
    product_ids: list[str]
    message: str


class OrderedLinePayload(Payload):
    """What inventory reads of an order's line."""

    product_id: str
    quantity: int


class OrderPlacedPayload(Payload):
    """What inventory reads of ``order.placed``."""

    order_id: str
    customer_id: str
    lines: list[OrderedLinePayload]


class OrderCancelledPayload(Payload):
    """What inventory reads of ``order.cancelled``."""

    order_id: str
    customer_id: str


class ShipmentDispatchedPayload(Payload):
    """What inventory reads of ``shipment.dispatched``."""

    order_id: str


def encode(event: InventoryEvent) -> Event:
    """The form in which a domain event travels."""
    match event:
        case ProductChanged(product, at):
            facts = product.facts
            changed = ProductChangedPayload(
                product_id=product.id,
                name=facts.name,
                category=facts.category,
                price=_money(facts.price),
                weight_grams=facts.weight_grams,
                active=facts.active,
                image_url=facts.image_url,
            )
            return new_event(SOURCE, "product.changed", product.id, at, changed)
        case StockReserved(reservation, at):
            reserved = ReservedPayload(
                order_id=reservation.order_id,
                reservation_id=reservation.id,
                lines=[_reserved_line(line) for line in reservation.lines],
            )
            return new_event(SOURCE, "inventory.reserved", reservation.id, at, reserved)
        case StockRejected(reservation, rejection, at):
            rejected = RejectedPayload(
                order_id=reservation.order_id,
                code=rejection.code,
                product_ids=list(rejection.product_ids),
                message=rejection.message,
            )
            return new_event(SOURCE, "inventory.rejected", reservation.id, at, rejected)


async def on_order_placed(inventory: Inventory, event: Event) -> None:
    """Hold every line, or none; answers with ``inventory.reserved`` or ``inventory.rejected``."""
    order = read_payload(event, OrderPlacedPayload)
    lines = [ReservationLine(line.product_id, line.quantity) for line in order.lines]
    try:
        await inventory.reserve(order.order_id, order.customer_id, lines, event.id)
    except ReservationPendingError as error:
        raise RetryLater(str(error)) from None


async def on_order_cancelled(inventory: Inventory, event: Event) -> None:
    """Give back what the order holds, now or when it comes."""
    order = read_payload(event, OrderCancelledPayload)
    await inventory.release(order.order_id, order.customer_id, event.id)


async def on_shipment_dispatched(inventory: Inventory, event: Event) -> None:
    """Turn the reservation into a sale."""
    shipment = read_payload(event, ShipmentDispatchedPayload)
    try:
        await inventory.sell(shipment.order_id, event.id)
    except ReservationPendingError as error:
        raise RetryLater(str(error)) from None


HANDLERS: Mapping[str, Callable[[Inventory, Event], Awaitable[None]]] = {
    "order.placed": on_order_placed,
    "order.cancelled": on_order_cancelled,
    "shipment.dispatched": on_shipment_dispatched,
}


def _money(money: Money) -> MoneyPayload:
    return MoneyPayload(amount_minor=money.amount_minor, currency_code=money.currency_code)


def _reserved_line(line: ReservationLine) -> ReservedLinePayload:
    return ReservedLinePayload(
        product_id=line.product_id,
        quantity=line.quantity,
        allocations=[_allocation(allocation) for allocation in line.allocations],
    )


def _allocation(allocation: Allocation) -> AllocationPayload:
    return AllocationPayload(warehouse=allocation.warehouse, quantity=allocation.quantity)
