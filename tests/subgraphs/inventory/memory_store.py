"""A working store of inventory in memory; the contract test holds it and MongoStore to the same promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from subgraphs.inventory.adjustments import find_obstacle
from subgraphs.inventory.domain import (
    MAXIMUM_HOLDS,
    Allocation,
    InventoryEvent,
    Movement,
    MovementKind,
    Product,
    Reservation,
    Stock,
    StockChanged,
    StockLevel,
    search_words,
)
from subgraphs.inventory.store_contract import Claim, ProductQuery


@dataclass
class Shelf:
    """A product, and who holds how much of it."""

    product: Product
    holds: dict[str, tuple[Allocation, ...]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    journal: list[Movement] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether nothing more can be set aside."""
        return sum(map(len, self.holds.values())) >= MAXIMUM_HOLDS


class MemoryStore:
    """Implements :class:`.store_contract.Store`; :attr:`events` is what its writes announced, in order."""

    def __init__(self) -> None:
        self.events: list[InventoryEvent] = []
        self._shelves: dict[str, Shelf] = {}
        self._reservations: dict[str, Reservation] = {}
        self._handled: set[tuple[str, str]] = set()

    async def products(self, ids: Sequence[str]) -> Mapping[str, Product]:
        return {each: self._shelves[each].product for each in ids if each in self._shelves}

    async def list_products(self, query: ProductQuery, limit: int, after: str | None) -> Sequence[Product]:
        products = sorted((shelf.product for shelf in self._shelves.values()), key=lambda product: product.sort_key)
        found = [each for each in products if each.sort_key > (after or "") and _matches(query, each)]
        return found[:limit]

    async def add_product(self, product: Product, event: InventoryEvent) -> bool:
        if product.id in self._shelves:
            return False
        self._shelves[product.id] = Shelf(product)
        self.events.append(event)
        return True

    async def change_facts(self, product: Product, event: InventoryEvent) -> bool:
        shelf = self._shelves.get(product.id)
        if shelf is None or shelf.product.version != product.version - 1:
            return False
        shelf.product = replace(product, stock=shelf.product.stock)
        self.events.append(event)
        return True

    async def adjust(self, movement: Movement) -> bool:
        shelf = self._shelves.get(movement.product_id)
        if shelf is None or any(movement.key == earlier.key for earlier in shelf.journal):
            return False
        if movement.kind is not MovementKind.RETURN and find_obstacle(shelf.product, movement):
            return False
        self._move(shelf, [movement])
        return True

    async def movement_of_key(self, product_id: str, key: str) -> Movement | None:
        shelf = self._shelves.get(product_id)
        return next((each for each in shelf.journal if each.key == key), None) if shelf else None

    async def movements(
        self, product_id: str, limit: int, after: tuple[datetime, str] | None = None
    ) -> Sequence[Movement]:
        journal = self._shelves[product_id].journal if product_id in self._shelves else []
        newest_first = sorted(journal, key=lambda each: (each.at, each.id), reverse=True)
        return [each for each in newest_first if after is None or (each.at, each.id) < after][:limit]

    async def reservations(self, order_ids: Sequence[str]) -> Mapping[str, Reservation]:
        return {each: self._reservations[each] for each in order_ids if each in self._reservations}

    async def open_reservation(self, reservation: Reservation, cause: str) -> bool:
        if reservation.order_id in self._reservations:
            return False
        self._reservations[reservation.order_id] = reservation
        self._handled.add((reservation.order_id, cause))
        return True

    async def save_reservation(
        self, reservation: Reservation, events: Sequence[InventoryEvent] = (), cause: str | None = None
    ) -> Reservation | None:
        order_id = reservation.order_id
        if self._reservations[order_id].revision != reservation.revision or (order_id, cause) in self._handled:
            return None
        written = self._reservations[order_id] = replace(reservation, revision=reservation.revision + 1)
        self.events.extend(events)
        if cause:
            self._handled.add((order_id, cause))
        return written

    async def expiring(self, now: datetime, limit: int) -> Sequence[Reservation]:
        waiting = [(each.expires_at, each) for each in self._reservations.values() if each.expires_at is not None]
        due = [(expires_at, each) for expires_at, each in waiting if expires_at <= now]
        return [each for _, each in sorted(due, key=lambda pair: pair[0])][:limit]

    async def claim(self, product_id: str, reservation: str) -> Claim:
        shelf = self._shelves.get(product_id)
        if shelf is None:
            return Claim(None)
        return Claim(shelf.product, shelf.holds.get(reservation, ()), reservation in shelf.ended, shelf.full)

    async def hold(self, product_id: str, reservation: str, allocations: Sequence[Allocation], at: datetime) -> bool:
        shelf = self._shelves.get(product_id)
        if shelf is None or not shelf.product.facts.active or reservation in shelf.holds or reservation in shelf.ended:
            return False
        if shelf.full or any(_available(shelf, each.warehouse) < each.quantity for each in allocations):
            return False
        shelf.holds[reservation] = tuple(allocations)
        self._move(shelf, _movements(shelf, reservation, allocations, MovementKind.RESERVATION, at))
        return True

    async def end_hold(
        self, product_id: str, reservation: str, kind: MovementKind, at: datetime, warehouse: str | None = None
    ) -> None:
        shelf = self._shelves.get(product_id)
        if shelf is None:
            return
        held = shelf.holds.pop(reservation, ())
        ended = tuple(each for each in held if warehouse in (None, each.warehouse))
        self._move(shelf, _movements(shelf, reservation, ended, kind, at))
        left = tuple(each for each in held if each not in ended)
        if left:
            shelf.holds[reservation] = left
        shelf.ended.add(reservation)

    async def archive_journal(self) -> None:
        """The journal stays where it is."""

    def _move(self, shelf: Shelf, movements: Sequence[Movement]) -> None:
        before, after = shelf.product.stock, _moved(shelf.product.stock, movements)
        if (before.available > 0) != (after.available > 0):
            after = replace(after, version=before.version + 1)
            at = movements[0].at
            self.events.append(StockChanged(shelf.product.id, after.available > 0, after.version, at))
        shelf.product = replace(shelf.product, stock=after)
        shelf.journal.extend(movements)


def _matches(query: ProductQuery, product: Product) -> bool:
    known = search_words(product.id, product.facts)
    return (
        all(any(word.startswith(prefix) for word in known) for prefix in query.words)
        and query.category in (None, product.facts.category)
        and query.active in (None, product.facts.active)
        and query.in_stock in (None, product.stock.available > 0)
    )


def _available(shelf: Shelf, warehouse: str) -> int:
    return sum(level.available for level in shelf.product.stock.levels if level.warehouse == warehouse)


def _movements(
    shelf: Shelf, reservation: str, allocations: Sequence[Allocation], kind: MovementKind, at: datetime
) -> list[Movement]:
    on_hand = -1 if kind is MovementKind.SALE else 0
    reserved = 1 if kind is MovementKind.RESERVATION else -1
    return [
        Movement(
            f"mov_{len(shelf.journal)}_{number}",
            shelf.product.id,
            each.warehouse,
            kind,
            on_hand * each.quantity,
            reserved * each.quantity,
            at,
            reference=reservation,
        )
        for number, each in enumerate(allocations)
    ]


def _moved(stock: Stock, movements: Sequence[Movement]) -> Stock:
    levels = {level.warehouse: level for level in stock.levels}
    for movement in movements:
        level = levels.get(movement.warehouse, StockLevel(movement.warehouse, 0, 0))
        moved = StockLevel(level.warehouse, level.on_hand + movement.on_hand, level.reserved + movement.reserved)
        levels[movement.warehouse] = moved
    return Stock(tuple(levels[name] for name in sorted(levels)), stock.version)
