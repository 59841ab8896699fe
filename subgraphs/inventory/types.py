"""The types of the schema of inventory: what is answered, and how a request loads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from subgraphs.chassis.graphql.loading import batch_loader
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.identity.auth import require_user
from subgraphs.inventory import domain
from subgraphs.inventory.enums import MovementKind, ReservationStatus, StockStatus
from subgraphs.inventory.service import Inventory

READ_ALL = "orders:read-all"


@dataclass(frozen=True, slots=True)
class Loaders:
    """The loaders of one request."""

    products: DataLoader[str, domain.Product | None]
    reservations: DataLoader[str, domain.Reservation | None]


def make_loaders(inventory: Inventory) -> Loaders:
    """Fresh loaders: what one request has seen is not remembered for the next."""
    return Loaders(batch_loader(inventory.store.products), batch_loader(inventory.store.reservations))


Info: TypeAlias = strawberry.Info[RequestContext[Inventory, Loaders], None]


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
