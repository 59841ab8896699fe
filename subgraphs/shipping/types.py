"""The types of the schema of shipping: what is answered, and how a request loads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from subgraphs.chassis.graphql.loading import batch_loader
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.identity.auth import require_user
from subgraphs.shipping import domain, quote
from subgraphs.shipping.enums import Direction, ShipmentStatus, Zone
from subgraphs.shipping.label import label_path
from subgraphs.shipping.service import Shipping

READ_ALL = "orders:read-all"
WRITE = "shipping:write"


@dataclass(frozen=True, slots=True)
class Loaders:
    """The loaders of one request."""

    shipments: DataLoader[str, domain.Shipment | None]
    shipments_of_orders: DataLoader[str, Sequence[domain.Shipment] | None]
    tracked_shipments: DataLoader[str, domain.Shipment | None]


def make_loaders(shipping: Shipping) -> Loaders:
    """Fresh loaders: what one request has seen is not remembered for the next."""
    store = shipping.store
    reads = batch_loader(store.shipments), batch_loader(store.shipments_of_orders)
    return Loaders(*reads, batch_loader(store.tracked_shipments))


Info: TypeAlias = strawberry.Info[RequestContext[Shipping, Loaders], None]


@strawberry.federation.type(shareable=True, description="An amount in an ISO 4217 currency.")
class Money:
    """An amount in an ISO 4217 currency."""

    amount: Decimal = strawberry.field(description="In the major unit, with two decimals, such as 12.50.")
    currency_code: str = strawberry.field(description="ISO 4217, such as EUR.")

    @classmethod
    def of(cls, money: domain.Money) -> Self:
        """The GraphQL form: 1250 EUR cents are ``12.50``."""
        return cls(amount=Decimal(money.amount_minor).scaleb(-2), currency_code=money.currency_code)


@strawberry.type(description="How long a delivery takes, in working days.")
class DeliveryDays:
    """How long a delivery takes."""

    min: int = strawberry.field(description="At best.")
    max: int = strawberry.field(description="At worst.")


@strawberry.type(description="What it costs to send goods to one address.")
class ShippingQuote:
    """What it costs to send goods to one address."""

    fee: Money = strawberry.field(description="What all parcels cost together.")
    carrier: str = strawberry.field(description="Who brings it.")
    zone: Zone = strawberry.field(description="How far it goes.")
    estimated_days: DeliveryDays = strawberry.field(description="How long it takes.")

    @classmethod
    def of(cls, quoted: quote.ShippingQuote) -> Self:
        """The GraphQL form."""
        return cls(
            fee=Money.of(quoted.fee),
            carrier=quoted.carrier,
            zone=quoted.zone,
            estimated_days=DeliveryDays(min=quoted.min_days, max=quoted.max_days),
        )


@strawberry.federation.type(keys=["id"], description="Something the shop sells; its id is the SKU.")
class Product:
    """What shipping knows of a product: what it costs to send it."""

    id: strawberry.ID = strawberry.field(description="The SKU, such as MUG-001.")
    weight_grams: int = strawberry.federation.field(external=True, description="What one piece weighs, in grams.")

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID, weightGrams: int | None = None) -> Self:  # noqa: A002, N803
        """Any product: whether it exists, and what it weighs, is for its owner to say."""
        return cls(id=id, weight_grams=quote.UNKNOWN_WEIGHT if weightGrams is None else weightGrams)

    @strawberry.federation.field(requires=["weightGrams"])  # type: ignore[untyped-decorator] # its overload gives Any
    def shipping_quote(
        self,
        country_code: Annotated[str, strawberry.argument(description="ISO 3166-1 alpha-2, such as DE.")],
        postal_code: Annotated[str, strawberry.argument(description="As that country writes it.")],
        quantity: Annotated[int, strawberry.argument(description="How many pieces: 1 to 1000.")] = 1,
    ) -> ShippingQuote | None:
        """What it costs to send so many pieces; an error with a code where no carrier takes them there."""
        return ShippingQuote.of(quote.quote_shipping(self.weight_grams, country_code, postal_code, quantity))


@strawberry.type(description="What was seen of a parcel.")
class ShipmentEvent:
    """What was seen of a parcel."""

    status: ShipmentStatus = strawberry.field(description="Where the parcel was from then on.")
    at: datetime = strawberry.field(description="When it was seen.")
    location: str = strawberry.field(description="Where it was seen.")
    description: str = strawberry.field(description="What happened, for people.")

    @classmethod
    def of(cls, event: domain.TrackingEvent) -> Self:
        """The GraphQL form."""
        seen = event.sighting
        return cls(status=seen.status, at=seen.at, location=seen.location, description=seen.description)


@strawberry.type(description="Where a parcel goes.")
class ShipmentAddress:
    """Where a parcel goes."""

    name: str = strawberry.field(description="Who receives the parcel, or gives it back.")
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


@strawberry.federation.type(keys=["id"], description="An order; only its customer and staff see it.")
class Order:
    """What shipping knows of an order: its parcels."""

    id: strawberry.ID = strawberry.field(description="Begins with ord_; the same in all services.")

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self:  # noqa: A002 - the key's name
        """Any order: whether it has shipments is the fields' to say."""
        return cls(id=id)

    @strawberry.field
    async def shipments(self, info: Info) -> list[Shipment]:
        """The parcels of this order and its returns, the oldest first; empty where it is somebody else's."""
        return [Shipment.of(each, private=True) for each in await visible_shipments(info, self.id)]

    @strawberry.field
    async def shipment(self, info: Info) -> Shipment | None:
        """The latest parcel of this order."""
        shipments = await visible_shipments(info, self.id)
        return Shipment.of(shipments[-1], private=True) if shipments else None


@strawberry.type(description="A product in a parcel.")
class ShipmentLine:
    """A product in a parcel."""

    product: Product = strawberry.field(description="What is in it.")
    quantity: int = strawberry.field(description="How many pieces.")

    @classmethod
    def of(cls, line: domain.ParcelLine) -> Self:
        """The GraphQL form."""
        product = Product(id=strawberry.ID(line.product_id), weight_grams=line.weight_grams)
        return cls(product=product, quantity=line.quantity)


@strawberry.type(description="Which of the parcels of its order; counted from 1.")
class ShipmentParcel:
    """Which of the parcels of its order."""

    index: int = strawberry.field(description="The first one is 1.")
    count: int = strawberry.field(description="How many parcels the order has.")


@strawberry.federation.type(keys=["id"], description="A parcel of an order.")
class Shipment:
    """A parcel of an order."""

    id: strawberry.ID = strawberry.field(
        description="For someone who has the tracking number alone it tells that number, and finds no shipment."
    )
    status: ShipmentStatus = strawberry.field(description="Where it is.")
    carrier: str | None = strawberry.field(description="Null until a carrier has taken the booking.")
    tracking_number: str | None = strawberry.field(description="Null until a carrier has taken the booking.")
    estimated_delivery: datetime | None = strawberry.field(
        description="When it should arrive; null until a carrier has it booked."
    )
    events: list[ShipmentEvent] = strawberry.field(description="What was seen of it, the oldest first.")
    order: Order | None = strawberry.field(description="Null for someone who has the tracking number alone.")
    address: ShipmentAddress | None = strawberry.field(
        description="Null for someone who has the tracking number alone."
    )
    direction: Direction = strawberry.field(description="To the customer, or back.")
    parcel: ShipmentParcel = strawberry.field(description="Which one of its order's parcels it is.")
    warehouse: str | None = strawberry.field(
        description="Where it leaves, or comes back to. Null for someone who has the tracking number alone."
    )
    return_id: strawberry.ID | None = strawberry.field(description="The return that it brings back.")
    source: strawberry.Private[domain.Shipment]

    @strawberry.field
    def label_url(self, info: Info) -> str | None:
        """Where the shipping service has the label to print, for staff; null until a carrier has taken the booking."""
        return label_path(self.source) if info.context.auth.has_scope(WRITE) else None

    lines: list[ShipmentLine] = strawberry.field(description="Empty for someone who has the tracking number alone.")

    @classmethod
    def of(cls, shipment: domain.Shipment, *, private: bool) -> Self:
        """The GraphQL form; without ``private`` it tells where the parcel is and nothing of whose it is."""
        return cls(
            # A shipment's own id tells its order's id, and the warehouse.
            id=strawberry.ID(shipment.id if private else f"tracked_{shipment.tracking_number}"),
            status=shipment.status,
            carrier=shipment.carrier,
            tracking_number=shipment.tracking_number,
            estimated_delivery=shipment.estimated_delivery,
            events=[ShipmentEvent.of(event) for event in shipment.events],
            order=Order(id=strawberry.ID(shipment.order_id)) if private else None,
            address=ShipmentAddress.of(shipment.address) if private else None,
            source=shipment,
            direction=shipment.direction,
            parcel=ShipmentParcel(index=shipment.parcel.index, count=shipment.parcel.count),
            warehouse=shipment.parcel.warehouse if private else None,
            return_id=strawberry.ID(shipment.parcel.return_id) if private and shipment.parcel.return_id else None,
            lines=[ShipmentLine.of(line) for line in shipment.parcel.lines] if private else [],
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:  # noqa: A002 - the key's name
        """The shipment of that id; None where there is none that the client may see."""
        auth = require_user(info.context.auth)
        shipment = await info.context.loaders.shipments.load(id)
        return cls.of(shipment, private=True) if shipment and auth.may_see(shipment.customer_id, READ_ALL) else None


async def visible_shipments(info: Info, order_id: str) -> list[domain.Shipment]:
    """The shipments of an order that whoever asks may see; none where it is someone else's."""
    auth = require_user(info.context.auth)
    found = await info.context.loaders.shipments_of_orders.load(order_id) or ()
    return [shipment for shipment in found if auth.may_see(shipment.customer_id, READ_ALL)]
