"""The use cases of inventory over the store in memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from subgraphs.inventory.adjustments import MAXIMUM_STOCK, MAXIMUM_WAREHOUSES
from subgraphs.inventory.domain import (
    MAXIMUM_HOLDS,
    Allocation,
    InventoryError,
    Money,
    Movement,
    MovementKind,
    Product,
    ProductChanged,
    Reservation,
    ReservationExpired,
    ReservationLine,
    ReservationPendingError,
    ReservationStatus,
    StockRejected,
    StockReserved,
)
from subgraphs.inventory.reservations import ReturnedParcel
from subgraphs.inventory.service import Inventory
from tests.subgraphs.inventory.examples import MUG, NOON, TEAPOT, facts, lines, receipt, stocked
from tests.subgraphs.inventory.memory_store import MemoryStore


class CrashError(Exception):
    """The process ends here."""


class CrashingStore:
    """Passes calls on to ``store``, and crashes before the ``calls``-th write; a step of the store stays whole."""

    def __init__(self, store: MemoryStore, calls: int) -> None:
        self._store = store
        self._left = calls

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*arguments: object, **named: object) -> object:
            self._left -= 1
            if self._left < 0:
                raise CrashError
            return await method(*arguments, **named)

        return call


async def reserved(store: MemoryStore) -> dict[str, int]:
    return {each.id: each.stock.reserved for each in (await store.products([MUG, TEAPOT])).values()}


@pytest.mark.asyncio
async def test_a_new_product_is_announced(inventory: Inventory, memory_store: MemoryStore) -> None:
    product = await inventory.create_product("CUP-001", facts("Cup"))
    assert memory_store.events == [ProductChanged(product, NOON)]
    assert (await memory_store.products(["CUP-001"]))["CUP-001"] == product


@pytest.mark.asyncio
async def test_a_taken_id_is_refused_and_nothing_is_announced(inventory: Inventory, memory_store: MemoryStore) -> None:
    with pytest.raises(InventoryError) as refusal:
        await inventory.create_product(MUG, facts("Cup"))
    assert (refusal.value.code, refusal.value.field) == ("PRODUCT_EXISTS", "id")
    assert memory_store.events == []


@pytest.mark.asyncio
async def test_a_creation_whose_answer_was_lost_can_be_repeated(
    inventory: Inventory, memory_store: MemoryStore
) -> None:
    first = await inventory.create_product("CUP-001", facts("Cup"))
    assert await inventory.create_product("CUP-001", facts("Cup")) == first
    assert memory_store.events == [ProductChanged(first, NOON)]


@pytest.mark.asyncio
async def test_an_update_whose_answer_was_lost_can_be_repeated(inventory: Inventory, memory_store: MemoryStore) -> None:
    first = await inventory.update_product(MUG, {"price": Money(999)})
    assert await inventory.update_product(MUG, {"price": Money(999)}) == first
    assert memory_store.events == [ProductChanged(first, NOON)]


@pytest.mark.asyncio
async def test_only_the_named_facts_change(inventory: Inventory, memory_store: MemoryStore) -> None:
    product = await inventory.update_product(MUG, {"price": Money(999)})
    assert product.facts == replace(facts(), price=Money(999))
    assert memory_store.events == [ProductChanged(product, NOON)]


@pytest.mark.asyncio
async def test_a_change_that_changes_nothing_is_not_announced(inventory: Inventory, memory_store: MemoryStore) -> None:
    assert (await inventory.update_product(MUG, {"name": "Blue Mug"})).version == 1
    assert memory_store.events == []


@pytest.mark.asyncio
async def test_concurrent_changes_of_different_facts_all_stand(inventory: Inventory, memory_store: MemoryStore) -> None:
    await asyncio.gather(
        inventory.update_product(MUG, {"name": "Mug"}), inventory.update_product(MUG, {"price": Money(1)})
    )
    product = (await memory_store.products([MUG]))[MUG]
    assert (product.facts.name, product.facts.price, product.version) == ("Mug", Money(1), 3)


@pytest.mark.asyncio
async def test_an_unknown_product_cannot_be_changed(inventory: Inventory) -> None:
    with pytest.raises(InventoryError, match=r"There is no product NO-1\.") as refusal:
        await inventory.update_product("NO-1", {"name": "x"})
    assert refusal.value.code == "PRODUCT_UNKNOWN"


class RivalStore(MemoryStore):
    """Somebody else's request with the same key is written just before each of ours."""

    async def adjust(self, movement: Movement) -> bool:
        await MemoryStore.adjust(self, replace(movement, id="mov_rival"))
        return await MemoryStore.adjust(self, movement)


@pytest.mark.asyncio
async def test_an_adjustment_that_is_sent_twice_at_once_is_made_once_and_answered_alike() -> None:
    store = RivalStore()
    await store.add_product(Product(MUG, facts()), ProductChanged(Product(MUG, facts()), NOON))
    result = await at(store, NOON).adjust_stock(MUG, "BER", 5, "delivery", "k1")
    assert result.movement.id == "mov_rival"
    assert await levels(store) == {"BER": (5, 0)}


@pytest.mark.asyncio
async def test_a_repeated_adjustment_answers_the_first_result(inventory: Inventory) -> None:
    first = await inventory.adjust_stock(MUG, "BER", -4, "broken", "k1")
    again = await inventory.adjust_stock(MUG, "BER", -4, "broken", "k1")
    assert first == again
    assert first.product.stock.on_hand == 10


@pytest.mark.asyncio
async def test_a_key_serves_one_adjustment(inventory: Inventory, memory_store: MemoryStore) -> None:
    await inventory.adjust_stock(MUG, "BER", -4, "broken", "k1")
    with pytest.raises(InventoryError) as refusal:
        await inventory.adjust_stock(MUG, "BER", 1, "found", "k1")
    assert refusal.value.code == "IDEMPOTENCY_KEY_REUSED"
    assert (await memory_store.products([MUG]))[MUG].stock.on_hand == 10


@pytest.mark.asyncio
async def test_taking_out_more_than_is_available_is_refused(inventory: Inventory) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=9), "evt_1")
    with pytest.raises(InventoryError) as refusal:
        await inventory.adjust_stock(MUG, "BER", -2, "broken", "k1")
    assert refusal.value.message == "BER has 1 of MUG-001 available; 2 cannot be taken out."
    assert refusal.value.code == "STOCK_INSUFFICIENT"


@pytest.mark.asyncio
async def test_more_than_can_be_answered_is_refused(inventory: Inventory, memory_store: MemoryStore) -> None:
    await memory_store.adjust(receipt(MUG, MAXIMUM_STOCK - 15))
    await inventory.adjust_stock(MUG, "LYO", 1, "found", "the last one")
    with pytest.raises(InventoryError) as refusal:
        await inventory.adjust_stock(MUG, "LYO", 1, "found", "one more")
    assert refusal.value.message == "There are 1000000000 of MUG-001; there cannot be more than 1000000000."
    assert (refusal.value.code, refusal.value.field) == ("STOCK_TOO_LARGE", "delta")
    assert (await inventory.adjust_stock(MUG, "LYO", 1, "found", "the last one")).movement.on_hand == 1


@pytest.mark.asyncio
async def test_one_warehouse_too_many_is_refused(inventory: Inventory, memory_store: MemoryStore) -> None:
    for number in range(MAXIMUM_WAREHOUSES - 2):
        await memory_store.adjust(receipt(MUG, 1, f"W{number}"))
    with pytest.raises(InventoryError) as refusal:
        await inventory.adjust_stock(MUG, "RTM", 1, "found", "k1")
    assert refusal.value.message == "MUG-001 lies in 100 warehouses already, which is the most there can be."
    assert (refusal.value.code, refusal.value.field) == ("TOO_MANY_WAREHOUSES", "warehouse")


@pytest.mark.asyncio
async def test_every_line_is_held_from_as_few_warehouses_as_possible(
    inventory: Inventory, memory_store: MemoryStore
) -> None:
    reservation = await inventory.reserve("ord_1", "cus_ada", lines(TEA_001=1, MUG_001=12), "evt_1")
    assert reservation.status is ReservationStatus.HELD
    assert [
        (line.product_id, [(each.warehouse, each.quantity) for each in line.allocations]) for line in reservation.lines
    ] == [
        (MUG, [("BER", 10), ("LYO", 2)]),
        (TEAPOT, [("BER", 1)]),
    ]
    assert memory_store.events == [StockReserved(replace(reservation, revision=0), NOON)]
    assert await reserved(memory_store) == {MUG: 12, TEAPOT: 1}


@pytest.mark.asyncio
async def test_lines_of_the_same_product_count_together(inventory: Inventory, memory_store: MemoryStore) -> None:
    reservation = await inventory.reserve("ord_1", "cus_ada", [*lines(TEA_001=2), *lines(TEA_001=2)], "evt_1")
    assert reservation.status is ReservationStatus.REJECTED
    assert await reserved(memory_store) == {MUG: 0, TEAPOT: 0}


@pytest.mark.parametrize(
    ("quantities", "code", "product_ids"),
    [
        ({"MUG_001": 15, "TEA_001": 4}, "OUT_OF_STOCK", (MUG, TEAPOT)),
        ({"MUG_001": 1, "NO_1": 1}, "PRODUCT_UNKNOWN", ("NO-1",)),
    ],
)
@pytest.mark.asyncio
async def test_an_order_that_cannot_be_had_holds_nothing(
    inventory: Inventory,
    memory_store: MemoryStore,
    quantities: dict[str, int],
    code: str,
    product_ids: tuple[str, ...],
) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(**quantities), "evt_1")
    (event,) = memory_store.events
    assert isinstance(event, StockRejected)
    assert (event.rejection.code, event.rejection.product_ids) == (code, product_ids)
    assert await reserved(memory_store) == {MUG: 0, TEAPOT: 0}


@pytest.mark.asyncio
async def test_a_product_with_too_many_open_orders_is_rejected_but_not_who_holds_it(
    inventory: Inventory, memory_store: MemoryStore
) -> None:
    await memory_store.adjust(receipt(MUG, MAXIMUM_HOLDS + 1))
    interrupted = Reservation("ord_1", "cus_ada", ReservationStatus.RESERVING, tuple(lines(MUG_001=1)), NOON)
    await memory_store.open_reservation(interrupted, "evt_1")
    await memory_store.hold(MUG, interrupted.id, [Allocation("BER", 1)], NOON)
    await memory_store.hold(MUG, "res_others", [Allocation("BER", 1)] * (MAXIMUM_HOLDS - 1), NOON)
    assert (await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=1), "evt_1")).status is ReservationStatus.HELD
    refused = await inventory.reserve("ord_2", "cus_ada", lines(MUG_001=1, TEA_001=1), "evt_2")
    assert refused.rejection is not None
    assert (refused.rejection.code, refused.rejection.product_ids) == ("TOO_MANY_OPEN_ORDERS", (MUG,))
    assert await reserved(memory_store) == {MUG: MAXIMUM_HOLDS, TEAPOT: 0}


@pytest.mark.asyncio
async def test_a_product_that_is_no_longer_sold_is_rejected(inventory: Inventory, memory_store: MemoryStore) -> None:
    await inventory.update_product(MUG, {"active": False})
    reservation = await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=1), "evt_1")
    assert reservation.rejection is not None
    assert reservation.rejection.code == "PRODUCT_INACTIVE"


@pytest.mark.asyncio
async def test_a_repeated_order_reserves_once(inventory: Inventory, memory_store: MemoryStore) -> None:
    attempts = [inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2), f"evt_{number}") for number in range(5)]
    assert {each.status for each in await asyncio.gather(*attempts)} == {ReservationStatus.HELD}
    assert await reserved(memory_store) == {MUG: 2, TEAPOT: 0}
    assert len(memory_store.events) == 1


@pytest.mark.asyncio
async def test_a_cancelled_order_gives_back_what_it_held(inventory: Inventory, memory_store: MemoryStore) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2, TEA_001=1), "evt_1")
    for cause in ("evt_2", "evt_2", "evt_3"):
        assert (await inventory.release("ord_1", "cus_ada", cause)).status is ReservationStatus.RELEASED
    assert await reserved(memory_store) == {MUG: 0, TEAPOT: 0}


@pytest.mark.asyncio
async def test_a_cancel_that_comes_before_the_order_wins(inventory: Inventory, memory_store: MemoryStore) -> None:
    await inventory.release("ord_1", "cus_ada", "evt_2")
    reservation = await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2), "evt_1")
    assert (reservation.status, reservation.held) == (ReservationStatus.RELEASED, False)
    assert await reserved(memory_store) == {MUG: 0, TEAPOT: 0}
    assert memory_store.events == []


@pytest.mark.asyncio
async def test_a_dispatched_order_is_sold_once(inventory: Inventory, memory_store: MemoryStore) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2), "evt_1")
    for cause in ("evt_2", "evt_2", "evt_3"):
        assert (await inventory.sell("ord_1", cause)).status is ReservationStatus.SOLD
    stock = (await memory_store.products([MUG]))[MUG].stock
    assert (stock.on_hand, stock.reserved, stock.available) == (12, 0, 12)


@pytest.mark.asyncio
async def test_what_was_sold_is_not_released_by_a_late_cancel(inventory: Inventory) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2), "evt_1")
    await inventory.sell("ord_1", "evt_2")
    assert (await inventory.release("ord_1", "cus_ada", "evt_3")).status is ReservationStatus.SOLD


@pytest.mark.asyncio
async def test_a_sale_waits_for_the_reservation(inventory: Inventory) -> None:
    with pytest.raises(ReservationPendingError, match=r"The reservation of ord_1 is not known yet\."):
        await inventory.sell("ord_1", "evt_2")


LATER = NOON + timedelta(seconds=1801)


def at(memory_store: MemoryStore, now: datetime) -> Inventory:
    """The use cases at another time."""
    return Inventory(memory_store, lambda: now, lambda: "mov")


async def levels(store: MemoryStore, product_id: str = MUG) -> dict[str, tuple[int, int]]:
    stock = (await store.products([product_id]))[product_id].stock
    return {level.warehouse: (level.on_hand, level.reserved) for level in stock.levels}


@pytest.mark.asyncio
async def test_an_order_comes_from_the_warehouse_that_is_nearest_to_it(
    inventory: Inventory, memory_store: MemoryStore
) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2), "evt_1", "FR")
    assert await levels(memory_store) == {"BER": (10, 0), "LYO": (4, 2)}


@pytest.mark.asyncio
async def test_parcels_are_sold_one_by_one_and_the_one_that_is_cancelled_is_given_back(
    inventory: Inventory, memory_store: MemoryStore
) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=12), "evt_1")
    for cause in ("evt_2", "evt_2", "evt_3"):
        await inventory.sell("ord_1", cause, "BER")
    assert await levels(memory_store) == {"BER": (0, 0), "LYO": (4, 2)}
    assert (await inventory.release("ord_1", "cus_ada", "evt_4")).status is ReservationStatus.HELD
    assert (await inventory.withdraw("ord_1", "evt_5", "LYO")).status is ReservationStatus.RELEASED
    assert await levels(memory_store) == {"BER": (0, 0), "LYO": (4, 0)}


@pytest.mark.asyncio
async def test_what_comes_back_is_put_in_stock_once(inventory: Inventory, memory_store: MemoryStore) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2, TEA_001=1), "evt_1")
    await inventory.sell("ord_1", "evt_2")
    parcel = ReturnedParcel("ret_1", "LYO", None, (ReservationLine(MUG, 1),))
    for cause in ("evt_3", "evt_3", "evt_4"):
        await inventory.take_back("ord_1", parcel, cause)
    assert await levels(memory_store) == {"BER": (8, 0), "LYO": (5, 0)}
    [back] = [each for each in await memory_store.movements(MUG, 10) if each.kind is MovementKind.RETURN]
    assert (back.warehouse, back.on_hand, back.reserved, back.reference) == ("LYO", 1, 0, "res_1")


@pytest.mark.asyncio
async def test_the_key_of_a_restock_is_nobody_elses(inventory: Inventory, memory_store: MemoryStore) -> None:
    with pytest.raises(InventoryError) as refusal:
        await inventory.adjust_stock(MUG, "BER", 1, "found", "restock:ret_1")
    assert refusal.value.code == "IDEMPOTENCY_KEY_INVALID"
    assert await levels(memory_store) == {"BER": (10, 0), "LYO": (4, 0)}


@pytest.mark.asyncio
async def test_an_order_that_is_not_confirmed_in_time_is_told_of_once(
    inventory: Inventory, memory_store: MemoryStore
) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2), "evt_1")
    memory_store.events.clear()
    await at(memory_store, NOON + timedelta(seconds=1799)).expire_due()
    assert memory_store.events == []
    for _ in range(2):
        await at(memory_store, LATER).expire_due()
    [expired] = memory_store.events
    assert isinstance(expired, ReservationExpired)
    assert (expired.reservation.order_id, expired.at) == ("ord_1", LATER)
    assert await levels(memory_store) == {"BER": (10, 2), "LYO": (4, 0)}
    await inventory.release("ord_1", "cus_ada", "evt_2")
    assert await levels(memory_store) == {"BER": (10, 0), "LYO": (4, 0)}


@pytest.mark.asyncio
async def test_a_confirmed_order_does_not_expire(inventory: Inventory, memory_store: MemoryStore) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2), "evt_1")
    await inventory.confirm("ord_1", "evt_2")
    memory_store.events.clear()
    await at(memory_store, LATER).expire_due()
    assert memory_store.events == []


@pytest.mark.asyncio
async def test_a_reservation_that_was_interrupted_for_good_is_decided_by_the_worker() -> None:
    store = MemoryStore()
    await stocked(store)
    crashing = Inventory(CrashingStore(store, 4), lambda: NOON, lambda: "mov")
    with pytest.raises(CrashError):
        await crashing.reserve("ord_1", "cus_ada", lines(MUG_001=2, TEA_001=1), "evt_1")
    assert (await store.reservations(["ord_1"]))["ord_1"].status is ReservationStatus.RESERVING
    await at(store, LATER).expire_due()
    reservation = (await store.reservations(["ord_1"]))["ord_1"]
    assert (reservation.status, reservation.expires_at) == (ReservationStatus.HELD, LATER + timedelta(seconds=1800))
    assert await reserved(store) == {MUG: 2, TEAPOT: 1}


@pytest.mark.parametrize("end", [None, "release", "sell"])
@pytest.mark.parametrize("quantity", [2, 4])
@pytest.mark.asyncio
async def test_a_crash_before_any_step_changes_nothing_in_the_end(end: str | None, quantity: int) -> None:
    """Teapots are three: two can be had, four cannot, and that is found out after the mugs are held."""
    for calls in range(30):
        store = MemoryStore()
        await stocked(store)
        store.events.clear()
        crashed = await _live(Inventory(CrashingStore(store, calls), lambda: NOON, lambda: "mov"), end, quantity)
        await _live(Inventory(store, lambda: NOON, lambda: "mov"), end, quantity)
        products = await store.products([MUG, TEAPOT])
        left = {each.id: (each.stock.on_hand, each.stock.reserved) for each in products.values()}
        held = 2 if quantity == 2 else 0
        sold = {"release": (0, 0), "sell": (-held, 0), None: (0, held)}[end]
        assert left == {MUG: (14 + sold[0], sold[1]), TEAPOT: (3 + sold[0], sold[1])}, calls
        assert len(store.events) == 1, calls
        if not crashed:
            return
    raise AssertionError("more calls than expected")


async def _live(inventory: Inventory, end: str | None, quantity: int) -> bool:
    """The life of one order; whether it crashed."""
    try:
        await inventory.reserve("ord_1", "cus_ada", lines(MUG_001=2, TEA_001=quantity), "evt_1")
        if end == "release":
            await inventory.release("ord_1", "cus_ada", "evt_2")
        if end == "sell":
            await inventory.sell("ord_1", "evt_2")
    except CrashError:
        return True
    return False


@pytest.mark.asyncio
async def test_the_journal_tells_of_every_step(inventory: Inventory, memory_store: MemoryStore) -> None:
    await inventory.reserve("ord_1", "cus_ada", lines(TEA_001=2), "evt_1")
    await inventory.sell("ord_1", "evt_2")
    journal = await memory_store.movements(TEAPOT, 10)
    told = {(each.kind, each.on_hand, each.reserved, each.reference) for each in journal}
    assert told == {
        (MovementKind.RECEIPT, 3, 0, None),
        (MovementKind.RESERVATION, 0, 2, "res_1"),
        (MovementKind.SALE, -2, -2, "res_1"),
    }
