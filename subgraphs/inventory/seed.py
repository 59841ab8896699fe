"""The demo shop's products, stock, journal and reservations as documents of inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from subgraphs import demo
from subgraphs.demo import model
from subgraphs.inventory.documents import hold_documents, movement_document, product_document, reservation_document
from subgraphs.inventory.domain import (
    Allocation,
    Money,
    Movement,
    MovementKind,
    Product,
    ProductFacts,
    Reservation,
    ReservationLine,
    ReservationStatus,
    Stock,
    StockLevel,
    out_of_stock,
)
from subgraphs.inventory.store import MongoStore


async def seed(store: MongoStore, now: datetime) -> int:
    """Insert what is not there yet; the number of documents of the demo shop."""
    shop = demo.demo_shop(now)
    reservations = [_reservation(order) for order in shop.orders]
    holds = _holds(reservations)
    products = [product_document(_product(each)) | {"holds": holds.get(each.id, [])} for each in shop.products]
    movements = [_movement(number, each) for number, each in enumerate(shop.movements)]
    movements += [each for reservation in reservations for each in _reserving(reservation)]
    return await store.add_all(
        products, [movement_document(each) for each in movements], [reservation_document(each) for each in reservations]
    )


def _product(product: model.Product) -> Product:
    levels = [StockLevel(level.warehouse_id, level.on_hand, level.reserved) for level in product.stock]
    facts = ProductFacts(
        product.name,
        product.description,
        product.category,
        product.image_url,
        Money(product.price_minor, demo.CURRENCY),
        product.weight_grams,
        product.active,
    )
    return Product(product.id, facts, Stock(tuple(sorted(levels, key=lambda level: level.warehouse))))


def _reservation(order: model.Order) -> Reservation:
    """The orders of the demo that wait for their payment may wait for ever: they do not expire."""
    known = order.reservation
    rejection = out_of_stock(known.rejected_product_ids) if known.rejected_product_ids else None
    sold = known.allocations if known.status == ReservationStatus.SOLD.value else ()
    return Reservation(
        order.id,
        order.customer_id,
        ReservationStatus(known.status),
        _lines(order),
        known.created_at,
        held=bool(known.allocations),
        rejection=rejection,
        destination=order.shipping_address.country_code,
        confirmed=order.confirmed_at is not None,
        sold=frozenset(each.warehouse_id for each in sold),
    )


def _lines(order: model.Order) -> tuple[ReservationLine, ...]:
    allocations: dict[str, list[Allocation]] = {line.product_id: [] for line in order.lines}
    for each in order.reservation.allocations:
        allocations[each.product_id].append(Allocation(each.warehouse_id, each.quantity))
    return tuple(
        ReservationLine(line.product_id, line.quantity, tuple(allocations[line.product_id])) for line in order.lines
    )


def _holds(reservations: Sequence[Reservation]) -> Mapping[str, list[dict[str, object]]]:
    holds: dict[str, list[dict[str, object]]] = {}
    for reservation in reservations:
        if reservation.status is ReservationStatus.HELD:
            for line in reservation.lines:
                holds.setdefault(line.product_id, []).extend(hold_documents(reservation, line))
    return holds


def _movement(number: int, movement: model.StockMovement) -> Movement:
    return Movement(
        f"mov_demo_{number:05d}",
        movement.product_id,
        movement.warehouse_id,
        MovementKind(movement.kind),
        movement.quantity,
        0,
        movement.at,
        reference=movement.order_id,
    )


def _reserving(reservation: Reservation) -> list[Movement]:
    """The movements of a reservation that still holds; those of one that is over cancel out."""
    if reservation.status is not ReservationStatus.HELD:
        return []
    return [
        Movement(
            f"mov_demo_{reservation.id}_{line.product_id}_{each.warehouse}",
            line.product_id,
            each.warehouse,
            MovementKind.RESERVATION,
            0,
            each.quantity,
            reservation.created_at,
            reference=reservation.id,
        )
        for line in reservation.lines
        for each in line.allocations
    ]
