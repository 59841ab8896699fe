"""The orders, customers and product copies of the demo shop."""

from __future__ import annotations

from datetime import datetime

from subgraphs import demo
from subgraphs.demo import model
from subgraphs.orders.domain import (
    Address,
    Customer,
    Money,
    Order,
    OrderLine,
    OrderStatus,
    Product,
    Stage,
    StatusChange,
)
from subgraphs.orders.store import MongoStore


async def seed(store: MongoStore, now: datetime) -> int:
    """Insert what is not there yet; the number of documents of the demo shop."""
    shop = demo.demo_shop(now)
    return await store.add_all(
        [_order(order) for order in shop.orders],
        [_product(product) for product in shop.products],
        [Customer(customer.id, customer.name, customer.email) for customer in shop.customers],
        now,
    )


def _order(order: model.Order) -> Order:
    return Order(
        id=order.id,
        number=order.number,
        customer_id=order.customer_id,
        stage=_stage(order),
        lines=tuple(_line(line) for line in order.lines),
        shipping_fee=Money(order.shipping_fee_minor, demo.CURRENCY),
        shipping_address=_address(order.shipping_address),
        placed_at=order.placed_at,
        updated_at=order.updated_at,
        history=tuple(_entry(entry) for entry in order.history),
        fingerprint="",  # no request placed it, so none can repeat it
    )


def _stage(order: model.Order) -> Stage:
    """An order that still waits in the demo shop has its stock, and waits for its payment or for both."""
    if order.status != "PENDING":
        return Stage(order.status)
    return Stage.RESERVED if order.reservation.status == "HELD" else Stage.PLACED


def _line(line: model.OrderLine) -> OrderLine:
    return OrderLine(line.product_id, line.quantity, Money(line.unit_price_minor, demo.CURRENCY), line.weight_grams)


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
