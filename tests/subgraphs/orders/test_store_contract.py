"""What every store of orders promises: the one in memory as the one over the real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from subgraphs.orders.changes import move
from subgraphs.orders.domain import (
    Allocation,
    Customer,
    Money,
    Order,
    OrderLine,
    OrderPlaced,
    Parcel,
    ParcelStatus,
    Return,
    ReturnLine,
    ReturnStatus,
    position_of,
)
from subgraphs.orders.order_life import Occurrence, OrderStatus, Stage
from subgraphs.orders.service import Slice, Store
from tests.subgraphs.orders.examples import LAMP, MUG, NOW, an_order

pytestmark = pytest.mark.asyncio


async def keep(store: Store, *orders: Order) -> None:
    for order in orders:
        assert await store.insert(order, [])


def a_list(count: int, customer_id: str = "cus_ada") -> list[Order]:
    """Orders, newest first; two each of the same moment."""
    orders = [
        an_order(
            id=f"ord_{customer_id}_{n}",
            number=f"{customer_id}-{n}",
            customer_id=customer_id,
            placed_at=NOW + timedelta(seconds=n // 2),
            stage=Stage.CONFIRMED if n % 3 == 0 else Stage.PLACED,
        )
        for n in range(count)
    ]
    return orders[::-1]


async def test_an_order_is_kept_whole(store: Store) -> None:
    order = an_order(
        lines=(OrderLine("MUG-001", 2, Money(1250), 400), OrderLine("LMP-001", 1, Money(8900), 2100)),
        shipping_address=replace(an_order().shipping_address, line2="Flat 2"),
    )
    await keep(store, order)
    assert await store.orders(["ord_1", "ord_9"]) == {"ord_1": order}


async def test_a_moved_order_is_kept_whole(store: Store) -> None:
    order = an_order()
    await keep(store, order)
    after = move(order, Occurrence.PAYMENT_DECLINED, NOW + timedelta(seconds=1), "No funds.", "INSUFFICIENT_FUNDS")
    saved = await store.save(after, [], "evt_1")
    assert saved == replace(after, revision=1)
    assert await store.orders(["ord_1"]) == {"ord_1": saved}


async def test_where_it_comes_from_its_parcels_and_returns_are_kept(store: Store) -> None:
    line = OrderLine("MUG-001", 2, Money(1250), 400, (Allocation("BER", 1), Allocation("LYO", 1)))
    returns = (
        Return("ret_1", (ReturnLine("MUG-001", 1),), Money(1250), "broken", NOW, "f" * 32),
        Return("ret_2", (ReturnLine("MUG-001", 1),), Money(1250), "", NOW, "e" * 32, ReturnStatus.RECEIVED, NOW),
    )
    order = an_order(lines=(line,), parcels=(Parcel(ParcelStatus.DELIVERED, 2, 3),), returns=returns)
    await keep(store, order)
    assert await store.orders(["ord_1"]) == {"ord_1": order}


@pytest.mark.parametrize("twin", [an_order(number="G-2026-OTHER0"), an_order(id="ord_2")])
async def test_an_id_or_number_that_is_taken_keeps_nothing(store: Store, twin: Order) -> None:
    await keep(store, an_order())
    assert not await store.insert(twin, [OrderPlaced(twin, "tok_approved")])
    assert await store.orders(["ord_1", "ord_2"]) == {"ord_1": an_order()}


async def test_the_same_order_from_ten_at_once_is_kept_once(store: Store) -> None:
    orders = [an_order(number=f"G-2026-00000{n}") for n in range(10)]
    kept = await asyncio.gather(*(store.insert(order, []) for order in orders))
    assert sum(kept) == 1
    assert (await store.orders(["ord_1"]))["ord_1"] == orders[kept.index(True)]


async def test_a_change_is_made_only_over_the_revision_it_was_derived_from(store: Store) -> None:
    await keep(store, an_order(stage=Stage.CANCELLED, revision=1))
    assert await store.save(move(an_order(), Occurrence.STOCK_RESERVED, NOW)) is None
    assert await store.orders(["ord_1"]) == {"ord_1": an_order(stage=Stage.CANCELLED, revision=1)}


async def test_a_change_of_an_unknown_order_is_none(store: Store) -> None:
    assert await store.save(move(an_order(), Occurrence.STOCK_RESERVED, NOW)) is None
    assert await store.orders(["ord_1"]) == {}


async def test_an_event_that_was_handled_changes_nothing_more(store: Store) -> None:
    await keep(store, an_order())
    reserved = await store.save(move(an_order(), Occurrence.STOCK_RESERVED, NOW), [], "evt_1")
    assert reserved is not None
    assert await store.save(move(reserved, Occurrence.PAYMENT_AUTHORIZED, NOW), [], "evt_1") is None
    assert await store.orders(["ord_1"]) == {"ord_1": reserved}


async def test_the_same_change_from_ten_at_once_is_made_once(store: Store) -> None:
    await keep(store, an_order())
    after = move(an_order(), Occurrence.CANCELLED_BY_CUSTOMER, NOW)
    made = await asyncio.gather(*(store.save(after) for _ in range(10)))
    assert [each for each in made if each] == [replace(after, revision=1)]
    assert len((await store.orders(["ord_1"]))["ord_1"].history) == 2


async def test_a_list_is_read_newest_first_part_by_part(store: Store) -> None:
    listed = a_list(5)
    await keep(store, *listed[::2], *listed[1::2])
    assert await store.newest(Slice(3)) == listed[:3]
    assert await store.newest(Slice(3, position_of(listed[2]))) == listed[3:]
    assert await store.newest(Slice(3, position_of(listed[4]))) == []


async def test_a_list_is_of_one_customer_and_one_status_if_asked(store: Store) -> None:
    of_ada, of_bob = a_list(4), a_list(2, "cus_bob")
    await keep(store, *of_ada, *of_bob)
    confirmed = [order for order in of_ada if order.status is OrderStatus.CONFIRMED]
    assert await store.newest(Slice(9), "cus_bob") == of_bob
    assert await store.newest(Slice(9, None, OrderStatus.CONFIRMED), "cus_ada") == confirmed
    assert await store.newest(Slice(9, position_of(confirmed[0]), OrderStatus.CONFIRMED), "cus_ada") == confirmed[1:]
    assert len(await store.newest(Slice(9, None, OrderStatus.CONFIRMED))) == 3
    assert await store.newest(Slice(9), "cus_new") == []


async def test_the_lists_of_several_customers_are_read_together(store: Store) -> None:
    of_ada, of_bob = a_list(4), a_list(2, "cus_bob")
    await keep(store, *of_ada, *of_bob, *a_list(1, "cus_stranger"))
    for name in ("cus_ada", "cus_bob", "cus_new"):
        await store.put_customer(Customer(name))
    asked = ["cus_ada", "cus_bob", "cus_new", "cus_unknown"]
    assert await store.newest_by_customer(asked, Slice(2)) == {"cus_ada": of_ada[:2], "cus_bob": of_bob, "cus_new": []}
    after = await store.newest_by_customer(["cus_ada"], Slice(9, position_of(of_ada[0]), OrderStatus.CONFIRMED))
    assert after == {"cus_ada": [of_ada[3]]}


async def test_a_moved_order_is_listed_under_its_new_status(store: Store) -> None:
    await keep(store, an_order())
    await store.save(move(an_order(), Occurrence.CANCELLED_BY_STAFF, NOW, "gone"))
    assert await store.newest(Slice(9, None, OrderStatus.PENDING)) == []
    assert [order.id for order in await store.newest(Slice(9, None, OrderStatus.CANCELLED))] == ["ord_1"]


async def test_a_later_state_of_a_product_wins_in_any_order(store: Store) -> None:
    dearer = replace(MUG, price=Money(1500), name="Big mug")
    for product, version in ((dearer, 3), (MUG, 2), (replace(MUG, active=False), 3)):
        await store.put_product(product, version)
    await store.put_product(LAMP, 1)
    assert await store.products(["MUG-001", "LMP-001", "NOPE"]) == {"MUG-001": dearer, "LMP-001": LAMP}
    await store.put_product(replace(dearer, active=False), 4)
    assert await store.products(["MUG-001"]) == {"MUG-001": replace(dearer, active=False)}


async def test_a_customer_is_kept_as_they_were_named_last(store: Store) -> None:
    await store.put_customer(Customer("cus_ada", "Ada", "a@example.org"))
    await store.put_customer(Customer("cus_ada", "Ada Lovelace", None))
    await store.put_customer(Customer("cus_bob"))
    assert await store.customers(["cus_ada", "cus_bob", "cus_9"]) == {
        "cus_ada": Customer("cus_ada", "Ada Lovelace", None),
        "cus_bob": Customer("cus_bob"),
    }
