"""The GraphQL schema of inventory."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Self, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from subgraphs.chassis.errors import CodedError
from subgraphs.chassis.graphql.connection import DEFAULT_PAGE, After, Connection, First, connect, read_page
from subgraphs.chassis.graphql.graphql_schema import service_schema
from subgraphs.chassis.graphql.loading import batch_loader
from subgraphs.chassis.graphql.minor_units import to_hundredths
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.graphql.user_error import UserError, user_error
from subgraphs.chassis.identity.auth import require_scope, require_staff, require_user
from subgraphs.inventory import domain
from subgraphs.inventory.enums import MovementKind, ReservationStatus, StockStatus
from subgraphs.inventory.service import Inventory, ProductQuery

READ_ALL = "orders:read-all"
WRITE = "inventory:write"
SEARCH_WORDS = 8


@dataclass(frozen=True, slots=True)
class Loaders:
    """The loaders of one request."""

    products: DataLoader[str, domain.Product | None]
    reservations: DataLoader[str, domain.Reservation | None]


def make_loaders(inventory: Inventory) -> Loaders:
    """Fresh loaders: what one request has seen is not remembered for the next."""
    return Loaders(batch_loader(inventory.store.products), batch_loader(inventory.store.reservations))


Info: TypeAlias = strawberry.Info[RequestContext[Inventory, Loaders], None]


ProductIds: TypeAlias = Annotated[list[strawberry.ID], strawberry.argument(description="Their SKUs.")]
ProductId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The SKU.")]


@strawberry.federation.type(shareable=True, description="An amount in an ISO 4217 currency.")
class Money:
    """An amount in an ISO 4217 currency."""

    amount: Decimal = strawberry.field(description="In the major unit, with two decimals, such as 12.50.")
    currency_code: str = strawberry.field(description="ISO 4217, such as EUR.")

    @classmethod
    def of(cls, money: domain.Money) -> Self:
        """The GraphQL form: 1250 EUR cents are ``12.50``."""
        return cls(amount=Decimal(money.amount_minor).scaleb(-2), currency_code=money.currency_code)


@strawberry.type(description="What one warehouse holds; available = onHand - reserved.")
class WarehouseStock:
    """What one warehouse holds."""

    warehouse: str = strawberry.field(description="Its code, such as BER.")
    available: int = strawberry.field(description="Pieces that can still be reserved here.")
    on_hand: int = strawberry.field(description="Pieces that lie here.")
    reserved: int = strawberry.field(description="Pieces that are set aside here for orders.")

    @classmethod
    def of(cls, level: domain.StockLevel) -> Self:
        """The GraphQL form."""
        return cls(warehouse=level.warehouse, available=level.available, on_hand=level.on_hand, reserved=level.reserved)


@strawberry.type(description="The stock of a product over all warehouses; available = onHand - reserved.")
class Stock:
    """The stock of a product."""

    stock: strawberry.Private[domain.Stock]

    @strawberry.field
    def available(self) -> int:
        """What can still be reserved."""
        return self.stock.available

    @strawberry.field
    def on_hand(self) -> int:
        """What lies in all warehouses."""
        return self.stock.on_hand

    @strawberry.field
    def reserved(self) -> int:
        """What is set aside in all warehouses."""
        return self.stock.reserved

    @strawberry.field
    def status(self) -> StockStatus:
        """Whether it can be had, for people."""
        return self.stock.status

    @strawberry.field
    def by_warehouse(self) -> list[WarehouseStock]:
        """Where it lies."""
        return [WarehouseStock.of(level) for level in self.stock.levels]


@strawberry.federation.type(keys=["id"], description="Something the shop sells; its id is the SKU.")
class Product:
    """Something the shop sells."""

    id: strawberry.ID = strawberry.field(description="The SKU, such as MUG-001.")
    name: str = strawberry.field(description="What shoppers call it.")
    description: str = strawberry.field(description="What shoppers read of it; may be empty.")
    category: str = strawberry.field(description="Where in the shop it is, such as Tableware.")
    image_url: str = strawberry.field(description="An http(s) URL, or a path of the shop's own site.")
    price: Money = strawberry.field(description="What one piece costs today.")
    weight_grams: int = strawberry.field(description="What one piece weighs, in grams.")
    active: bool = strawberry.field(description="Whether it can be ordered.")
    stock: Stock = strawberry.field(description="How much of it there is, and where.")

    @classmethod
    def of(cls, product: domain.Product) -> Self:
        """The GraphQL form."""
        facts = product.facts
        return cls(
            id=strawberry.ID(product.id),
            name=facts.name,
            description=facts.description,
            category=facts.category,
            image_url=facts.image_url,
            price=Money.of(facts.price),
            weight_grams=facts.weight_grams,
            active=facts.active,
            stock=Stock(stock=product.stock),
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:  # noqa: A002 - the key's name
        """The product of that id; None where there is none."""
        product = await info.context.loaders.products.load(id)
        return cls.of(product) if product else None


@strawberry.type(description="How many pieces one warehouse gives.")
class Allocation:
    """How many pieces one warehouse gives."""

    warehouse: str = strawberry.field(description="Its code, such as BER.")
    quantity: int = strawberry.field(description="How many pieces.")


@strawberry.type(description="One product of a reservation.")
class ReservationLine:
    """One product of a reservation."""

    quantity: int = strawberry.field(description="How many pieces.")
    allocations: list[Allocation] = strawberry.field(description="Where they lie.")
    product_id: strawberry.Private[str]

    @strawberry.field
    async def product(self, info: Info) -> Product | None:
        """The product that is set aside."""
        product = await info.context.loaders.products.load(self.product_id)
        return Product.of(product) if product else None

    @classmethod
    def of(cls, line: domain.ReservationLine) -> Self:
        """The GraphQL form."""
        allocations = [Allocation(warehouse=each.warehouse, quantity=each.quantity) for each in line.allocations]
        return cls(quantity=line.quantity, allocations=allocations, product_id=line.product_id)


@strawberry.type(description="The stock that is set aside for an order.")
class Reservation:
    """The stock that is set aside for an order."""

    id: strawberry.ID = strawberry.field(description="Begins with res_.")
    status: ReservationStatus = strawberry.field(description="Whether it is still set aside.")
    lines: list[ReservationLine] = strawberry.field(description="What is set aside.")

    @classmethod
    def of(cls, reservation: domain.Reservation) -> Self | None:
        """The GraphQL form; None where nothing was ever set aside."""
        if not reservation.held:
            return None
        lines = [ReservationLine.of(line) for line in reservation.lines]
        status = ReservationStatus(reservation.status.value)
        return cls(id=strawberry.ID(reservation.id), status=status, lines=lines)


@strawberry.federation.type(keys=["id"], description="An order; only its customer and staff see it.")
class Order:
    """What inventory knows of an order: its reservation."""

    id: strawberry.ID = strawberry.field(description="Begins with ord_; the same in all services.")
    reservation: Reservation | None = strawberry.field(
        description="What is set aside for this order; null until it is decided, and where nothing could be."
    )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:  # noqa: A002 - the key's name
        """The order of that id; None where it is unknown here, or somebody else's."""
        auth = require_user(info.context.auth)
        reservation = await info.context.loaders.reservations.load(id)
        if reservation is None or not auth.may_see(reservation.customer_id, READ_ALL):
            return None
        return cls(id=id, reservation=Reservation.of(reservation))


@strawberry.type(description="One line of the stock journal; the sums over a warehouse are its onHand and reserved.")
class StockMovement:
    """One line of the stock journal."""

    id: strawberry.ID = strawberry.field(description="Begins with mov_.")
    warehouse: str = strawberry.field(description="Where it moved; the warehouse's code, such as BER.")
    kind: MovementKind = strawberry.field(description="What moved it.")
    on_hand: int = strawberry.field(description="By how many pieces onHand changed.")
    reserved: int = strawberry.field(description="By how many pieces reserved changed.")
    at: datetime = strawberry.field(description="When it moved.")
    reason: str = strawberry.field(description="Why, for people; empty where an order moved it.")
    reference: str | None = strawberry.field(description="The reservation that moved the stock.")

    @classmethod
    def of(cls, movement: domain.Movement) -> Self:
        """The GraphQL form."""
        return cls(
            id=strawberry.ID(movement.id),
            warehouse=movement.warehouse,
            kind=movement.kind,
            on_hand=movement.on_hand,
            reserved=movement.reserved,
            at=movement.at,
            reason=movement.reason,
            reference=movement.reference,
        )


@strawberry.input(description="An amount in an ISO 4217 currency, with at most two decimals.")
class MoneyInput:
    """An amount in an ISO 4217 currency."""

    amount: Decimal = strawberry.field(description="In the major unit, with at most two decimals, such as 12.50.")
    currency_code: str = strawberry.field(default=domain.CURRENCY, description="ISO 4217, such as EUR.")

    def to_domain(self) -> domain.Money:
        """The amount in minor units; raises InventoryError(PRICE_INVALID) for fractions of a cent."""
        minor = to_hundredths(self.amount)
        if minor is None:
            raise domain.InventoryError("PRICE_INVALID", domain.PRICE_RANGE, "price.amount")
        return domain.Money(minor, self.currency_code)


@strawberry.input(description="A new product; it begins without stock.")
class CreateProductInput:
    """A new product; it begins without stock."""

    id: strawberry.ID = strawberry.field(description="The SKU: 2 to 32 of A-Z, 0-9 and `-`, such as MUG-001.")
    name: str = strawberry.field(description="1 to 200 characters.")
    category: str = strawberry.field(description="1 to 60 characters.")
    price: MoneyInput = strawberry.field(description="What one piece costs, in EUR.")
    weight_grams: int = strawberry.field(description="The weight of a piece in grams: 1 to 1000000.")
    description: str = strawberry.field(default="", description="Up to 5000 characters.")
    image_url: str = strawberry.field(
        default="/images/placeholder.svg", description="An http(s) URL, or a path from `/`."
    )
    active: bool = strawberry.field(default=True, description="Whether it can be ordered at once.")

    def facts(self) -> domain.ProductFacts:
        """The facts that it states."""
        return domain.ProductFacts(
            self.name,
            self.description,
            self.category,
            self.image_url,
            self.price.to_domain(),
            self.weight_grams,
            self.active,
        )


@strawberry.input(description="The facts to change; what is left out stays.")
class UpdateProductInput:
    """The facts to change; what is left out stays."""

    id: strawberry.ID = strawberry.field(description="The SKU of the product to change.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    category: str | None = strawberry.field(default=None, description="1 to 60 characters.")
    price: MoneyInput | None = strawberry.field(default=None, description="What one piece costs from now on, in EUR.")
    weight_grams: int | None = strawberry.field(
        default=None, description="The weight of a piece in grams: 1 to 1000000."
    )
    description: str | None = strawberry.field(default=None, description="Up to 5000 characters.")
    image_url: str | None = strawberry.field(default=None, description="An http(s) URL, or a path from `/`.")
    active: bool | None = strawberry.field(default=None, description="Whether it can be ordered.")

    def changes(self) -> dict[str, object]:
        """The facts that it states, by name."""
        plain = ("name", "category", "weight_grams", "description", "image_url", "active")
        changes = {name: getattr(self, name) for name in plain if getattr(self, name) is not None}
        return changes | ({"price": self.price.to_domain()} if self.price else {})


@strawberry.input(description="A change of what one warehouse holds; the same idempotencyKey changes it once.")
class AdjustStockInput:
    """A change of what one warehouse holds; the same idempotencyKey changes it once."""

    product_id: strawberry.ID = strawberry.field(description="The SKU.")
    warehouse: str = strawberry.field(description="Its code: 1 to 16 of A-Z, 0-9 and `-`, such as BER.")
    delta: int = strawberry.field(description="Pieces more, or less where negative: up to 1000000, not 0.")
    reason: str = strawberry.field(description="Why, for the journal: 1 to 200 characters.")
    idempotency_key: str = strawberry.field(description="Such as a UUID: a repeat returns the first result.")


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
