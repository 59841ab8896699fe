"""The warehouses add up: levels, reservations and the journal tell the same."""

from collections import Counter

from subgraphs.demo import DemoShop
from subgraphs.demo.model import Reservation


def _allocated(reservation: Reservation) -> Counter[str]:
    units: Counter[str] = Counter()
    for allocation in reservation.allocations:
        units[allocation.product_id] += allocation.quantity
    return units


def test_every_product_has_a_level_at_every_warehouse(shop: DemoShop) -> None:
    warehouses = [warehouse.id for warehouse in shop.warehouses]
    assert len(warehouses) == 3
    for product in shop.products:
        assert [level.warehouse_id for level in product.stock] == warehouses


def test_nothing_is_reserved_that_is_not_there(shop: DemoShop) -> None:
    for product in shop.products:
        assert all(0 <= level.reserved <= level.on_hand for level in product.stock), product


def test_reserved_units_are_those_of_held_reservations(shop: DemoShop) -> None:
    held: Counter[tuple[str, str]] = Counter()
    for order in shop.orders:
        if order.reservation.status == "HELD":
            for allocation in order.reservation.allocations:
                held[allocation.product_id, allocation.warehouse_id] += allocation.quantity
    told = {(product.id, level.warehouse_id): level.reserved for product in shop.products for level in product.stock}
    assert {key: units for key, units in told.items() if units} == dict(held)


def test_reservations_allocate_every_line_or_nothing(shop: DemoShop) -> None:
    for order in shop.orders:
        ordered = {line.product_id: line.quantity for line in order.lines}
        rejected = order.reservation.status == "REJECTED"
        assert _allocated(order.reservation) == ({} if rejected else ordered)
        assert bool(order.reservation.rejected_product_ids) == rejected
        assert set(order.reservation.rejected_product_ids) <= set(ordered)


def test_the_journal_adds_up_to_what_is_on_hand(shop: DemoShop) -> None:
    moved: Counter[tuple[str, str]] = Counter()
    for movement in shop.movements:
        moved[movement.product_id, movement.warehouse_id] += movement.quantity
        assert moved[movement.product_id, movement.warehouse_id] >= 0, movement
    told = {(product.id, level.warehouse_id): level.on_hand for product in shop.products for level in product.stock}
    assert {key: units for key, units in moved.items() if units} == {key: units for key, units in told.items() if units}


def test_the_journal_is_in_time_and_names_the_order_of_each_sale(shop: DemoShop) -> None:
    times = [movement.at for movement in shop.movements]
    assert times == sorted(times)
    sold = {order.id for order in shop.orders if order.reservation.status == "SOLD"}
    assert {movement.order_id for movement in shop.movements if movement.kind == "SALE"} == sold


def test_some_products_are_scarce_sold_out_or_inactive(shop: DemoShop) -> None:
    available = {p.id: sum(level.on_hand - level.reserved for level in p.stock) for p in shop.products}
    active = {product.id for product in shop.products if product.active}
    assert len(shop.products) - len(active) == 6
    assert sum(units == 0 for sku, units in available.items() if sku in active) == 8
    assert sum(1 <= units <= 4 for units in available.values()) == 16
