"""The use cases of inventory: products, stock adjustments, and reservations that hold all of an order or nothing.

A reservation spans several products, which are documents of their own, and there are no transactions across documents.
So its own document decides, and products follow: each step on a product is one atomic update that carries the
reservation's id, can be repeated without effect, and is undone by another one. Whatever crashes in between, the event
comes again and the same steps run to the same end. See :meth:`Inventory.reserve`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from subgraphs.inventory.domain import (
    OPEN,
    Allocation,
    InventoryError,
    InventoryEvent,
    Movement,
    MovementKind,
    Product,
    ProductChanged,
    ProductFacts,
    Rejection,
    Reservation,
    ReservationLine,
    ReservationPendingError,
    ReservationStatus,
    StockRejected,
    StockReserved,
    allocate,
    check_adjustment,
    check_facts,
    check_sku,
    find_rejection,
    merge_lines,
    out_of_stock,
)

ATTEMPTS = 50
"""How often a conditional write is tried anew when others write the same document in between."""

SETTLEMENT = {
    ReservationStatus.RELEASED: MovementKind.RELEASE,
    ReservationStatus.REJECTED: MovementKind.RELEASE,
    ReservationStatus.SOLD: MovementKind.SALE,
}
"""What a reservation that is over does to the stock that it held."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a reservation has of one product: ``held`` is empty until it has something, ``over`` when it may not any
    more.

    ``product`` is None where there is no such product.
    """

    product: Product | None
    held: tuple[Allocation, ...] = ()
    over: bool = False


@dataclass(frozen=True, slots=True)
class ProductQuery:
    """Which products a list shows: every word of ``words`` begins a word of theirs; None means any."""

    words: tuple[str, ...] = ()
    category: str | None = None
    in_stock: bool | None = None
    active: bool | None = True


class Store(Protocol):
    """Where products and reservations are kept; each write is one atomic step, together with its event."""

    async def products(self, ids: Sequence[str]) -> Mapping[str, Product]:
        """The products of those ids that there are."""

    async def list_products(self, query: ProductQuery, limit: int, after: str | None) -> Sequence[Product]:
        """Up to ``limit`` products in the order of their sort keys, those after ``after``."""

    async def add_product(self, product: Product, event: InventoryEvent) -> bool:
        """Add a product without stock; False where its id is taken."""

    async def change_facts(self, product: Product, event: InventoryEvent) -> bool:
        """Give the product new facts; False where its version is no longer ``product.version - 1``."""

    async def adjust(self, movement: Movement) -> bool:
        """Change ``on_hand``, and journal it; False where that key was used, or stock would fall below 0."""

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

    async def decide_reservation(self, reservation: Reservation, event: InventoryEvent) -> bool:
        """Save the decision; False where it is no longer RESERVING."""

    async def end_reservation(
        self, order_id: str, before: Sequence[ReservationStatus], after: ReservationStatus, cause: str
    ) -> bool:
        """Move the reservation to ``after``; False where its status is none of ``before``, or ``cause`` was handled."""

    async def claim(self, product_id: str, reservation: str) -> Claim:
        """What ``reservation`` has of that product."""

    async def hold(self, product_id: str, reservation: str, allocations: Sequence[Allocation], at: datetime) -> bool:
        """Set ``allocations`` aside; False where they are not available, or the claim has something or is over."""

    async def end_hold(self, product_id: str, reservation: str, kind: MovementKind, at: datetime) -> None:
        """Give back (RELEASE) or take out (SALE) what is held; from then on the claim is over, held or not."""

    async def archive_journal(self) -> None:
        """Move what has gathered in the journals of products to where the journal is kept for good."""


@dataclass(frozen=True, slots=True)
class AdjustmentResult:
    """The product as it is now, and the movement that the idempotency key stands for."""

    product: Product
    movement: Movement


@dataclass(frozen=True, slots=True)
class Inventory:
    """The use cases over a store; ``clock`` tells the time, ``new_id`` names movements."""

    store: Store
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    async def create_product(self, product_id: str, facts: ProductFacts) -> Product:
        """A new product without stock. Raises InventoryError: PRODUCT_EXISTS, or a code of the checks."""
        check_sku(product_id)
        check_facts(facts)
        product = Product(product_id, facts)
        if not await self.store.add_product(product, ProductChanged(product, self.clock())):
            raise InventoryError("PRODUCT_EXISTS", f"There is a product {product_id} already.", "id")
        return product

    async def update_product(self, product_id: str, changes: Mapping[str, object]) -> Product:
        """Change the facts that ``changes`` names. Raises InventoryError: PRODUCT_UNKNOWN, or a code of the checks."""
        for _ in range(ATTEMPTS):
            product = await self._product(product_id)
            facts = replace(product.facts, **changes)  # type: ignore[arg-type] # names and types are the schema's
            check_facts(facts)
            changed = replace(product, facts=facts, version=product.version + 1)
            if facts == product.facts:
                return product
            if await self.store.change_facts(changed, ProductChanged(changed, self.clock())):
                return changed
        raise InventoryError("CONFLICT", f"Others are changing {product_id} at this moment; try again.")

    async def adjust_stock(
        self, product_id: str, warehouse: str, delta: int, reason: str, key: str
    ) -> AdjustmentResult:
        """Change what a warehouse holds; a repeat with the same key changes nothing and answers alike.

        Raises InventoryError: PRODUCT_UNKNOWN, STOCK_INSUFFICIENT, IDEMPOTENCY_KEY_REUSED, or a code of the checks.
        """
        at = self.clock()
        wanted = Movement(
            self.new_id(), product_id, warehouse, MovementKind.ADJUSTMENT, delta, 0, at, reason, None, key
        )
        check_adjustment(wanted)
        earlier = await self.store.movement_of_key(product_id, key)
        if earlier is None and not await self.store.adjust(wanted):
            product = await self._product(product_id)
            earlier = await self.store.movement_of_key(product_id, key)
            if earlier is None:
                level = next((level for level in product.stock.levels if level.warehouse == warehouse), None)
                available = level.available if level else 0
                message = f"{warehouse} has {available} of {product_id} available; {-delta} cannot be taken out."
                raise InventoryError("STOCK_INSUFFICIENT", message, "delta")
        return AdjustmentResult(await self._product(product_id), _same(wanted, earlier))

    async def reserve(
        self, order_id: str, customer_id: str, lines: Sequence[ReservationLine], cause: str
    ) -> Reservation:
        """Hold every line for an order, or none; ``cause`` is the id of the event that asks.

        May be called again at any time, and by several processes at once: the first decision stands.
        """
        at = self.clock()
        wanted = Reservation(order_id, customer_id, ReservationStatus.RESERVING, merge_lines(lines), at)
        fresh = await self.store.open_reservation(wanted, cause)
        reservation = wanted if fresh else await self._reservation(order_id)
        if reservation.status is ReservationStatus.RESERVING:
            await self._decide(reservation, fresh=fresh)
            reservation = await self._reservation(order_id)
        return await self._settle(reservation)

    async def release(self, order_id: str, customer_id: str, cause: str) -> Reservation:
        """Give back what an order holds; an order that is not known yet will then hold nothing when it comes."""
        none = Reservation(order_id, customer_id, ReservationStatus.RELEASED, (), self.clock())
        if await self.store.open_reservation(none, cause):
            return none
        return await self._end(order_id, OPEN, ReservationStatus.RELEASED, cause)

    async def sell(self, order_id: str, cause: str) -> Reservation:
        """The parcel left: take out of stock what the order holds.

        Raises ReservationPendingError where the reservation is still to be decided.
        """
        known = (await self.store.reservations([order_id])).get(order_id)
        if known is None or known.status is ReservationStatus.RESERVING:
            raise ReservationPendingError(f"The reservation of {order_id} is not decided yet.")
        return await self._end(order_id, (ReservationStatus.HELD,), ReservationStatus.SOLD, cause)

    async def _decide(self, reservation: Reservation, *, fresh: bool) -> None:
        outcome = await self._claim_all(reservation, fresh=fresh)
        at = self.clock()
        event: InventoryEvent
        if isinstance(outcome, Rejection):
            decided = replace(reservation, status=ReservationStatus.REJECTED, rejection=outcome)
            event = StockRejected(decided, outcome, at)
        else:
            decided = replace(reservation, status=ReservationStatus.HELD, lines=outcome, held=True)
            event = StockReserved(decided, at)
        await self.store.decide_reservation(decided, event)

    async def _claim_all(self, reservation: Reservation, *, fresh: bool) -> tuple[ReservationLine, ...] | Rejection:
        lines = reservation.lines
        if fresh:  # nothing is held yet, so one look at all lines can spare us from holding some in vain
            rejection = find_rejection(lines, await self.store.products([line.product_id for line in lines]))
            if rejection:
                return rejection
        held = []
        for line in lines:
            outcome = await self._claim_line(reservation, line)
            if isinstance(outcome, Rejection):
                return outcome
            held.append(replace(line, allocations=outcome))
        return tuple(held)

    async def _claim_line(self, reservation: Reservation, line: ReservationLine) -> tuple[Allocation, ...] | Rejection:
        for _ in range(ATTEMPTS):
            claim = await self.store.claim(line.product_id, reservation.id)
            if claim.held or claim.over:
                return claim.held
            rejection = find_rejection((line,), {claim.product.id: claim.product} if claim.product else {})
            if rejection or claim.product is None:
                return rejection or out_of_stock((line.product_id,))
            allocations = allocate(claim.product.stock, line.quantity) or ()
            if await self.store.hold(line.product_id, reservation.id, allocations, self.clock()):
                return allocations
        raise ReservationPendingError(f"Too many others reserve {line.product_id} at this moment.")

    async def _end(
        self, order_id: str, before: Sequence[ReservationStatus], after: ReservationStatus, cause: str
    ) -> Reservation:
        if (await self._reservation(order_id)).status in before:
            await self.store.end_reservation(order_id, before, after, cause)
        return await self._settle(await self._reservation(order_id))

    async def _settle(self, reservation: Reservation) -> Reservation:
        """Bring the products in line with what the reservation says; may be repeated at any time."""
        kind = SETTLEMENT.get(reservation.status)
        if kind:
            for line in reservation.lines:
                await self.store.end_hold(line.product_id, reservation.id, kind, self.clock())
        return reservation

    async def _product(self, product_id: str) -> Product:
        product = (await self.store.products([product_id])).get(product_id)
        if product is None:
            raise InventoryError("PRODUCT_UNKNOWN", f"There is no product {product_id}.", "id")
        return product

    async def _reservation(self, order_id: str) -> Reservation:
        return (await self.store.reservations([order_id]))[order_id]


def _same(wanted: Movement, earlier: Movement | None) -> Movement:
    if earlier is None:
        return wanted
    if (earlier.warehouse, earlier.on_hand) != (wanted.warehouse, wanted.on_hand):
        message = "This idempotency key was used for another adjustment of this product."
        raise InventoryError("IDEMPOTENCY_KEY_REUSED", message, "idempotencyKey")
    return earlier
