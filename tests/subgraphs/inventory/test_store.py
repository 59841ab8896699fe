"""What every store of inventory promises, tried on the one in memory and on the real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from subgraphs.inventory.adjustments import MAXIMUM_STOCK, MAXIMUM_WAREHOUSES
from subgraphs.inventory.domain import (
    Allocation,
    MovementKind,
    Product,
    ProductChanged,
    Rejection,
    Reservation,
    ReservationLine,
    ReservationStatus,
    Restock,
    Stock,
    StockLevel,
    StockRejected,
)
from subgraphs.inventory.store_contract import Claim, ProductQuery, Store
from tests.subgraphs.inventory.examples import MUG, NOON, TEAPOT, facts, receipt

RESERVING = Reservation("ord_1", "cus_ada", ReservationStatus.RESERVING, (ReservationLine(MUG, 2),), NOON)


@pytest.fixture(params=["memory_store", "mongo_store"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    return found


async def stock(store: Store, product_id: str = MUG) -> dict[str, tuple[int, int]]:
    product = (await store.products([product_id]))[product_id]
    return {level.warehouse: (level.on_hand, level.reserved) for level in product.stock.levels}


@pytest.mark.asyncio
async def test_products_answers_the_known_ones_by_id(store: Store) -> None:
    found = await store.products([MUG, "NO-1"])
    levels = (StockLevel("BER", 10, 0), StockLevel("LYO", 4, 0))
    assert found == {MUG: Product(MUG, facts(), Stock(levels, version=1))}


@pytest.mark.asyncio
async def test_a_taken_id_is_not_added_again(store: Store) -> None:
    product = Product(MUG, facts("Another"))
    assert not await store.add_product(product, ProductChanged(product, NOON))
    assert (await store.products([MUG]))[MUG].facts.name == "Blue Mug"


@pytest.mark.asyncio
async def test_facts_change_only_from_the_version_that_was_read(store: Store) -> None:
    second = Product(MUG, facts("Second"), version=2)
    assert await store.change_facts(second, ProductChanged(second, NOON))
    assert not await store.change_facts(second, ProductChanged(second, NOON))
    product = (await store.products([MUG]))[MUG]
    assert (product.facts.name, product.version, product.stock.on_hand) == ("Second", 2, 14)


@pytest.mark.asyncio
async def test_lists_come_by_name_and_go_on_after_the_last_one(store: Store) -> None:
    first = await store.list_products(ProductQuery(), 1, None)
    rest = await store.list_products(ProductQuery(), 5, first[0].sort_key)
    assert [each.id for each in (*first, *rest)] == [MUG, TEAPOT]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (ProductQuery(words=("blu",)), [MUG]),
        (ProductQuery(words=("tea", "gre")), [TEAPOT]),
        (ProductQuery(words=("lue",)), []),
        (ProductQuery(words=("mug-0",)), [MUG]),
        (ProductQuery(category="Tea"), [TEAPOT]),
        (ProductQuery(in_stock=True), [MUG, TEAPOT]),
        (ProductQuery(in_stock=False), []),
        (ProductQuery(active=False), []),
    ],
)
@pytest.mark.asyncio
async def test_lists_show_what_the_query_asks_for(store: Store, query: ProductQuery, found: list[str]) -> None:
    assert [each.id for each in await store.list_products(query, 5, None)] == found


@pytest.mark.asyncio
async def test_an_adjustment_moves_stock_once_for_its_key(store: Store) -> None:
    assert await store.adjust(receipt(MUG, -3, key="once"))
    assert not await store.adjust(receipt(MUG, -3, key="once"))
    assert await stock(store) == {"BER": (7, 0), "LYO": (4, 0)}


@pytest.mark.asyncio
async def test_stock_never_falls_below_what_is_available(store: Store) -> None:
    await store.hold(MUG, "res_1", [Allocation("BER", 8)], NOON)
    assert not await store.adjust(receipt(MUG, -3, key="too much"))
    assert not await store.adjust(receipt(MUG, -1, "RTM", key="no such warehouse"))
    assert await store.adjust(receipt(MUG, -2, key="the rest"))
    assert await stock(store) == {"BER": (8, 8), "LYO": (4, 0)}


@pytest.mark.asyncio
async def test_stock_never_grows_beyond_what_can_be_answered(store: Store) -> None:
    assert await store.adjust(receipt(MUG, MAXIMUM_STOCK - 14, "RTM", key="all there is room for"))
    await store.hold(MUG, "res_1", [Allocation("RTM", 8)], NOON)
    assert not await store.adjust(receipt(MUG, 1, key="one more, where there are few"))
    assert await stock(store) == {"BER": (10, 0), "LYO": (4, 0), "RTM": (MAXIMUM_STOCK - 14, 8)}


@pytest.mark.asyncio
async def test_what_was_sold_comes_back_however_much_there_is(store: Store) -> None:
    await store.adjust(receipt(MUG, MAXIMUM_STOCK - 14, key="all there is room for"))
    assert await store.adjust(replace(receipt(MUG, 2, "LYO", key="back"), kind=MovementKind.RETURN))
    assert await stock(store) == {"BER": (MAXIMUM_STOCK - 4, 0), "LYO": (6, 0)}


@pytest.mark.asyncio
async def test_a_product_lies_in_a_hundred_warehouses_at_most(store: Store) -> None:
    for number in range(MAXIMUM_WAREHOUSES - 1):
        assert await store.adjust(receipt(TEAPOT, 1, f"W{number}"))
    assert not await store.adjust(receipt(TEAPOT, 1, "ONE-MORE"))
    assert await store.adjust(receipt(TEAPOT, 1, "BER"))
    assert len(await stock(store, TEAPOT)) == MAXIMUM_WAREHOUSES


@pytest.mark.asyncio
async def test_a_movement_is_found_by_its_key_before_and_after_archiving(store: Store) -> None:
    adjusted = receipt(MUG, 5, "RTM", key="k")
    await store.adjust(adjusted)
    assert await store.movement_of_key(MUG, "k") == adjusted
    await store.archive_journal()
    assert await store.movement_of_key(MUG, "k") == adjusted
    assert not await store.adjust(adjusted)
    assert await store.movement_of_key(TEAPOT, "k") is None


@pytest.mark.asyncio
async def test_the_journal_adds_up_to_the_stock_and_pages_newest_first(store: Store) -> None:
    await store.hold(MUG, "res_1", [Allocation("BER", 2), Allocation("LYO", 1)], NOON + timedelta(hours=1))
    await store.archive_journal()
    await store.end_hold(MUG, "res_1", MovementKind.SALE, NOON + timedelta(hours=2))
    journal = await store.movements(MUG, 100)
    assert [each.kind.value for each in journal] == ["SALE"] * 2 + ["RESERVATION"] * 2 + ["RECEIPT"] * 2
    assert (sum(each.on_hand for each in journal), sum(each.reserved for each in journal)) == (11, 0)
    assert await stock(store) == {"BER": (8, 0), "LYO": (3, 0)}
    assert await store.movements(MUG, 3, (journal[1].at, journal[1].id)) == journal[2:5]


@pytest.mark.asyncio
async def test_a_hold_takes_what_is_available_once(store: Store) -> None:
    allocations = (Allocation("BER", 2), Allocation("LYO", 4))
    assert await store.hold(MUG, "res_1", allocations, NOON)
    assert not await store.hold(MUG, "res_1", allocations, NOON)
    assert not await store.hold(MUG, "res_2", [Allocation("BER", 1), Allocation("LYO", 1)], NOON)
    assert await stock(store) == {"BER": (10, 2), "LYO": (4, 4)}
    claim = await store.claim(MUG, "res_1")
    assert (claim.held, claim.over) == (allocations, False)
    assert (await store.claim(MUG, "res_2")).held == ()
    assert await store.claim("NO-1", "res_1") == Claim(None)


@pytest.mark.asyncio
async def test_an_inactive_product_cannot_be_held(store: Store) -> None:
    retired = Product(MUG, replace(facts(), active=False), version=2)
    await store.change_facts(retired, ProductChanged(retired, NOON))
    assert not await store.hold(MUG, "res_1", [Allocation("BER", 1)], NOON)


@pytest.mark.asyncio
async def test_releasing_gives_back_and_selling_takes_out_once_each(store: Store) -> None:
    for reservation, kind in (("res_1", MovementKind.RELEASE), ("res_2", MovementKind.SALE)):
        await store.hold(MUG, reservation, [Allocation("BER", 2)], NOON)
        await store.end_hold(MUG, reservation, kind, NOON)
        await store.end_hold(MUG, reservation, kind, NOON)
    assert await stock(store) == {"BER": (8, 0), "LYO": (4, 0)}


@pytest.mark.asyncio
async def test_a_claim_that_is_over_can_hold_nothing_any_more(store: Store) -> None:
    await store.end_hold(MUG, "res_1", MovementKind.RELEASE, NOON)
    assert (await store.claim(MUG, "res_1")).over
    assert not await store.hold(MUG, "res_1", [Allocation("BER", 1)], NOON)
    assert await stock(store) == {"BER": (10, 0), "LYO": (4, 0)}


@pytest.mark.asyncio
async def test_fifty_reservations_of_ten_pieces_hold_ten(store: Store) -> None:
    attempts = [store.hold(MUG, f"res_{number}", [Allocation("BER", 1)], NOON) for number in range(50)]
    assert sum(await asyncio.gather(*attempts)) == 10
    assert await stock(store) == {"BER": (10, 10), "LYO": (4, 0)}


@pytest.mark.asyncio
async def test_an_order_has_one_reservation(store: Store) -> None:
    assert await store.open_reservation(RESERVING, "evt_1")
    assert not await store.open_reservation(replace(RESERVING, lines=()), "evt_2")
    assert await store.reservations(["ord_1", "ord_2"]) == {"ord_1": RESERVING}


@pytest.mark.asyncio
async def test_the_first_decision_stands(store: Store) -> None:
    await store.open_reservation(RESERVING, "evt_1")
    rejection = Rejection("OUT_OF_STOCK", "Not enough in stock: MUG-001.", (MUG,))
    rejected = replace(RESERVING, status=ReservationStatus.REJECTED, rejection=rejection)
    event = StockRejected(rejected, rejection, NOON)
    saved = await store.save_reservation(rejected, [event])
    assert saved == replace(rejected, revision=1)
    assert await store.save_reservation(replace(RESERVING, status=ReservationStatus.HELD), [event]) is None
    assert await store.reservations(["ord_1"]) == {"ord_1": saved}


@pytest.mark.asyncio
async def test_a_reservation_is_kept_whole(store: Store) -> None:
    lines = (ReservationLine(MUG, 3, (Allocation("BER", 2), Allocation("LYO", 1))),)
    reservation = replace(
        RESERVING,
        status=ReservationStatus.SOLD,
        lines=lines,
        held=True,
        destination="FR",
        confirmed=True,
        expires_at=NOON + timedelta(minutes=30),
        sold=frozenset({"BER"}),
        withdrawn=frozenset({"LYO"}),
        restocks=(Restock("ret_1", "RTM", (ReservationLine(MUG, 1),)),),
    )
    await store.open_reservation(reservation, "evt_1")
    assert await store.reservations(["ord_1"]) == {"ord_1": reservation}


@pytest.mark.asyncio
async def test_an_event_changes_a_reservation_once(store: Store) -> None:
    await store.open_reservation(RESERVING, "evt_1")
    released = replace(RESERVING, status=ReservationStatus.RELEASED)
    assert await store.save_reservation(released, cause="evt_1") is None
    saved = await store.save_reservation(released, cause="evt_2")
    assert saved is not None
    assert await store.save_reservation(saved, cause="evt_2") is None


@pytest.mark.asyncio
async def test_reservations_expire_in_the_order_in_which_they_are_due(store: Store) -> None:
    for number, minutes in ((1, 30), (2, 20), (3, 40), (4, None)):
        expires_at = None if minutes is None else NOON + timedelta(minutes=minutes)
        waiting = replace(RESERVING, order_id=f"ord_{number}", expires_at=expires_at)
        await store.open_reservation(waiting, f"evt_{number}")
    due = await store.expiring(NOON + timedelta(minutes=30), 5)
    assert [each.order_id for each in due] == ["ord_2", "ord_1"]
    assert [each.order_id for each in await store.expiring(NOON + timedelta(hours=1), 1)] == ["ord_2"]


@pytest.mark.asyncio
async def test_one_warehouse_after_the_other_ends_a_hold_once_each(store: Store) -> None:
    await store.hold(MUG, "res_1", [Allocation("BER", 2), Allocation("LYO", 1)], NOON)
    for _ in range(2):
        await store.end_hold(MUG, "res_1", MovementKind.SALE, NOON, "BER")
    assert await stock(store) == {"BER": (8, 0), "LYO": (4, 1)}
    claim = await store.claim(MUG, "res_1")
    assert (claim.held, claim.over) == ((Allocation("LYO", 1),), True)
    await store.end_hold(MUG, "res_1", MovementKind.RELEASE, NOON)
    assert await stock(store) == {"BER": (8, 0), "LYO": (4, 0)}
    assert not await store.hold(MUG, "res_1", [Allocation("BER", 1)], NOON)
