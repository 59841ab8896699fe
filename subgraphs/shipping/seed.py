"""The demo shop's parcels as documents of shipping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from subgraphs import demo
from subgraphs.demo import model
from subgraphs.shipping.domain import (
    Address,
    Parcel,
    ParcelLine,
    Shipment,
    ShipmentStatus,
    Sighting,
    TrackingEvent,
)
from subgraphs.shipping.journey import next_step
from subgraphs.shipping.store import MongoStore

MOVE_EVERY = timedelta(minutes=10)
"""The demo's parcels move on one by one, so that a shop that was just opened has some in every state."""


async def seed(store: MongoStore, now: datetime) -> int:
    """Insert what is not there yet; the number of documents of the demo shop."""
    shop = demo.demo_shop(now)
    cancelled = {order.id: order.updated_at for order in shop.orders if order.status == "CANCELLED"}
    return await store.add_all(demo_shipments(shop, now), cancelled)


def demo_shipments(shop: demo.DemoShop, now: datetime) -> list[Shipment]:
    """The parcels of all orders; one that is not at its end moves on some time after ``now``."""
    shipments = [_shipment(order, known) for order in shop.orders for known in order.shipments]
    return list(_with_due_times(shipments, now))


def _with_due_times(shipments: list[Shipment], now: datetime) -> Iterator[Shipment]:
    due_at = now
    for shipment in shipments:
        if next_step(shipment):
            due_at += MOVE_EVERY
            yield replace(shipment, due_at=due_at)
        else:
            yield shipment


def _shipment(order: model.Order, known: model.Shipment) -> Shipment:
    return Shipment(
        id=known.id,
        order_id=order.id,
        order_number=order.number,
        customer_id=order.customer_id,
        address=_address(order.shipping_address),
        parcel=_parcel(order),
        status=ShipmentStatus(known.status),
        created_at=known.booked_at,
        updated_at=known.events[-1].at,
        carrier=known.carrier,
        tracking_number=known.tracking_number,
        estimated_delivery=known.estimated_delivery,
        events=tuple(_event(event) for event in known.events),
        cancel_requested=order.status == "CANCELLED",
    )


def _parcel(order: model.Order) -> Parcel:
    """The demo's orders travel in one parcel each, from where most of their pieces lay."""
    pieces = Counter[str]()
    for allocation in order.reservation.allocations:
        pieces[allocation.warehouse_id] += allocation.quantity
    ((warehouse, _),) = pieces.most_common(1)
    lines = tuple(ParcelLine(line.product_id, line.quantity, line.weight_grams) for line in order.lines)
    return Parcel(warehouse, lines)


def _address(known: model.Address) -> Address:
    return Address(known.name, known.line1, known.line2, known.city, known.postal_code, known.country_code)


def _event(known: model.ShipmentEvent) -> TrackingEvent:
    return TrackingEvent(Sighting(ShipmentStatus(known.status), known.at, known.location, known.description))
