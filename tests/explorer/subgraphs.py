"""Two subgraphs, just large enough for a plan of two fetches of which one waits for the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

import strawberry
from strawberry.asgi import GraphQL
from strawberry.federation import Schema
from strawberry.federation import type as federation_type


@federation_type(keys=["id"], name="Product")
class ProductReference:
    """A product as orders know it: its id alone."""

    id: strawberry.ID


@strawberry.type(description="What a customer bought.")
class Order:
    number: str
    product: ProductReference


@strawberry.type(name="Query")
class OrdersQuery:
    @strawberry.field
    def orders(self, first: int = 20) -> list[Order]:
        product = ProductReference(id=strawberry.ID("MUG-001"))
        return [Order(number=f"G-{number}", product=product) for number in range(1, 3)][:first]


@strawberry.type(name="Subscription")
class OrdersSubscription:
    @strawberry.subscription
    async def placed(self) -> AsyncGenerator[Order, None]:
        """Two orders, and then none for ever."""
        product = ProductReference(id=strawberry.ID("MUG-001"))
        for number in (1, 2):
            yield Order(number=f"G-{number}", product=product)
        await asyncio.Event().wait()


DELIVERED = asyncio.Event()


@federation_type(keys=["id"])
class Product:
    """What the shop sells."""

    NAMES: ClassVar[dict[str, str]] = {"MUG-001": "Blue mug"}

    id: strawberry.ID
    name: str

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, **_: Any) -> Product:  # noqa: A002 - the name of the key field
        return cls(id=id, name=cls.NAMES[id])

    @strawberry.field
    async def available(self) -> int:
        """Known with the next delivery."""
        await DELIVERED.wait()
        DELIVERED.clear()
        return 7


@strawberry.type(name="Query")
class InventoryQuery:
    @strawberry.field
    def product(self, id: strawberry.ID) -> Product | None:  # noqa: A002 - the name of the argument
        return Product.resolve_reference(id) if id in Product.NAMES else None


@strawberry.type(name="Mutation")
class InventoryMutation:
    @strawberry.mutation
    def deliver(self) -> bool:
        """Lets one who waits for ``available`` know."""
        DELIVERED.set()
        return True


SCHEMAS = {
    "orders": Schema(query=OrdersQuery, subscription=OrdersSubscription),
    "inventory": Schema(query=InventoryQuery, mutation=InventoryMutation),
}
orders = GraphQL[None, None](SCHEMAS["orders"])
inventory = GraphQL[None, None](SCHEMAS["inventory"])
