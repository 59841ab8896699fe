"""Whoever keeps track of what is in stock is told when a product runs out and when it can be had again, and no more.

Tried on the store in memory and on the real database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from pymongo import MongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from subgraphs.chassis.database.mongodb import Document, connect
from subgraphs.inventory.domain import Allocation, MovementKind, ReservationStatus, StockChanged
from subgraphs.inventory.events import encode
from subgraphs.inventory.service import Inventory
from subgraphs.inventory.store import MongoStore
from subgraphs.inventory.store_contract import Store
from tests.subgraphs.inventory.examples import MUG, NOON, TEAPOT, lines, receipt, settings_for
from tests.subgraphs.inventory.memory_store import MemoryStore

Told = list[tuple[bool, int]]


class NoOutbox:
    def wake(self) -> None:
        """Nobody relays in these tests."""


@pytest.fixture(params=["memory_store", "mongo_store"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    return found


async def told(store: Store, mongodb_url: str, product_id: str = TEAPOT) -> Told:
    """(in stock, version) of each time that the stock of the product changed, since its first pieces came."""
    if isinstance(store, MemoryStore):
        changes = [event for event in store.events if isinstance(event, StockChanged)]
        return [(each.in_stock, each.version) for each in changes if each.product_id == product_id]
    database = connect(settings_for(mongodb_url))
    document = await database["products"].find_one({"_id": product_id})
    database.client.close()
    assert document is not None
    events = [event for event in document["outbox"] if event["type"] == "product.stock_changed"]
    return [(event["data"]["inStock"], event["data"]["version"]) for event in events][1:]


async def hold(store: Store, reservation: str, quantity: int) -> bool:
    return await store.hold(TEAPOT, reservation, [Allocation("BER", quantity)], NOON)


@pytest.mark.asyncio
async def test_a_reservation_that_leaves_something_tells_nothing(store: Store, mongodb_url: str) -> None:
    assert await hold(store, "res_1", 2)
    await store.end_hold(TEAPOT, "res_1", MovementKind.RELEASE, NOON)
    assert await told(store, mongodb_url) == []


@pytest.mark.asyncio
async def test_the_last_piece_and_the_first_one_are_told(store: Store, mongodb_url: str) -> None:
    for reservation, quantity in (("res_1", 2), ("res_2", 1)):
        assert await hold(store, reservation, quantity)
    assert not await hold(store, "res_3", 1)
    assert await told(store, mongodb_url) == [(False, 2)]
    await store.end_hold(TEAPOT, "res_2", MovementKind.RELEASE, NOON)
    await store.end_hold(TEAPOT, "res_1", MovementKind.RELEASE, NOON)
    assert await told(store, mongodb_url) == [(False, 2), (True, 3)]


@pytest.mark.asyncio
async def test_what_is_sold_was_out_of_stock_before(store: Store, mongodb_url: str) -> None:
    assert await hold(store, "res_1", 3)
    await store.end_hold(TEAPOT, "res_1", MovementKind.SALE, NOON)
    assert await told(store, mongodb_url) == [(False, 2)]


@pytest.mark.asyncio
async def test_a_count_that_finds_nothing_and_a_delivery_are_told(store: Store, mongodb_url: str) -> None:
    assert await store.adjust(receipt(TEAPOT, -3, key="count"))
    assert not await store.adjust(receipt(TEAPOT, -3, key="count"))
    assert await store.adjust(receipt(TEAPOT, 2, "LYO", key="delivery"))
    assert await told(store, mongodb_url) == [(False, 2), (True, 3)]


@pytest.mark.asyncio
async def test_a_product_that_another_warehouse_has_is_in_stock(store: Store, mongodb_url: str) -> None:
    assert await store.hold(MUG, "res_1", [Allocation("BER", 10)], NOON)
    assert await told(store, mongodb_url, MUG) == []
    assert await store.hold(MUG, "res_2", [Allocation("LYO", 4)], NOON)
    assert await told(store, mongodb_url, MUG) == [(False, 2)]


@pytest.mark.asyncio
async def test_buyers_and_cancellations_side_by_side_never_tell_it_wrong(
    mongo_store: MongoStore, mongodb_url: str
) -> None:
    """All write around the moment of running out: what is told alternates, without a gap, and ends with the truth."""
    inventory = Inventory(mongo_store, lambda: NOON, lambda: "mov")

    kept: list[int] = []

    async def buy_and_cancel(number: int) -> None:
        order_id = f"ord_{number}"
        reservation = await inventory.reserve(order_id, "cus_ada", lines(TEA_001=1 + number % 3), f"buy {number}")
        if reservation.status is ReservationStatus.HELD and number % 4:
            await inventory.release(order_id, "cus_ada", f"cancel {number}")
        elif reservation.status is ReservationStatus.HELD:
            kept.append(number)

    await asyncio.gather(*(buy_and_cancel(number) for number in range(40)))
    # Who kept theirs may have bought it before anybody cancelled; then it never came back so far.
    for number in kept:
        await inventory.release(f"ord_{number}", "cus_ada", f"return {number}")
    changes = await told(mongo_store, mongodb_url)
    stock = (await mongo_store.products([TEAPOT]))[TEAPOT].stock
    assert len(changes) > 1
    assert [version for _, version in changes] == list(range(2, len(changes) + 2))
    assert [in_stock for in_stock, _ in changes] == _alternating(len(changes))
    assert (stock.available > 0, stock.version) == changes[-1]


def _alternating(count: int) -> Sequence[bool]:
    return [bool(number % 2) for number in range(count)]


class DeliveryBeforeTheFirstFind(CommandListener):
    """Five pieces arrive just before the first find is sent."""

    def __init__(self, mongodb_url: str) -> None:
        self._url: str | None = mongodb_url

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find" and self._url:
            url, self._url = self._url, None
            paths = ("stock.available", "stock.warehouses.BER.available", "stock.warehouses.BER.onHand")
            with MongoClient[Document](url) as client:
                products = client.get_default_database()["products"]
                products.update_one({"_id": TEAPOT}, {"$inc": dict.fromkeys(paths, 5)})

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to do."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to do."""


@pytest.mark.asyncio
async def test_a_hold_between_whose_tries_more_arrives_is_made(mongo_store: MongoStore, mongodb_url: str) -> None:
    """The first try leaves the case of the last piece to the second, by which time it is no longer the last one."""
    assert await hold(mongo_store, "res_1", 2)
    database = connect(settings_for(mongodb_url), [DeliveryBeforeTheFirstFind(mongodb_url)])
    overtaken = MongoStore(database, NoOutbox(), encode)
    assert await hold(overtaken, "res_2", 1)
    database.client.close()
    stock = (await mongo_store.products([TEAPOT]))[TEAPOT].stock
    assert (stock.on_hand, stock.reserved) == (8, 3)
    assert await told(mongo_store, mongodb_url) == []
