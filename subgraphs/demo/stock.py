"""What the warehouses hold, set aside and moved: reservations, stock levels and the journal that explains them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from subgraphs.demo.catalogue import DISCONTINUED, OUT_OF_STOCK, SCARCE
from subgraphs.demo.drafts import seeded
from subgraphs.demo.fates import Fate
from subgraphs.demo.model import (
    Allocation,
    Order,
    OrderLine,
    Reservation,
    StockLevel,
    StockMovement,
    Warehouse,
)
from subgraphs.demo.timeline import Milestones, cancelled_at, new_id

WAREHOUSES = (
    Warehouse("BER", "Berlin", "DE"),
    Warehouse("LYO", "Lyon", "FR"),
    Warehouse("RTM", "Rotterdam", "NL"),
)

# The warehouse that usually serves a country; Berlin serves the others.
_NEAREST = {"FR": "LYO", "ES": "LYO", "IT": "LYO", "CH": "LYO", "NL": "RTM", "BE": "RTM", "GB": "RTM", "IE": "RTM"}


def draw_reservation(
    fate: Fate, times: Milestones, lines: tuple[OrderLine, ...], country_code: str, dice: Random
) -> Reservation:
    """Return what inventory answered: every line allocated to warehouses, or none and the products that lacked."""
    rejected = fate.reservation == "REJECTED"
    return Reservation(
        id=new_id("res", dice),
        status=fate.reservation,
        allocations=() if rejected else tuple(_allocations(lines, country_code, dice)),
        rejected_product_ids=tuple(line.product_id for line in lines if line.product_id in OUT_OF_STOCK and rejected),
        created_at=times.reserved,
        updated_at=_reservation_updated_at(fate, times),
    )


def _reservation_updated_at(fate: Fate, times: Milestones) -> datetime:
    if fate.reservation == "SOLD":
        return times.dispatched
    return cancelled_at(fate, times) if fate.reservation == "RELEASED" else times.reserved


def _allocations(lines: tuple[OrderLine, ...], country_code: str, dice: Random) -> Iterator[Allocation]:
    nearest = _NEAREST.get(country_code, "BER")
    others = [warehouse.id for warehouse in WAREHOUSES if warehouse.id != nearest]
    for line in lines:
        elsewhere = dice.randrange(line.quantity + 1) if dice.random() < 0.1 else 0
        shares = ((nearest, line.quantity - elsewhere), (dice.choice(others), elsewhere))
        yield from (
            Allocation(line.product_id, warehouse_id, quantity) for warehouse_id, quantity in shares if quantity
        )


def stock_levels(sku: str, reserved: Counter[tuple[str, str]]) -> tuple[StockLevel, ...]:
    """Return the level of a product at every warehouse; `reserved` is what :func:`reserved_units` counted."""
    dice = seeded(f"stock of {sku}")
    return tuple(
        StockLevel(warehouse.id, available + reserved[sku, warehouse.id], reserved[sku, warehouse.id])
        for warehouse, available in zip(WAREHOUSES, _available(sku, dice), strict=True)
    )


def reserved_units(orders: Sequence[Order]) -> Counter[tuple[str, str]]:
    """Return the units that held reservations set aside, by SKU and warehouse."""
    units: Counter[tuple[str, str]] = Counter()
    for order in orders:
        if order.reservation.status == "HELD":
            for allocation in order.reservation.allocations:
                units[allocation.product_id, allocation.warehouse_id] += allocation.quantity
    return units


def _available(sku: str, dice: Random) -> tuple[int, int, int]:
    """Return the units that can be bought at each warehouse: scarce products have four or fewer in all."""
    if sku in OUT_OF_STOCK or sku in DISCONTINUED:
        return (0, 0, 0)
    if sku in SCARCE:
        return (dice.randrange(1, 3), dice.randrange(3), 0)
    return (dice.randrange(8, 60), dice.randrange(4, 40), dice.randrange(50))


def stock_journal(
    levels: dict[str, tuple[StockLevel, ...]], orders: Sequence[Order], opened_at: datetime
) -> tuple[StockMovement, ...]:
    """Return every movement in time: one receipt for each level at the opening, then sales and returns.

    Own decision: everything was received before the first order, so that no level was ever below zero.
    """
    moved = [movement for order in orders for movement in _order_movements(order)]
    net: Counter[tuple[str, str]] = Counter()
    for movement in moved:
        net[movement.product_id, movement.warehouse_id] += movement.quantity
    receipts = [
        StockMovement(sku, level.warehouse_id, "RECEIPT", received, opened_at, None)
        for sku, product_levels in levels.items()
        for level in product_levels
        if (received := level.on_hand - net[sku, level.warehouse_id])
    ]
    return (*receipts, *sorted(moved, key=lambda movement: movement.at))


def _order_movements(order: Order) -> Iterator[StockMovement]:
    if order.reservation.status != "SOLD":
        return
    returned = [shipment.events[-1].at for shipment in order.shipments if shipment.status == "RETURNED"]
    for allocation in order.reservation.allocations:
        sku, warehouse_id, quantity = allocation.product_id, allocation.warehouse_id, allocation.quantity
        yield StockMovement(sku, warehouse_id, "SALE", -quantity, order.reservation.updated_at, order.id)
        for at in returned:
            yield StockMovement(sku, warehouse_id, "RETURN", quantity, at + timedelta(hours=1), order.id)
