"""What the use cases of inventory ask of the store: a Protocol, and what it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from subgraphs.inventory.domain import Allocation, InventoryEvent, Movement, MovementKind, Product, Reservation


@dataclass(frozen=True, slots=True)
class Claim:
    """What a reservation has of one product: ``held`` is empty until it has something, ``over`` when it may not any
    more.

    ``product`` is None where there is no such product, ``full`` where MAXIMUM_HOLDS others have something of it.
    """

    product: Product | None
    held: tuple[Allocation, ...] = ()
    over: bool = False
    full: bool = False


@dataclass(frozen=True, slots=True)
class ProductQuery:
    """Which products a list shows: every word of ``words`` begins a word of theirs; None means any."""

    words: tuple[str, ...] = ()
    category: str | None = None
    in_stock: bool | None = None
    active: bool | None = True


class Store(Protocol):
    """Where products and reservations are kept; each write is one atomic step, together with its event.

    A write by which a product runs out, or can be had again, tells so by StockChanged.
    """

    async def products(self, ids: Sequence[str]) -> Mapping[str, Product]:
        """The products of those ids that there are."""

    async def list_products(self, query: ProductQuery, limit: int, after: str | None) -> Sequence[Product]:
        """Up to ``limit`` products in the order of their sort keys, those after ``after``."""

    async def add_product(self, product: Product, event: InventoryEvent) -> bool:
        """Add a product without stock; False where its id is taken."""

    async def change_facts(self, product: Product, event: InventoryEvent) -> bool:
        """Give the product new facts; False where its version is no longer ``product.version - 1``."""

    async def adjust(self, movement: Movement) -> bool:
        """Change ``on_hand``, and journal it; False where that key was used, or the stock has no room for it.

        Room is what :func:`subgraphs.inventory.adjustments.find_obstacle` says; what comes back (RETURN) always has it.
        """

    async def movement_of_key(self, product_id: str, key: str) -> Movement | None:
        """The movement that ``key`` made on that product."""

    async def movements(
        self, product_id: str, limit: int, after: tuple[datetime, str] | None = None
    ) -> Sequence[Movement]:
        """The journal of a product, newest first; ``after`` is (at, id) of the last one seen."""

    async def reservations(self, order_ids: Sequence[str]) -> Mapping[str, Reservation]:
        """The reservations of those orders that there are, by order id."""

    async def open_reservation(self, reservation: Reservation, cause: str) -> bool:
        """Add a reservation; False where the order has one."""

    async def save_reservation(
        self, reservation: Reservation, events: Sequence[InventoryEvent] = (), cause: str | None = None
    ) -> Reservation | None:
        """Write ``reservation`` over its own revision, and return it with the next one.

        None where others wrote first, or it has handled ``cause``.
        """

    async def expiring(self, now: datetime, limit: int) -> Sequence[Reservation]:
        """Up to ``limit`` reservations whose ``expires_at`` has come, the longest waiting first."""

    async def claim(self, product_id: str, reservation: str) -> Claim:
        """What ``reservation`` has of that product."""

    async def hold(self, product_id: str, reservation: str, allocations: Sequence[Allocation], at: datetime) -> bool:
        """Set ``allocations`` aside.

        False where they are not available, the claim has something or is over, or MAXIMUM_HOLDS have something already.
        """

    async def end_hold(
        self, product_id: str, reservation: str, kind: MovementKind, at: datetime, warehouse: str | None = None
    ) -> None:
        """Give back (RELEASE) or take out (SALE) what is held in ``warehouse``, or in all (None).

        From then on the claim is over: it takes nothing more, whether it held something or not.
        """

    async def archive_journal(self) -> None:
        """Move what has gathered in the journals of products to where the journal is kept for good."""
