"""The use cases of orders, over the store's Protocol, a clock and a source of random bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from subgraphs.orders.changes import events_between, move, was_cancelled
from subgraphs.orders.checkout import (
    OrderRequest,
    check_request,
    fingerprint,
    order_id,
    order_number,
    place_order,
    price_lines,
)
from subgraphs.orders.domain import Customer, Order, OrderEvent, OrderPlaced, Product, Return
from subgraphs.orders.order_life import Occurrence, OrderStatus
from subgraphs.orders.refusal import Problem, RefusalError, check_reason, order_not_found
from subgraphs.orders.returns import ReturnRequest, find_return, request_return, return_id
from subgraphs.orders.shipping_fees import shipping_fee

Change: TypeAlias = Callable[[Order, datetime], Order]
"""What becomes of an order at a time; the same order where nothing does."""

ATTEMPTS = 10
"""How often to draw a free number, or to move an order that others move at the same time."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Which orders of a list: up to ``limit`` of ``status`` (None: any), newest first, after the one at ``after``."""

    limit: int
    after: str | None = None
    status: OrderStatus | None = None


class Store(Protocol):
    """Where orders, and copies of products and customers, are kept; each write is one atomic step, with its events."""

    async def insert(self, order: Order, events: Sequence[OrderEvent]) -> bool:
        """Keep a new order with its pending events; False, and nothing kept, where its id or number is taken."""

    async def save(self, order: Order, events: Sequence[OrderEvent] = (), cause: str | None = None) -> Order | None:
        """Write ``order`` over its own revision, with its pending events, and return it with the next revision.

        None, and nothing changed, where others wrote first, or the order has handled ``cause``.
        """

    async def orders(self, ids: Sequence[str]) -> Mapping[str, Order]:
        """The orders that exist among ``ids``, by one query."""

    async def newest(self, part: Slice, customer_id: str | None = None) -> Sequence[Order]:
        """A part of the list of all orders, or of those of one customer."""

    async def newest_by_customer(self, customer_ids: Sequence[str], part: Slice) -> Mapping[str, Sequence[Order]]:
        """The same part of the list of each customer, by one query; customers that are not known are left out."""

    async def products(self, ids: Sequence[str]) -> Mapping[str, Product]:
        """The products that are known among ``ids``, by one query."""

    async def put_product(self, product: Product, version: int) -> None:
        """Keep ``product`` as its ``version`` is, unless one as high is known."""

    async def customers(self, ids: Sequence[str]) -> Mapping[str, Customer]:
        """The customers that are known among ``ids``, by one query."""

    async def put_customer(self, customer: Customer) -> None:
        """Keep ``customer`` as they are named now."""


@dataclass(frozen=True, slots=True)
class ReturnResult:
    """The order as it is now, and the return that the idempotency key stands for."""

    order: Order
    requested: Return


@dataclass(frozen=True, slots=True)
class Orders:
    """The use cases over a store; ``clock`` tells the time, ``random_bits`` gives 30 fresh random bits for a number."""

    store: Store
    clock: Callable[[], datetime]
    random_bits: Callable[[], int]

    async def place(self, customer: Customer, request: OrderRequest) -> Order:
        """The new order that ``customer`` asks for, or the first one under the same key.

        Raises RefusalError, and changes nothing, with the codes of :mod:`subgraphs.orders.checkout`,
        COUNTRY_NOT_SERVED and IDEMPOTENCY_KEY_REUSED.
        """
        request = check_request(request)
        earlier = await self._placed_before(customer, request)
        if earlier:
            return earlier
        lines = price_lines(request, await self.store.products([line.product_id for line in request.lines]))
        fee = shipping_fee(lines, request.shipping_address.country_code)
        await self.store.put_customer(customer)
        for _ in range(ATTEMPTS):
            now = self.clock()
            number = order_number(now.year, self.random_bits())
            order = place_order(request, customer.id, lines, fee, number, now)
            if await self.store.insert(order, [OrderPlaced(order, request.payment_token)]):
                return order
            earlier = await self._placed_before(customer, request)
            if earlier:
                return earlier
        raise _busy()

    async def _placed_before(self, customer: Customer, request: OrderRequest) -> Order | None:
        known_id = order_id(customer.id, request.idempotency_key)
        earlier = (await self.store.orders([known_id])).get(known_id)
        if earlier and earlier.fingerprint != fingerprint(request):
            message = f"Order {earlier.number} was placed under this key with other input; use a new key."
            raise RefusalError(Problem("IDEMPOTENCY_KEY_REUSED", message, "idempotencyKey"))
        return earlier

    async def cancel(self, known_id: str, reason: str, customer_id: str | None) -> Order:
        """The order, cancelled by its customer, or by staff where ``customer_id`` is None.

        A repeat by the same side for the same reason changes nothing and answers alike. Raises RefusalError, and
        changes nothing, with REASON_INVALID, NOT_FOUND (also for someone else's order) or the code of the stage that
        forbids it, such as ORDER_ALREADY_DELIVERED.
        """
        reason = check_reason(reason)
        occurrence, code = _cancellation(customer_id)

        def cancelled(order: Order, at: datetime) -> Order:
            _check_owner(order, customer_id, "id")
            repeated = was_cancelled(order, reason, code)
            return order if repeated else move(order, occurrence, at, reason, code)

        order = await self._change(known_id, cancelled)
        if order is None:
            raise order_not_found("id")
        return order

    async def request_return(self, known_id: str, request: ReturnRequest, customer_id: str | None) -> ReturnResult:
        """Send back what ``request`` names, asked by the customer, or by staff where ``customer_id`` is None.

        A repeat with the same key returns the first result. Raises RefusalError, and changes nothing, with NOT_FOUND
        (also for someone else's order) or a code of :func:`subgraphs.orders.returns.request_return`.
        """

        def requested(order: Order, at: datetime) -> Order:
            _check_owner(order, customer_id, "orderId")
            return request_return(order, request, at)

        order = await self._change(known_id, requested)
        found = find_return(order, return_id(order.id, request.idempotency_key)) if order else None
        if order is None or found is None:
            raise order_not_found("orderId")
        return ReturnResult(order, found)

    async def learn(self, known_id: str, news: Change, cause: str) -> Order | None:
        """The order after ``news`` that the event ``cause`` brings, or None where there is no such order.

        News that the order knows change nothing. Raises TransitionError where they cannot be (any more, or yet).
        """
        return await self._change(known_id, news, cause)

    async def _change(self, known_id: str, change: Change, cause: str | None = None) -> Order | None:
        for _ in range(ATTEMPTS):
            order = (await self.store.orders([known_id])).get(known_id)
            if order is None:
                return None
            after = change(order, self.clock())
            if after is order:
                return order
            saved = await self.store.save(after, events_between(order, after), cause)
            if saved:
                return saved
        raise _busy()

    async def change_product(self, product: Product, version: int) -> None:
        """Sell ``product`` from now on as this ``version`` of it is, unless one as high is known."""
        await self.store.put_product(product, version)


def _check_owner(order: Order, customer_id: str | None, field: str) -> None:
    if customer_id not in (None, order.customer_id):
        raise order_not_found(field)


def _cancellation(customer_id: str | None) -> tuple[Occurrence, str]:
    if customer_id is None:
        return Occurrence.CANCELLED_BY_STAFF, "STAFF_REQUEST"
    return Occurrence.CANCELLED_BY_CUSTOMER, "CUSTOMER_REQUEST"


def _busy() -> RefusalError:
    return RefusalError(Problem("ORDER_BUSY", "The order is changing at this moment; try again."))
