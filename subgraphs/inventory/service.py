"""The use cases of inventory: products, stock adjustments, and reservations that hold all of an order or nothing.

A reservation spans several products, which are documents of their own, and there are no transactions across documents.
So its own document decides, and products follow: each step on a product is one atomic update that carries the
reservation's id, can be repeated without effect, and is undone by another one. Whatever crashes in between, the event
comes again and the same steps run to the same end. See :meth:`Inventory.reserve`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from subgraphs.inventory.adjustments import RESTOCK_KEY, check_adjustment, find_obstacle
from subgraphs.inventory.allocation import allocate, choose_warehouses
from subgraphs.inventory.domain import (
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
    ReservationExpired,
    ReservationLine,
    ReservationPendingError,
    ReservationStatus,
    Restock,
    StockRejected,
    StockReserved,
    check_facts,
    check_sku,
    find_rejection,
    merge_lines,
    out_of_stock,
    too_many_open_orders,
)
from subgraphs.inventory.reservations import ReturnedParcel, confirm, expire, release, sell, take_back, withdraw
from subgraphs.inventory.store_contract import Store

ATTEMPTS = 50
"""How often a conditional write is tried anew when others write the same document in between."""

EXPIRING_BATCH = 50
DEFAULT_TTL_S = 1800.0
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AdjustmentResult:
    """The product as it is now, and the movement that the idempotency key stands for."""

    product: Product
    movement: Movement


@dataclass(frozen=True, slots=True)
class Inventory:
    """The use cases over a store; ``clock`` tells the time, ``new_id`` names movements.

    Stock is held ``reservation_ttl_s`` seconds for an order that is not confirmed.
    """

    store: Store
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    reservation_ttl_s: float = DEFAULT_TTL_S

    async def create_product(self, product_id: str, facts: ProductFacts) -> Product:
        """A new product without stock; a repeat, which is one whose facts are those of the product, answers with it.

        Raises InventoryError: PRODUCT_EXISTS, or a code of the checks.
        """
        check_sku(product_id)
        check_facts(facts)
        product = Product(product_id, facts)
        if await self.store.add_product(product, ProductChanged(product, self.clock())):
            return product
        earlier = await self._product(product_id)
        if earlier.facts != facts:
            raise InventoryError("PRODUCT_EXISTS", f"There is a product {product_id} already.", "id")
        return earlier

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

        Raises InventoryError: PRODUCT_UNKNOWN, IDEMPOTENCY_KEY_REUSED, CONFLICT, or a code of
        :mod:`subgraphs.inventory.adjustments`.
        """
        at = self.clock()
        wanted = Movement(
            self.new_id(), product_id, warehouse, MovementKind.ADJUSTMENT, delta, 0, at, reason, None, key
        )
        check_adjustment(wanted)
        earlier = await self.store.movement_of_key(product_id, key)
        if earlier is None:
            earlier = await self._adjust(wanted)
        return AdjustmentResult(await self._product(product_id), _same(wanted, earlier))

    async def _adjust(self, wanted: Movement) -> Movement | None:
        """Make the adjustment; the earlier one where its key was used in between."""
        for _ in range(ATTEMPTS):
            if await self.store.adjust(wanted):
                return None
            product = await self._product(wanted.product_id)
            earlier = await self.store.movement_of_key(wanted.product_id, wanted.key or "")
            if earlier:
                return earlier
            if obstacle := find_obstacle(product, wanted):
                raise obstacle
        raise InventoryError("CONFLICT", f"Others are changing {wanted.product_id} at this moment; try again.")

    async def reserve(
        self,
        order_id: str,
        customer_id: str,
        lines: Sequence[ReservationLine],
        cause: str,
        destination: str | None = None,
    ) -> Reservation:
        """Hold every line for an order, or none; ``cause`` is the id of the event that asks.

        ``destination`` is the country that the order goes to. May be called again at any time, and by several
        processes at once: the first decision stands.
        """
        at = self.clock()
        wanted = Reservation(
            order_id,
            customer_id,
            ReservationStatus.RESERVING,
            merge_lines(lines),
            at,
            destination=destination,
            expires_at=self._expiry(at),
        )
        fresh = await self.store.open_reservation(wanted, cause)
        reservation = wanted if fresh else await self._reservation(order_id)
        return await self._bring_to_decision(reservation, fresh=fresh)

    async def confirm(self, order_id: str, cause: str) -> Reservation:
        """The order was confirmed: what it holds does not expire any more."""
        return await self._change(order_id, confirm, cause)

    async def release(self, order_id: str, customer_id: str, cause: str, *, confirmed: bool = False) -> Reservation:
        """Give back what an order holds; an order that is not known yet will then hold nothing when it comes.

        Of an order that was ``confirmed`` parcels may have left: what becomes of those decides, see :meth:`withdraw`.
        """
        none = Reservation(order_id, customer_id, ReservationStatus.RELEASED, (), self.clock())
        if await self.store.open_reservation(none, cause):
            return none
        return await self._change(order_id, lambda reservation: release(reservation, confirmed=confirmed), cause)

    async def sell(self, order_id: str, cause: str, warehouse: str | None = None) -> Reservation:
        """A parcel left ``warehouse`` (None: the only one): take out of stock what the order holds there.

        Raises ReservationPendingError where the reservation is still to be decided.
        """
        return await self._change(order_id, lambda reservation: sell(reservation, warehouse), cause)

    async def withdraw(self, order_id: str, cause: str, warehouse: str | None = None) -> Reservation:
        """The parcel of ``warehouse`` (None: the only one) will not leave: give back what the order holds there.

        Raises ReservationPendingError where the reservation is still to be decided.
        """
        return await self._change(order_id, lambda reservation: withdraw(reservation, warehouse), cause)

    async def take_back(self, order_id: str, parcel: ReturnedParcel, cause: str) -> Reservation:
        """A parcel came back: put in stock again what had been sold of it.

        Raises ReservationPendingError where the news that it had left is still to come.
        """
        return await self._change(order_id, lambda reservation: take_back(reservation, parcel), cause)

    async def expire_due(self) -> None:
        """One round of the worker: tell of orders that were not confirmed in time, and resume what was interrupted."""
        for reservation in await self.store.expiring(self.clock(), EXPIRING_BATCH):
            try:
                await self._expire(reservation)
            except Exception as error:
                # One reservation that cannot go on must not stop the others.
                LOG.exception("reservation_not_expired", order=reservation.order_id, error=str(error))

    async def _expire(self, reservation: Reservation) -> None:
        if reservation.status is ReservationStatus.RESERVING:
            await self._bring_to_decision(reservation, fresh=False)
            return
        expired = expire(reservation)
        if expired is not reservation:
            await self.store.save_reservation(expired, [ReservationExpired(expired, self.clock())])

    async def _bring_to_decision(self, reservation: Reservation, *, fresh: bool) -> Reservation:
        if reservation.status is ReservationStatus.RESERVING:
            await self._decide(reservation, fresh=fresh)
            reservation = await self._reservation(reservation.order_id)
        return await self._settle(reservation)

    async def _change(self, order_id: str, change: Callable[[Reservation], Reservation], cause: str) -> Reservation:
        for _ in range(ATTEMPTS):
            reservation = await self._reservation(order_id)
            changed = change(reservation)
            if changed is reservation:
                return await self._settle(reservation)
            saved = await self.store.save_reservation(changed, cause=cause)
            if saved:
                return await self._settle(saved)
        raise ReservationPendingError(f"Too many others change the reservation of {order_id} at this moment.")

    def _expiry(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self.reservation_ttl_s)

    async def _decide(self, reservation: Reservation, *, fresh: bool) -> None:
        outcome = await self._claim_all(reservation, fresh=fresh)
        at = self.clock()
        event: InventoryEvent
        if isinstance(outcome, Rejection):
            rejected = ReservationStatus.REJECTED
            decided = replace(reservation, status=rejected, rejection=outcome, expires_at=None)
            event = StockRejected(decided, outcome, at)
        else:
            held = ReservationStatus.HELD
            decided = replace(reservation, status=held, lines=outcome, held=True, expires_at=self._expiry(at))
            event = StockReserved(decided, at)
        await self.store.save_reservation(decided, [event])

    async def _claim_all(self, reservation: Reservation, *, fresh: bool) -> tuple[ReservationLine, ...] | Rejection:
        lines = reservation.lines
        products = await self.store.products([line.product_id for line in lines])
        if fresh:  # nothing is held yet, so this look at all lines can spare us from holding some in vain
            rejection = find_rejection(lines, products)
            if rejection:
                return rejection
        chosen = choose_warehouses(lines, products, reservation.destination)
        held = []
        for line in lines:
            outcome = await self._claim_line(reservation, line, chosen)
            if isinstance(outcome, Rejection):
                return outcome
            held.append(replace(line, allocations=outcome))
        return tuple(held)

    async def _claim_line(
        self, reservation: Reservation, line: ReservationLine, chosen: Sequence[str]
    ) -> tuple[Allocation, ...] | Rejection:
        for _ in range(ATTEMPTS):
            claim = await self.store.claim(line.product_id, reservation.id)
            if claim.held or claim.over:
                return claim.held
            rejection = find_rejection((line,), {claim.product.id: claim.product} if claim.product else {})
            if rejection or claim.product is None:
                return rejection or out_of_stock((line.product_id,))
            if claim.full:
                return too_many_open_orders(line.product_id)
            allocations = allocate(claim.product.stock, line.quantity, chosen) or ()
            if await self.store.hold(line.product_id, reservation.id, allocations, self.clock()):
                return allocations
        raise ReservationPendingError(f"Too many others reserve {line.product_id} at this moment.")

    async def _settle(self, reservation: Reservation) -> Reservation:
        """Bring the products in line with what the reservation says; may be repeated at any time."""
        for line in reservation.lines:
            for each in line.allocations:
                if each.warehouse in reservation.sold:
                    await self._end_hold(line, reservation, MovementKind.SALE, each.warehouse)
                elif each.warehouse in reservation.withdrawn:
                    await self._end_hold(line, reservation, MovementKind.RELEASE, each.warehouse)
            if reservation.status in (ReservationStatus.RELEASED, ReservationStatus.REJECTED):
                await self._end_hold(line, reservation, MovementKind.RELEASE)
        for restock in reservation.restocks:
            for line in restock.lines:
                await self._restock(reservation, restock, line)
        return reservation

    async def _end_hold(
        self, line: ReservationLine, reservation: Reservation, kind: MovementKind, warehouse: str | None = None
    ) -> None:
        await self.store.end_hold(line.product_id, reservation.id, kind, self.clock(), warehouse)

    async def _restock(self, reservation: Reservation, restock: Restock, line: ReservationLine) -> None:
        key = f"{RESTOCK_KEY}{restock.id}"
        if await self.store.movement_of_key(line.product_id, key):
            return
        back = Movement(
            self.new_id(),
            line.product_id,
            restock.warehouse,
            MovementKind.RETURN,
            line.quantity,
            0,
            self.clock(),
            reference=reservation.id,
            key=key,
        )
        await self.store.adjust(back)

    async def _product(self, product_id: str) -> Product:
        product = (await self.store.products([product_id])).get(product_id)
        if product is None:
            raise InventoryError("PRODUCT_UNKNOWN", f"There is no product {product_id}.", "id")
        return product

    async def _reservation(self, order_id: str) -> Reservation:
        known = (await self.store.reservations([order_id])).get(order_id)
        if known is None:
            raise ReservationPendingError(f"The reservation of {order_id} is not known yet.")
        return known


def _same(wanted: Movement, earlier: Movement | None) -> Movement:
    if earlier is None:
        return wanted
    if (earlier.warehouse, earlier.on_hand) != (wanted.warehouse, wanted.on_hand):
        message = "This idempotency key was used for another adjustment of this product."
        raise InventoryError("IDEMPOTENCY_KEY_REUSED", message, "idempotencyKey")
    return earlier
