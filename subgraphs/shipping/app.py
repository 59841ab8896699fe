"""The composition root of shipping: wires store, carrier, use cases, events and schema into a service."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, SecretStr, field_validator

from subgraphs.chassis.identity.webhooks import check_secret
from subgraphs.chassis.service import Runtime, Service, Worker
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.shipping.carrier import Pace, SandboxCarrier
from subgraphs.shipping.events import HANDLERS, SOURCE, encode
from subgraphs.shipping.label import LABEL_ROUTE
from subgraphs.shipping.schema import schema
from subgraphs.shipping.seed import seed
from subgraphs.shipping.service import Shipping
from subgraphs.shipping.store import COLLECTIONS, MongoStore
from subgraphs.shipping.types import make_loaders
from subgraphs.shipping.webhooks import carrier_routes

ADVANCE_EVERY_S = 1.0


class ShippingSettings(ServiceSettings):
    """What shipping can be told, beside what every service can: how fast the sandbox is, and who may call."""

    dispatch_after_s: float = Field(default=600, ge=0, description="from the booking to the pick-up")
    hub_after_s: float = Field(default=1800, ge=0, description="from the pick-up to the sorting centre")
    out_for_delivery_after_s: float = Field(default=3600, ge=0, description="from the sorting centre into the van")
    delivery_after_s: float = Field(default=1800, ge=0, description="from the van to the door")
    carrier_webhook_secret: SecretStr | None = Field(
        default=None, description="what carriers sign their webhooks with; without it there are none"
    )

    _check_secret = field_validator("carrier_webhook_secret")(check_secret)


def build(runtime: Runtime[ShippingSettings]) -> Shipping:
    """The use cases over the service's own database and the sandbox carrier."""
    settings = runtime.settings
    pace = Pace(
        settings.dispatch_after_s,
        settings.hub_after_s,
        settings.out_for_delivery_after_s,
        settings.delivery_after_s,
    )
    store = MongoStore(runtime.database, runtime.outbox, encode)
    return Shipping(store, SandboxCarrier(runtime.clock, pace), runtime.clock)


async def seed_demo(runtime: Runtime[ShippingSettings], now: datetime) -> int:
    """The demo shop in an empty database."""
    return await seed(MongoStore(runtime.database, runtime.outbox, encode), now)


service = Service(
    name=SOURCE,
    port=4004,
    settings=ShippingSettings,
    schema=schema,
    collections=COLLECTIONS,
    build=build,
    loaders=make_loaders,
    handlers=HANDLERS,
    seed=seed_demo,
    workers=(Worker("advance_due", Shipping.advance_due, ADVANCE_EVERY_S),),
    routes=lambda settings: (LABEL_ROUTE, *carrier_routes(settings.carrier_webhook_secret)),
)
