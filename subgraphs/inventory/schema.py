"""The GraphQL schema of inventory."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

import strawberry

from subgraphs.chassis.errors import CodedError
from subgraphs.chassis.graphql.connection import DEFAULT_PAGE, After, Connection, First, connect, read_page
from subgraphs.chassis.graphql.graphql_schema import service_schema
from subgraphs.chassis.graphql.user_error import UserError, user_error
from subgraphs.chassis.identity.auth import require_scope, require_staff
from subgraphs.inventory import domain
from subgraphs.inventory.inputs import AdjustStockInput, CreateProductInput, UpdateProductInput
from subgraphs.inventory.store_contract import ProductQuery
from subgraphs.inventory.types import Info, Order, Product, StockMovement

WRITE = "inventory:write"
SEARCH_WORDS = 8
ProductIds: TypeAlias = Annotated[list[strawberry.ID], strawberry.argument(description="Their SKUs.")]
ProductId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The SKU.")]


@strawberry.type(description="The product after the mutation, or why it was refused.")
class ProductPayload:
    """The product after the mutation, or why it was refused."""

    product: Product | None = strawberry.field(default=None, description="The product; null where it was refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; else empty.")


@strawberry.type(description="The product after the adjustment and the journal's line, or why it was refused.")
class AdjustStockPayload:
    """The product after the adjustment and the journal's line, or why it was refused."""

    product: Product | None = strawberry.field(default=None, description="The product; null where it was refused.")
    movement: StockMovement | None = strawberry.field(
        default=None, description="The journal's line; null where refused."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; else empty.")


@strawberry.type
class Query:
    """Products for everyone, the journal for staff."""

    @strawberry.field
    async def product(self, info: Info, id: ProductId) -> Product | None:  # noqa: A002 - the contract's name
        """The product of that id, the SKU; null where there is none."""
        return await Product.resolve_reference(info, id)

    @strawberry.field
    async def products(
        self,
        info: Info,
        first: First = DEFAULT_PAGE,
        after: After = None,
        search: Annotated[
            str | None, strawberry.argument(description="Each of these words begins a word of theirs; up to 8 words.")
        ] = None,
        category: Annotated[str | None, strawberry.argument(description="Those of this category alone.")] = None,
        in_stock: Annotated[
            bool | None, strawberry.argument(description="Those that can be had (true) or cannot (false) alone.")
        ] = None,
    ) -> Connection[Product]:
        """Products in the order of their names; staff see those that are no longer sold, too."""
        page = read_page(first, after)
        active = None if info.context.auth.is_staff else True
        query = ProductQuery(_search_words(search), category, in_stock, active)
        last = str(page.after[0]) if page.after else None
        rows = await info.context.service.store.list_products(query, page.limit, last)
        return connect(page, rows, Product.of, lambda product: (product.sort_key,))

    @strawberry.field
    async def stock_movements(
        self, info: Info, product_id: ProductId, first: First = DEFAULT_PAGE, after: After = None
    ) -> Connection[StockMovement]:
        """The stock journal of a product, newest first; for staff."""
        require_staff(info.context.auth)
        page = read_page(first, after, (str, str))
        rows = await info.context.service.store.movements(product_id, page.limit, _movement_key(page.after))
        return connect(page, rows, StockMovement.of, lambda movement: (movement.at.isoformat(), movement.id))


@strawberry.type
class Mutation:
    """For staff."""

    @strawberry.mutation
    async def create_product(self, info: Info, input: CreateProductInput) -> ProductPayload:  # noqa: A002
        """Add a product to the shop. A repeat with the same facts returns the product, and changes nothing."""
        require_scope(info.context.auth, WRITE)
        try:
            product = await info.context.service.create_product(input.id, input.facts())
        except domain.InventoryError as error:
            return ProductPayload(user_errors=[user_error(error)])
        return ProductPayload(product=Product.of(product))

    @strawberry.mutation
    async def update_product(self, info: Info, input: UpdateProductInput) -> ProductPayload:  # noqa: A002
        """Change the facts of a product; a repeat changes nothing more."""
        require_scope(info.context.auth, WRITE)
        try:
            product = await info.context.service.update_product(input.id, input.changes())
        except domain.InventoryError as error:
            return ProductPayload(user_errors=[user_error(error)])
        return ProductPayload(product=Product.of(product))

    @strawberry.mutation
    async def adjust_stock(self, info: Info, input: AdjustStockInput) -> AdjustStockPayload:  # noqa: A002
        """Change what a warehouse holds, never below what is available."""
        require_scope(info.context.auth, WRITE)
        try:
            result = await info.context.service.adjust_stock(
                input.product_id, input.warehouse, input.delta, input.reason, input.idempotency_key
            )
        except domain.InventoryError as error:
            return AdjustStockPayload(user_errors=[user_error(error)])
        return AdjustStockPayload(product=Product.of(result.product), movement=StockMovement.of(result.movement))


@strawberry.type
class Subscription:
    """Open to everyone."""

    @strawberry.subscription
    async def stock_changed(self, info: Info, product_ids: ProductIds) -> AsyncGenerator[Product, None]:
        """Each of these products as it is now, and again whenever its stock or its facts change."""
        context = info.context
        async for _, product in context.watch("products", product_ids, context.service.store.products):
            if product is not None:
                yield Product.of(product)


def _search_words(search: str | None) -> tuple[str, ...]:
    return tuple(domain.words(search or "")[:SEARCH_WORDS])


def _movement_key(after: tuple[str | int, ...] | None) -> tuple[datetime, str] | None:
    if after is None:
        return None
    try:
        return datetime.fromisoformat(str(after[0])).astimezone(UTC), str(after[1])
    except (ValueError, OverflowError):
        raise CodedError("INVALID_CURSOR", "after: this cursor is not one of this list.") from None


schema = service_schema(Query, Mutation, [Order], Subscription)
