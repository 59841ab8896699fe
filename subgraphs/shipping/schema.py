"""The GraphQL schema of shipping: an order's parcels, a product's shipping quote, tracking.

Who may see what: a customer's own shipments, all for staff. A tracking number is a capability: whoever has it, signed
in or not, sees where the parcel is, and neither the order nor the address nor what is in it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from typing import Annotated, TypeAlias

import strawberry

from subgraphs.chassis.graphql.graphql_schema import service_schema
from subgraphs.chassis.graphql.user_error import UserError, user_error
from subgraphs.chassis.identity.auth import require_scope, require_user
from subgraphs.shipping import domain
from subgraphs.shipping.enums import ShipmentStatus
from subgraphs.shipping.types import READ_ALL, WRITE, Info, Order, Product, Shipment

TrackingNumber: TypeAlias = Annotated[str, strawberry.argument(description="What the carrier calls the parcel.")]
IdempotencyKey: TypeAlias = Annotated[
    str, strawberry.argument(description="Such as a UUID: a repeat returns the first result.")
]
ShipmentId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="The shipment's id.")]


@strawberry.input(description="What staff saw of a parcel; the same idempotencyKey records it once.")
class TrackingEventInput:
    """What staff saw of a parcel."""

    shipment_id: strawberry.ID = strawberry.field(description="The parcel that was seen.")
    status: ShipmentStatus = strawberry.field(description="Where it is now.")
    location: str = strawberry.field(description="Where it was seen: 1 to 200 characters.")
    description: str = strawberry.field(description="What happened, for people: 1 to 200 characters.")
    idempotency_key: str = strawberry.field(description="Such as a UUID: a repeat returns the first result.")


@strawberry.type(description="The shipment after the mutation, or why it was refused.")
class ShipmentPayload:
    """The shipment after the mutation, or why it was refused."""

    shipment: Shipment | None = strawberry.field(default=None, description="The shipment; null where it was refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; else empty.")


@strawberry.type
class Query:
    """Shipments: a customer's own, all for staff; tracking for everyone who has the number."""

    @strawberry.field
    async def shipment(self, info: Info, id: ShipmentId) -> Shipment | None:  # noqa: A002 - the contract's name
        """The shipment of that id; null where there is none that you may see."""
        return await Shipment.resolve_reference(info, id)

    @strawberry.field
    async def track_shipment(
        self,
        info: Info,
        tracking_number: TrackingNumber,
    ) -> Shipment | None:
        """Where the parcel of that tracking number is; null where there is none. Whose it is, and what is in it, is
        told to its customer and to staff alone.
        """
        found = await info.context.loaders.tracked_shipments.load(tracking_number)
        return Shipment.of(found, private=info.context.auth.may_see(found.customer_id, READ_ALL)) if found else None


@strawberry.type
class Mutation:
    """For staff."""

    @strawberry.mutation
    async def dispatch_shipment(
        self,
        info: Info,
        shipment_id: ShipmentId,
        idempotency_key: Annotated[
            str,
            strawberry.argument(description="Such as a UUID: a repeat returns the first result."),
        ],
    ) -> ShipmentPayload:
        """Hand a booked parcel to its carrier now."""
        require_scope(info.context.auth, WRITE)
        return await _payload(info.context.service.dispatch(shipment_id, idempotency_key))

    @strawberry.mutation
    async def record_tracking_event(self, info: Info, input: TrackingEventInput) -> ShipmentPayload:  # noqa: A002
        """Tell where a parcel is that its carrier says nothing of."""
        require_scope(info.context.auth, WRITE)
        shipping = info.context.service
        sighting = domain.Sighting(input.status, shipping.clock(), input.location, input.description)
        event = domain.TrackingEvent(sighting, input.idempotency_key)
        return await _payload(shipping.record_sighting(input.shipment_id, event))


@strawberry.type
class Subscription:
    """A customer's own shipments, all for staff."""

    @strawberry.subscription
    async def shipment_updated(
        self,
        info: Info,
        id: ShipmentId,  # noqa: A002 - the contract's name
    ) -> AsyncGenerator[Shipment | None, None]:
        """A shipment as it is now, and again whenever it changes; null, once, where a query would give null."""
        auth = require_user(info.context.auth)
        async for _, shipment in info.context.watch("shipments", [id], info.context.service.store.shipments):
            visible = shipment is not None and auth.may_see(shipment.customer_id, READ_ALL)
            yield Shipment.of(shipment, private=True) if shipment is not None and visible else None
            if not visible:
                return


async def _payload(change: Awaitable[domain.Shipment]) -> ShipmentPayload:
    try:
        shipment = await change
    except domain.ShippingError as error:
        return ShipmentPayload(user_errors=[user_error(error)])
    return ShipmentPayload(shipment=Shipment.of(shipment, private=True))


schema = service_schema(Query, Mutation, [Order, Product, Shipment], Subscription)
