"""The events of inventory: what it publishes, and what it does with those of others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from pydantic import Field

from subgraphs.chassis.errors import RetryLater
from subgraphs.chassis.events.event import Event, Payload, new_event, read_payload
from subgraphs.inventory.domain import (
    WAREHOUSE,
    Allocation,
    InventoryEvent,
    Money,
    ProductChanged,
    ReservationExpired,
    ReservationLine,
    ReservationPendingError,
    StockChanged,
    StockRejected,
    StockReserved,
)
from subgraphs.inventory.reservations import ReturnedParcel
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
    version: int


class StockChangedPayload(Payload):
    """``product.stock_changed``: the product ran out, or can be had again."""

    product_id: str
    in_stock: bool
    version: int


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


class ExpiredPayload(Payload):
    """``inventory.expired``: the order was not confirmed in time."""

    order_id: str
    reservation_id: str


class OrderedLinePayload(Payload):
    """What inventory reads of an order's line."""

    product_id: str
    quantity: int


class DestinationPayload(Payload):
    """What inventory reads of an address."""

    country_code: str


class OrderPlacedPayload(Payload):
    """What inventory reads of ``order.placed``."""

    order_id: str
    customer_id: str
    lines: list[OrderedLinePayload]
    shipping_address: DestinationPayload | None = None


class OrderConfirmedPayload(Payload):
    """What inventory reads of ``order.confirmed``."""

    order_id: str


class OrderCancelledPayload(Payload):
    """What inventory reads of ``order.cancelled``; ``confirmed`` tells whether there may be parcels."""

    order_id: str
    customer_id: str
    confirmed: bool = False


class ParcelPayload(Payload):
    """How many parcels an order has."""

    count: int = 1


class ShipmentPayload(Payload):
    """What inventory reads of ``shipment.dispatched`` and ``shipment.cancelled``."""

    order_id: str
    warehouse: str | None = Field(default=None, pattern=f"^{WAREHOUSE.pattern}$")
    parcel: ParcelPayload = ParcelPayload()

    @property
    def sent_from(self) -> str | None:
        """The warehouse that sent it; None where it was the only parcel, so that it had everything."""
        return None if self.parcel.count == 1 else self.warehouse


class ReturnedPayload(ShipmentPayload):
    """What inventory reads of ``shipment.returned``; ``return_id`` is there where a customer sent it."""

    shipment_id: str
    return_id: str | None = None
    lines: tuple[OrderedLinePayload, ...] = ()


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
                version=product.version,
            )
            return new_event(SOURCE, "product.changed", product.id, at, changed)
        case StockChanged(product_id, in_stock, version, at):
            stock = StockChangedPayload(product_id=product_id, in_stock=in_stock, version=version)
            return new_event(SOURCE, "product.stock_changed", product_id, at, stock)
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
        case ReservationExpired(reservation, at):
            expired = ExpiredPayload(order_id=reservation.order_id, reservation_id=reservation.id)
            return new_event(SOURCE, "inventory.expired", reservation.id, at, expired)


async def on_order_placed(inventory: Inventory, event: Event) -> None:
    """Hold every line, or none; answers with ``inventory.reserved`` or ``inventory.rejected``."""
    order = read_payload(event, OrderPlacedPayload)
    lines = [ReservationLine(line.product_id, line.quantity) for line in order.lines]
    destination = order.shipping_address.country_code if order.shipping_address else None
    async with _its_turn():
        await inventory.reserve(order.order_id, order.customer_id, lines, event.id, destination)


async def on_order_confirmed(inventory: Inventory, event: Event) -> None:
    """Hold the stock until it is dispatched, however long that takes."""
    async with _its_turn():
        await inventory.confirm(read_payload(event, OrderConfirmedPayload).order_id, event.id)


async def on_order_cancelled(inventory: Inventory, event: Event) -> None:
    """Give back what the order holds, now or when it comes."""
    order = read_payload(event, OrderCancelledPayload)
    async with _its_turn():
        await inventory.release(order.order_id, order.customer_id, event.id, confirmed=order.confirmed)


async def on_shipment_dispatched(inventory: Inventory, event: Event) -> None:
    """Sell what the parcel took along."""
    shipment = read_payload(event, ShipmentPayload)
    async with _its_turn():
        await inventory.sell(shipment.order_id, event.id, shipment.sent_from)


async def on_shipment_cancelled(inventory: Inventory, event: Event) -> None:
    """Give back what the parcel would have taken along."""
    shipment = read_payload(event, ShipmentPayload)
    async with _its_turn():
        await inventory.withdraw(shipment.order_id, event.id, shipment.sent_from)


async def on_shipment_returned(inventory: Inventory, event: Event) -> None:
    """Put in stock again what came back."""
    shipment = read_payload(event, ReturnedPayload)
    lines = tuple(ReservationLine(line.product_id, line.quantity) for line in shipment.lines)
    sent_from = None if shipment.return_id else shipment.sent_from
    parcel = ReturnedParcel(shipment.return_id or shipment.shipment_id, shipment.warehouse, sent_from, lines)
    async with _its_turn():
        await inventory.take_back(shipment.order_id, parcel, event.id)


HANDLERS: Mapping[str, Callable[[Inventory, Event], Awaitable[None]]] = {
    "order.placed": on_order_placed,
    "order.confirmed": on_order_confirmed,
    "order.cancelled": on_order_cancelled,
    "shipment.dispatched": on_shipment_dispatched,
    "shipment.cancelled": on_shipment_cancelled,
    "shipment.returned": on_shipment_returned,
}


@asynccontextmanager
async def _its_turn() -> AsyncIterator[None]:
    """Ask for the event again later where another one has to be handled first."""
    try:
        yield
    except ReservationPendingError as error:
        raise RetryLater(str(error)) from None


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
