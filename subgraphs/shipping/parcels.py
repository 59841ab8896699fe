"""What goes into which parcel: one for each warehouse that an order comes from, and one for each return.

::

    2 mugs (1 from BER, 1 from PAR) and a lamp (from PAR) -> BER: 1 mug (1 of 2); PAR: 1 mug, 1 lamp (2 of 2)
"""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from datetime import datetime

from subgraphs.shipping.domain import (
    ConfirmedOrder,
    Direction,
    OrderLine,
    Parcel,
    ParcelLine,
    ReturnRequest,
    Shipment,
    ShipmentStatus,
)


def shipment_id_of(order_id: str, warehouse: str | None) -> str:
    """The id of an order's shipment from a warehouse: derived, so that a repeat cannot make a second one."""
    suffix = f"_{warehouse.lower()}" if warehouse else ""
    return f"shp_{order_id.removeprefix('ord_')}{suffix}"


def return_shipment_id_of(return_id: str) -> str:
    """The id of the shipment that brings back a return: derived, so that a repeat cannot make a second one."""
    return f"shp_{return_id.removeprefix('ret_')}"


def new_shipments(order: ConfirmedOrder, now: datetime) -> tuple[Shipment, ...]:
    """The shipments of a confirmed order, which wait to be booked: one for each warehouse, in the order of the names.

    Pieces of which inventory has not said where they lie go along with the first.
    """
    parcels = _pack(order.lines)
    return tuple(
        Shipment(
            id=shipment_id_of(order.id, warehouse),
            order_id=order.id,
            order_number=order.number,
            customer_id=order.customer_id,
            address=order.address,
            parcel=Parcel(warehouse, lines, index, len(parcels)),
            status=ShipmentStatus.PENDING,
            created_at=now,
            updated_at=now,
            due_at=now,
        )
        for index, (warehouse, lines) in enumerate(parcels, start=1)
    )


def new_return(request: ReturnRequest, sent: Sequence[Shipment], now: datetime) -> Shipment:
    """The shipment that brings back a return, to the warehouse that has sent most of it; ``sent`` is not empty."""
    outbound = [shipment for shipment in sent if shipment.direction is Direction.OUTBOUND]
    wanted = {product_id for product_id, _ in request.pieces}
    origin = max(outbound, key=lambda shipment: (_pieces_of(shipment, wanted), -shipment.parcel.index))
    weights = {line.product_id: line.weight_grams for shipment in outbound for line in shipment.parcel.lines}
    lines = tuple(ParcelLine(id_, quantity, weights.get(id_, 0)) for id_, quantity in request.pieces)
    return Shipment(
        id=return_shipment_id_of(request.return_id),
        order_id=origin.order_id,
        order_number=origin.order_number,
        customer_id=origin.customer_id,
        address=origin.address,
        parcel=Parcel(origin.parcel.warehouse, lines, return_id=request.return_id),
        status=ShipmentStatus.PENDING,
        created_at=now,
        updated_at=now,
        due_at=now,
    )


def _pack(lines: Sequence[OrderLine]) -> list[tuple[str | None, tuple[ParcelLine, ...]]]:
    named = sorted({warehouse for line in lines for warehouse, _ in line.allocations})
    warehouses: list[str | None] = [*named] or [None]
    packed = [(warehouse, tuple(_lines_from(warehouse, lines, warehouses[0]))) for warehouse in warehouses]
    return [(warehouse, content) for warehouse, content in packed if content]


def _lines_from(warehouse: str | None, lines: Sequence[OrderLine], home: str | None) -> Iterator[ParcelLine]:
    for line in lines:
        allocated: Counter[str | None] = Counter()
        for name, quantity in line.allocations:
            allocated[name] += quantity
        rest = line.quantity - allocated.total() if warehouse == home else 0
        quantity = allocated[warehouse] + rest
        if quantity > 0:
            yield ParcelLine(line.product_id, quantity, line.weight_grams)


def _pieces_of(shipment: Shipment, product_ids: Container[str]) -> int:
    return sum(line.quantity for line in shipment.parcel.lines if line.product_id in product_ids)
