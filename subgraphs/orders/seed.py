"""The orders, customers and product copies of the demo shop."""

from __future__ import annotations

from datetime import datetime

from subgraphs import demo
from subgraphs.demo import model
from subgraphs.orders.domain import (
    Address,
    Allocation,
    Customer,
    Money,
    Order,
    OrderLine,
    Parcel,
    ParcelStatus,
    Product,
    StatusChange,
)
from subgraphs.orders.order_life import OrderStatus, Stage
from subgraphs.orders.store import MongoStore


async def seed(store: MongoStore, now: datetime) -> int:
    """Insert what is not there yet; the number of documents of the demo shop."""
    shop = demo.demo_shop(now)
    return await store.add_all(
        [_order(order) for order in shop.orders],
        [_product(product) for product in shop.products],
        [Customer(customer.id, customer.name, customer.email) for customer in shop.customers],
    )


def _order(order: model.Order) -> Order:
    return Order(
        id=order.id,
        number=order.number,
        customer_id=order.customer_id,
        stage=_stage(order),
        lines=tuple(_line(line, order.reservation) for line in order.lines),
        shipping_fee=Money(order.shipping_fee_minor, demo.CURRENCY),
        shipping_address=_address(order.shipping_address),
        placed_at=order.placed_at,
        updated_at=order.updated_at,
        history=tuple(_entry(entry) for entry in order.history),
        fingerprint="",  # no request placed it, so none can repeat it
        parcels=tuple(Parcel(status) for status in _parcel_statuses(order)),
    )


def _stage(order: model.Order) -> Stage:
    """An order that still waits in the demo shop has its stock, and waits for its payment or for both."""
    if order.status != "PENDING":
        return Stage(order.status)
    return Stage.RESERVED if order.reservation.status == "HELD" else Stage.PLACED


def _parcel_statuses(order: model.Order) -> list[ParcelStatus]:
    """How far the one parcel of an order has come; nothing before it is with the carrier."""
    known = {"DISPATCHED": ParcelStatus.DISPATCHED, "DELIVERED": ParcelStatus.DELIVERED}
    reached = [known[change.to_status] for change in order.history if change.to_status in known]
    return reached[-1:]


def _line(line: model.OrderLine, reservation: model.Reservation) -> OrderLine:
    allocations = tuple(
        Allocation(each.warehouse_id, each.quantity)
        for each in reservation.allocations
        if each.product_id == line.product_id
    )
    price = Money(line.unit_price_minor, demo.CURRENCY)
    return OrderLine(line.product_id, line.quantity, price, line.weight_grams, allocations)


def _entry(entry: model.StatusChange) -> StatusChange:
    before = OrderStatus(entry.from_status) if entry.from_status else None
    return StatusChange(before, OrderStatus(entry.to_status), entry.at, entry.reason, entry.code)


def _address(address: model.Address) -> Address:
    return Address(
        name=address.name,
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        postal_code=address.postal_code,
        country_code=address.country_code,
    )


def _product(product: model.Product) -> Product:
    price = Money(product.price_minor, demo.CURRENCY)
    return Product(product.id, product.name, price, product.weight_grams, product.active)
