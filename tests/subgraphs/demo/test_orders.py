"""Every order hangs together: its lines, its money, its parcel and its time tell one story."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from subgraphs.demo import DemoShop
from subgraphs.demo.model import Order, OrderStatus

_NEXT: dict[OrderStatus | None, set[OrderStatus]] = {
    None: {"PENDING"},
    "PENDING": {"CONFIRMED", "CANCELLED"},
    "CONFIRMED": {"DISPATCHED", "CANCELLED"},
    "DISPATCHED": {"DELIVERED", "CANCELLED"},
}

# What payment, reservation and parcel an order of each status may have.
_TOGETHER: dict[OrderStatus, set[tuple[str, str, str | None]]] = {
    "PENDING": {("PENDING", "HELD", None)},
    "CONFIRMED": {("AUTHORIZED", "HELD", "BOOKED")},
    "DISPATCHED": {("CAPTURED", "SOLD", "IN_TRANSIT"), ("CAPTURED", "SOLD", "OUT_FOR_DELIVERY")},
    "DELIVERED": {
        ("CAPTURED", "SOLD", "DELIVERED"),
        ("PARTIALLY_REFUNDED", "SOLD", "DELIVERED"),
        ("REFUNDED", "SOLD", "DELIVERED"),
    },
    "CANCELLED": {
        ("DECLINED", "RELEASED", None),
        ("VOIDED", "REJECTED", None),
        ("VOIDED", "RELEASED", None),
        ("VOIDED", "RELEASED", "CANCELLED"),
        ("REFUNDED", "SOLD", "RETURNED"),
    },
}


def _together(order: Order) -> tuple[str, str, str | None]:
    parcel = order.shipments[0].status if order.shipments else None
    return order.payment.status, order.reservation.status, parcel


def _instants(order: Order) -> Iterator[datetime]:
    yield from (order.placed_at, order.updated_at, order.payment.created_at, order.payment.updated_at)
    yield from (order.reservation.created_at, order.reservation.updated_at)
    yield from (change.at for change in order.history)
    yield from (entry.at for entry in order.payment.transactions)
    yield from (refund.at for refund in order.payment.refunds)
    for shipment in order.shipments:
        yield shipment.booked_at
        yield from (event.at for event in shipment.events)


def test_500_orders_in_all_states(shop: DemoShop) -> None:
    assert Counter(order.status for order in shop.orders) == {
        "PENDING": 10,
        "CONFIRMED": 26,
        "DISPATCHED": 42,
        "DELIVERED": 366,
        "CANCELLED": 56,
    }


def test_ada_has_eight_orders_in_every_state(shop: DemoShop) -> None:
    statuses = [order.status for order in shop.orders if order.customer_id == "cus_ada"]
    assert len(statuses) == 8
    assert set(statuses) == {"PENDING", "CONFIRMED", "DISPATCHED", "DELIVERED", "CANCELLED"}


@pytest.mark.parametrize("status", _TOGETHER)
def test_payment_stock_and_parcel_agree_with_the_status(shop: DemoShop, status: OrderStatus) -> None:
    assert {_together(order) for order in shop.orders if order.status == status} == _TOGETHER[status]


def test_cancellations_have_every_cause(shop: DemoShop) -> None:
    codes = Counter(change.code for order in shop.orders for change in order.history if change.code)
    assert codes == {
        "INSUFFICIENT_FUNDS": 10,
        "EXPIRED_CARD": 6,
        "FRAUD_SUSPECTED": 4,
        "OUT_OF_STOCK": 12,
        "CUSTOMER_REQUEST": 24,
    }


def test_identifiers_and_numbers_are_unique(shop: DemoShop) -> None:
    orders = shop.orders
    identifiers = [
        *(order.id for order in orders),
        *(order.number for order in orders),
        *(order.payment.id for order in orders),
        *(order.reservation.id for order in orders),
        *(entry.id for order in orders for entry in order.payment.transactions),
        *(refund.id for order in orders for refund in order.payment.refunds),
        *(shipment.id for order in orders for shipment in order.shipments),
        *(shipment.tracking_number for order in orders for shipment in order.shipments),
    ]
    assert len(set(identifiers)) == len(identifiers)


def test_orders_name_known_customers_and_products_once_a_line(shop: DemoShop) -> None:
    customers = {customer.id: customer for customer in shop.customers}
    skus = {product.id for product in shop.products}
    for order in shop.orders:
        assert order.shipping_address == customers[order.customer_id].address
        assert order.lines
        assert {line.product_id for line in order.lines} <= skus
        assert len({line.product_id for line in order.lines}) == len(order.lines)


def test_the_lines_and_the_fee_add_up_to_the_total(shop: DemoShop) -> None:
    for order in shop.orders:
        assert order.subtotal_minor == sum(line.quantity * line.unit_price_minor for line in order.lines)
        fee, free_from = (990, 12_000) if order.shipping_address.country_code in ("CH", "GB") else (490, 6_000)
        assert order.shipping_fee_minor == (0 if order.subtotal_minor >= free_from else fee)
        assert order.total_minor == order.subtotal_minor + order.shipping_fee_minor
        assert all(line.quantity >= 1 and line.unit_price_minor > 0 for line in order.lines)


def test_some_prices_were_lower_when_the_order_was_placed(shop: DemoShop) -> None:
    today = {product.id: product.price_minor for product in shop.products}
    then = [line for order in shop.orders for line in order.lines if line.unit_price_minor != today[line.product_id]]
    assert then
    assert all(line.unit_price_minor < today[line.product_id] for line in then)


def test_money_is_captured_from_what_was_authorized_and_refunded_from_what_was_captured(shop: DemoShop) -> None:
    for order in shop.orders:
        payment = order.payment
        assert 0 <= payment.refunded_minor <= payment.captured_minor <= payment.authorized_minor <= payment.amount_minor
        assert payment.amount_minor == order.total_minor
        assert payment.refunded_minor == sum(refund.amount_minor for refund in payment.refunds)
        assert {refund.transaction_id for refund in payment.refunds} == {
            entry.id for entry in payment.transactions if entry.kind == "REFUND"
        }


def test_the_payment_status_says_what_happened_to_the_money(shop: DemoShop) -> None:
    for order in shop.orders:
        payment = order.payment
        total, sums = payment.amount_minor, (payment.authorized_minor, payment.captured_minor, payment.refunded_minor)
        expected = {
            "PENDING": [(0, 0, 0)],
            "DECLINED": [(0, 0, 0)],
            "AUTHORIZED": [(total, 0, 0)],
            "VOIDED": [(0, 0, 0), (total, 0, 0)],
            "CAPTURED": [(total, total, 0)],
            "REFUNDED": [(total, total, total)],
        }
        if payment.status == "PARTIALLY_REFUNDED":
            assert sums[:2] == (total, total)
            assert 0 < payment.refunded_minor < total
        else:
            assert sums in expected[payment.status]


def test_the_history_takes_allowed_steps_forward_in_time(shop: DemoShop) -> None:
    for order in shop.orders:
        assert order.history[0].from_status is None
        assert all(change.to_status in _NEXT[change.from_status] for change in order.history)
        assert all(before.to_status == after.from_status for before, after in pairwise(order.history))
        assert order.history[-1].to_status == order.status
        for times in (
            [change.at for change in order.history],
            [entry.at for entry in order.payment.transactions],
            [event.at for shipment in order.shipments for event in shipment.events],
        ):
            assert times == sorted(times)


def test_everything_happened_after_the_order_and_before_now(shop: DemoShop, now: datetime) -> None:
    for order in shop.orders:
        assert all(order.placed_at <= at <= now for at in _instants(order)), order
    assert shop.orders[0].placed_at >= now - timedelta(days=366)


def test_orders_and_their_numbers_are_in_the_order_of_placing(shop: DemoShop) -> None:
    placed = [order.placed_at for order in shop.orders]
    assert placed == sorted(placed)
    numbers = [f"G-{order.placed_at.year}-{index:06}" for index, order in enumerate(shop.orders, start=1)]
    assert [order.number for order in shop.orders] == numbers


def test_parcels_end_in_their_status(shop: DemoShop) -> None:
    for order in shop.orders:
        for shipment in order.shipments:
            assert shipment.events[-1].status == shipment.status
            assert shipment.estimated_delivery > shipment.booked_at


def test_confirmed_at_is_told_of_every_order_that_was_paid(shop: DemoShop) -> None:
    for order in shop.orders:
        assert (order.confirmed_at is not None) == (order.payment.authorized_minor > 0)
