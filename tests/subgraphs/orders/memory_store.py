"""The store in memory: test_store_contract.py holds it to the same promises as the one over MongoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from subgraphs.orders.domain import Customer, Order, OrderEvent, Product, position_of
from subgraphs.orders.service import Slice


@dataclass(slots=True)
class MemoryStore:
    """Implements :class:`subgraphs.orders.service.Store`; ``published`` is what would lie in the outboxes."""

    known: dict[str, Order] = field(default_factory=dict)
    known_products: dict[str, tuple[Product, int]] = field(default_factory=dict)
    known_customers: dict[str, Customer] = field(default_factory=dict)
    handled: set[tuple[str, str]] = field(default_factory=set)
    published: list[OrderEvent] = field(default_factory=list)

    async def insert(self, order: Order, events: Sequence[OrderEvent]) -> bool:
        if order.id in self.known or any(each.number == order.number for each in self.known.values()):
            return False
        self.known[order.id] = order
        self.published.extend(events)
        return True

    async def save(self, order: Order, events: Sequence[OrderEvent] = (), cause: str | None = None) -> Order | None:
        known = self.known.get(order.id)
        if known is None or known.revision != order.revision or (order.id, cause) in self.handled:
            return None
        written = self.known[order.id] = replace(order, revision=order.revision + 1)
        self.published.extend(events)
        if cause:
            self.handled.add((order.id, cause))
        return written

    async def orders(self, ids: Sequence[str]) -> Mapping[str, Order]:
        return {each: self.known[each] for each in ids if each in self.known}

    async def newest(self, part: Slice, customer_id: str | None = None) -> Sequence[Order]:
        return self._newest(part, customer_id)

    async def newest_by_customer(self, customer_ids: Sequence[str], part: Slice) -> Mapping[str, Sequence[Order]]:
        return {each: self._newest(part, each) for each in customer_ids if each in self.known_customers}

    def _newest(self, part: Slice, customer_id: str | None) -> Sequence[Order]:
        listed = sorted(self.known.values(), key=position_of, reverse=True)
        return [
            order
            for order in listed
            if customer_id in (None, order.customer_id)
            and part.status in (None, order.status)
            and (part.after is None or position_of(order) < part.after)
        ][: part.limit]

    async def products(self, ids: Sequence[str]) -> Mapping[str, Product]:
        return {each: self.known_products[each][0] for each in ids if each in self.known_products}

    async def put_product(self, product: Product, version: int) -> None:
        earlier = self.known_products.get(product.id)
        if earlier is None or earlier[1] < version:
            self.known_products[product.id] = (product, version)

    async def customers(self, ids: Sequence[str]) -> Mapping[str, Customer]:
        return {each: self.known_customers[each] for each in ids if each in self.known_customers}

    async def put_customer(self, customer: Customer) -> None:
        self.known_customers[customer.id] = customer
