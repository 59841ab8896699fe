"""The types of the schema of orders: what is answered, and how a request loads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from subgraphs.chassis.graphql.connection import DEFAULT_PAGE, After, Connection, First, Page, connect, read_page
from subgraphs.chassis.graphql.loading import batch_loader
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.identity.auth import AuthContext, require_user
from subgraphs.orders import domain
from subgraphs.orders.enums import OrderStatus, ReturnStatus, WaitingFor
from subgraphs.orders.service import Orders, Slice

READ_ALL = "orders:read-all"
PageKey: TypeAlias = tuple[str, Slice]
"""A customer, and the part of their orders that is asked for."""


@dataclass(frozen=True, slots=True)
class Loaders:
    """The loaders of one request."""

    orders: DataLoader[str, domain.Order | None]
    customers: DataLoader[str, domain.Customer | None]
    pages: DataLoader[PageKey, Sequence[domain.Order] | None]


def make_loaders(orders: Orders) -> Loaders:
    """Fresh loaders: what one request has seen is not remembered for the next."""

    async def pages(keys: Sequence[PageKey]) -> Mapping[PageKey, Sequence[domain.Order]]:
        customers_by_part: dict[Slice, list[str]] = defaultdict(list)
        for customer_id, part in keys:
            customers_by_part[part].append(customer_id)
        found: dict[PageKey, Sequence[domain.Order]] = {}
        for part, customer_ids in customers_by_part.items():
            lists = await orders.store.newest_by_customer(customer_ids, part)
            found.update({(customer_id, part): listed for customer_id, listed in lists.items()})
        return found

    return Loaders(batch_loader(orders.store.orders), batch_loader(orders.store.customers), batch_loader(pages))


Info: TypeAlias = strawberry.Info[RequestContext[Orders, Loaders], None]
OfStatus: TypeAlias = Annotated[OrderStatus | None, strawberry.argument(description="Those of this status alone.")]


@strawberry.federation.type(shareable=True, description="An amount in an ISO 4217 currency.")
class Money:
    """An amount in an ISO 4217 currency."""

    amount: Decimal = strawberry.field(description="In the major unit, with two decimals, such as 12.50.")
    currency_code: str = strawberry.field(description="ISO 4217, such as EUR.")

    @classmethod
    def of(cls, money: domain.Money) -> Self:
        """The GraphQL form: 1250 EUR cents are ``12.50``."""
        return cls(amount=money.amount, currency_code=money.currency_code)


@strawberry.federation.type(
    keys=[Key(fields=FieldSet("id"), resolvable=False)], description="Something the shop sells; its id is the SKU."
)
class Product:
    """A reference to a product, which inventory resolves."""

    id: strawberry.ID = strawberry.field(description="The SKU, such as MUG-001.")


@strawberry.type(description="A product in an order, at the price that it had when the order was placed.")
class OrderLine:
    """A line of an order."""

    product: Product = strawberry.field(description="What was ordered.")
    quantity: int = strawberry.field(description="How many pieces.")
    unit_price: Money = strawberry.field(description="What one piece cost when the order was placed.")
    total: Money = strawberry.field(description="What all pieces of the line cost.")

    @classmethod
    def of(cls, line: domain.OrderLine) -> Self:
        """The GraphQL form."""
        return cls(
            product=Product(id=strawberry.ID(line.product_id)),
            quantity=line.quantity,
            unit_price=Money.of(line.unit_price),
            total=Money.of(line.total),
        )


@strawberry.type(description="Where the parcel goes; the country is ISO 3166-1 alpha-2.")
class ShippingAddress:
    """Where the parcel goes."""

    name: str = strawberry.field(description="Who receives the parcel.")
    line1: str = strawberry.field(description="Street and number.")
    line2: str | None = strawberry.field(description="What else the carrier needs, such as the floor.")
    city: str = strawberry.field(description="The city or town.")
    postal_code: str = strawberry.field(description="As that country writes it; 2 to 16 characters.")
    country_code: str = strawberry.field(description="ISO 3166-1 alpha-2, such as DE.")

    @classmethod
    def of(cls, address: domain.Address) -> Self:
        """The GraphQL form."""
        return cls(
            name=address.name,
            line1=address.line1,
            line2=address.line2,
            city=address.city,
            postal_code=address.postal_code,
            country_code=address.country_code,
        )


@strawberry.type(description="So many pieces of a product that are sent back.")
class ReturnLine:
    """So many pieces of a product that are sent back."""

    product: Product = strawberry.field(description="What is sent back.")
    quantity: int = strawberry.field(description="How many pieces.")


@strawberry.type(description="What a customer sends back of an order; the refund is due when it has arrived.")
class OrderReturn:
    """What a customer sends back of an order."""

    id: strawberry.ID = strawberry.field(description="Begins with ret_.")
    status: ReturnStatus = strawberry.field(description="Whether the goods are back.")
    lines: list[ReturnLine] = strawberry.field(description="What is sent back.")
    refund: Money = strawberry.field(description="What the customer gets for it.")
    reason: str = strawberry.field(description="Why, in the customer's words.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    received_at: datetime | None = strawberry.field(description="When the goods were back; null until then.")

    @classmethod
    def of(cls, return_: domain.Return) -> Self:
        """The GraphQL form."""
        return cls(
            id=strawberry.ID(return_.id),
            status=return_.status,
            lines=[
                ReturnLine(product=Product(id=strawberry.ID(line.product_id)), quantity=line.quantity)
                for line in return_.lines
            ],
            refund=Money.of(return_.refund),
            reason=return_.reason,
            requested_at=return_.requested_at,
            received_at=return_.received_at,
        )


@strawberry.type(
    description="One entry of an order's history; `from` is null where it was placed, and equals `to` for a delay."
)
class OrderStatusChange:
    """One change of an order's status."""

    from_status: OrderStatus | None = strawberry.field(name="from", description="The status before.")
    to_status: OrderStatus = strawberry.field(name="to", description="The status from then on.")
    at: datetime = strawberry.field(description="When it changed.")
    reason: str = strawberry.field(description="Why, for people.")
    code: str | None = strawberry.field(description="Why, for machines: CUSTOMER_REQUEST, OUT_OF_STOCK, ...")

    @classmethod
    def of(cls, entry: domain.StatusChange) -> Self:
        """The GraphQL form."""
        return cls(
            from_status=entry.from_status,
            to_status=entry.to_status,
            at=entry.at,
            reason=entry.reason,
            code=entry.code,
        )


@strawberry.federation.type(keys=["id"], description="An order; only its customer and staff see it.")
class Order:
    """An order."""

    id: strawberry.ID = strawberry.field(description="Begins with ord_; the same in all services.")
    number: str = strawberry.field(description="Readable and unique, such as G-2026-7K3F9Q.")
    status: OrderStatus = strawberry.field(description="Where it stands.")
    placed_at: datetime = strawberry.field(description="When the customer placed it.")
    updated_at: datetime = strawberry.field(description="When it changed last.")
    order: strawberry.Private[domain.Order]

    @classmethod
    def of(cls, order: domain.Order) -> Self:
        """The GraphQL form."""
        return cls(
            id=strawberry.ID(order.id),
            number=order.number,
            status=order.status,
            placed_at=order.placed_at,
            updated_at=order.updated_at,
            order=order,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:  # noqa: A002 - the key's name
        """The order, or None where it does not exist or is someone else's."""
        order = await visible_order(info, id)
        return cls.of(order) if order else None

    @strawberry.field
    def customer(self) -> Customer:
        """Who placed it."""
        return Customer(id=strawberry.ID(self.order.customer_id))

    @strawberry.field
    def lines(self) -> list[OrderLine]:
        """What was ordered."""
        return [OrderLine.of(line) for line in self.order.lines]

    @strawberry.field
    def subtotal(self) -> Money:
        """What the lines cost together."""
        return Money.of(self.order.subtotal)

    @strawberry.field
    def shipping_fee(self) -> Money:
        """What sending costs."""
        return Money.of(self.order.shipping_fee)

    @strawberry.field
    def total(self) -> Money:
        """What the customer pays."""
        return Money.of(self.order.total)

    @strawberry.field
    def shipping_address(self) -> ShippingAddress:
        """Where the parcel goes."""
        return ShippingAddress.of(self.order.shipping_address)

    @strawberry.field
    def history(self) -> list[OrderStatusChange]:
        """Every change of status, oldest first, and delays that a customer should know of."""
        return [OrderStatusChange.of(entry) for entry in self.order.history]

    @strawberry.field
    def waiting_for(self) -> list[WaitingFor]:
        """Whose answers it waits for while it is PENDING; empty afterwards."""
        return list(self.order.waiting_for)

    @strawberry.field
    def returns(self) -> list[OrderReturn]:
        """What is sent back of it, oldest first."""
        return [OrderReturn.of(each) for each in self.order.returns]


@strawberry.federation.type(keys=["id"], description="Someone who buys; only they themselves and staff see them.")
class Customer:
    """Someone who buys."""

    id: strawberry.ID = strawberry.field(description="The subject of their tokens.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:  # noqa: A002 - the key's name
        """The customer, or None where they are not known, or someone else."""
        auth = require_user(info.context.auth)
        known = auth.may_see(id, READ_ALL) and (id == auth.subject or await info.context.loaders.customers.load(id))
        return cls(id=id) if known else None

    @strawberry.field
    async def name(self, info: Info) -> str | None:
        """What their token calls them."""
        return (await self._customer(info)).name

    @strawberry.field
    async def email(self, info: Info) -> str | None:
        """Where to write to them."""
        return (await self._customer(info)).email

    async def _customer(self, info: Info) -> domain.Customer:
        auth = info.context.auth
        if self.id == auth.subject:
            return customer_of(auth)
        return await info.context.loaders.customers.load(self.id) or domain.Customer(self.id)

    @strawberry.field
    async def orders(
        self, info: Info, first: First = DEFAULT_PAGE, after: After = None, status: OfStatus = None
    ) -> Connection[Order] | None:
        """Their orders, newest first."""
        page = read_page(first, after)
        return connect_orders(page, await info.context.loaders.pages.load((self.id, slice_of(page, status))) or ())


async def visible_order(info: Info, order_id: str) -> domain.Order | None:
    """The order; None where it does not exist or is someone else's, which must look the same."""
    auth = require_user(info.context.auth)
    order = await info.context.loaders.orders.load(order_id)
    return order if order and auth.may_see(order.customer_id, READ_ALL) else None


def customer_of(auth: AuthContext) -> domain.Customer:
    """Who asks, as their token names them."""
    return domain.Customer(auth.subject or "", auth.name, auth.email)


def slice_of(page: Page, status: OrderStatus | None) -> Slice:
    """The part of a list that ``page`` is, of the orders of ``status`` (None: any)."""
    return Slice(page.limit, str(page.after[0]) if page.after else None, status)


def connect_orders(page: Page, orders: Sequence[domain.Order]) -> Connection[Order]:
    """The page with ``orders`` on it, whose cursors are the orders' positions."""
    return connect(page, orders, Order.of, lambda order: (domain.position_of(order),))
