"""The GraphQL schema of orders."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, TypeAlias

import strawberry

from subgraphs.chassis.graphql.connection import DEFAULT_PAGE, After, Connection, First, read_page
from subgraphs.chassis.graphql.graphql_schema import service_schema
from subgraphs.chassis.graphql.user_error import UserError, user_error
from subgraphs.chassis.identity.auth import AuthContext, require_scope, require_user
from subgraphs.orders.inputs import PlaceOrderInput, ReturnLineInput, return_request
from subgraphs.orders.refusal import RefusalError
from subgraphs.orders.types import (
    READ_ALL,
    Customer,
    Info,
    OfStatus,
    Order,
    OrderReturn,
    connect_orders,
    customer_of,
    slice_of,
    visible_order,
)

WRITE = "orders:write"
OrderId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The order's id.")]
Reason: TypeAlias = Annotated[str, strawberry.argument(description="Why, for people: 1 to 500 characters.")]
IdempotencyKey: TypeAlias = Annotated[
    str, strawberry.argument(description="Such as a UUID: a repeat returns the first result.")
]
ReturnLines: TypeAlias = Annotated[
    list[ReturnLineInput] | None,
    strawberry.argument(description="Null for all that can still be returned."),
]


@strawberry.type(description="The new order, or why there is none.")
class PlaceOrderPayload:
    """The outcome of placeOrder."""

    order: Order | None = strawberry.field(default=None, description="The order; null where it was refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; else empty.")


@strawberry.type(description="The cancelled order, or why it was not cancelled.")
class CancelOrderPayload:
    """The outcome of cancelOrder."""

    order: Order | None = strawberry.field(default=None, description="The order; null where it was refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; else empty.")


@strawberry.type(description="The order and its new return, or why there is none.")
class ReturnOrderPayload:
    """The outcome of returnOrder."""

    order: Order | None = strawberry.field(default=None, description="The order; null where it was refused.")
    order_return: OrderReturn | None = strawberry.field(
        name="return", default=None, description="The return; null where refused."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; else empty.")


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def order(self, info: Info, id: OrderId) -> Order | None:  # noqa: A002 - the argument's public name
        """An order by its id; null where there is none, or it is someone else's."""
        found = await visible_order(info, id)
        return Order.of(found) if found else None

    @strawberry.field
    async def orders(
        self, info: Info, first: First = DEFAULT_PAGE, after: After = None, status: OfStatus = None
    ) -> Connection[Order] | None:
        """Orders, newest first: all of them for staff, one's own for a customer."""
        owner = _acting_customer(info.context.auth, READ_ALL)
        page = read_page(first, after)
        return connect_orders(page, await info.context.service.store.newest(slice_of(page, status), owner))

    @strawberry.field
    async def me(self, info: Info) -> Customer | None:
        """The one who asks."""
        auth = require_user(info.context.auth)
        return Customer(id=strawberry.ID(customer_of(auth).id))


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    async def place_order(self, info: Info, input: PlaceOrderInput) -> PlaceOrderPayload:  # noqa: A002 - the convention
        """Place an order for oneself. It begins as PENDING, and is CONFIRMED when stock and payment have said yes."""
        customer = customer_of(require_user(info.context.auth))
        try:
            order = await info.context.service.place(customer, input.request())
        except RefusalError as refusal:
            return PlaceOrderPayload(user_errors=[user_error(problem) for problem in refusal.problems])
        return PlaceOrderPayload(order=Order.of(order))

    @strawberry.mutation
    async def cancel_order(self, info: Info, id: OrderId, reason: Reason) -> CancelOrderPayload:  # noqa: A002
        """Cancel an order: customers their own until it is dispatched, staff any until it is delivered. An order is
        cancelled once: a repeat with the same reason returns the cancelled order, and changes nothing.
        """
        customer_id = _acting_customer(info.context.auth, WRITE)
        try:
            order = await info.context.service.cancel(id, reason, customer_id)
        except RefusalError as refusal:
            return CancelOrderPayload(user_errors=[user_error(problem) for problem in refusal.problems])
        return CancelOrderPayload(order=Order.of(order))

    @strawberry.mutation
    async def return_order(
        self,
        info: Info,
        order_id: OrderId,
        reason: Reason,
        idempotency_key: IdempotencyKey,
        lines: ReturnLines = None,
    ) -> ReturnOrderPayload:
        """Send back a delivered order, or some lines of it; without ``lines`` all that can still be returned."""
        customer_id = _acting_customer(info.context.auth, WRITE)
        request = return_request(lines, reason, idempotency_key)
        try:
            result = await info.context.service.request_return(order_id, request, customer_id)
        except RefusalError as refusal:
            return ReturnOrderPayload(user_errors=[user_error(problem) for problem in refusal.problems])
        return ReturnOrderPayload(order=Order.of(result.order), order_return=OrderReturn.of(result.requested))


@strawberry.type
class Subscription:
    """What can be watched."""

    @strawberry.subscription
    async def order_updated(
        self,
        info: Info,
        id: OrderId,  # noqa: A002 - the argument's public name
    ) -> AsyncGenerator[Order | None, None]:
        """An order as it is now, and again whenever it changes; null, once, where a query would give null."""
        auth = require_user(info.context.auth)
        async for _, order in info.context.watch("orders", [id], info.context.service.store.orders):
            visible = order is not None and auth.may_see(order.customer_id, READ_ALL)
            yield Order.of(order) if order is not None and visible else None
            if not visible:
                return


def _acting_customer(auth: AuthContext, staff_scope: str) -> str | None:
    """The customer whose orders alone are meant, or None for staff, who need ``staff_scope`` and may mean anyone's."""
    if require_user(auth).is_staff:
        require_scope(auth, staff_scope)
        return None
    return auth.subject


schema = service_schema(Query, Mutation, subscription=Subscription)
