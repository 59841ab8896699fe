"""The composition root of payments: wires store, provider, use cases, events and schema into a service."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, SecretStr, field_validator

from subgraphs.chassis.identity.webhooks import check_secret
from subgraphs.chassis.service import Runtime, Service, Worker
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.payments.events import HANDLERS, SOURCE, encode
from subgraphs.payments.provider import SandboxProvider
from subgraphs.payments.schema import make_loaders, schema
from subgraphs.payments.seed import seed
from subgraphs.payments.service import Payments
from subgraphs.payments.store import COLLECTIONS, MongoStore
from subgraphs.payments.webhooks import provider_routes

ADVANCE_EVERY_S = 1.0


class PaymentsSettings(ServiceSettings):
    """What payments can be told, beside what every service can."""

    sandbox_slow_s: float = Field(default=3.0, ge=0, description="how long the sandbox thinks about tok_slow")
    provider_webhook_secret: SecretStr | None = Field(
        default=None, description="what the payment provider signs its webhooks with; without it there are none"
    )

    _check_secret = field_validator("provider_webhook_secret")(check_secret)


def build(runtime: Runtime[PaymentsSettings]) -> Payments:
    """The use cases over this process's database and the sandbox provider."""
    store = MongoStore(runtime.database, runtime.outbox, encode)
    return Payments(store, SandboxProvider(runtime.clock, runtime.settings.sandbox_slow_s), runtime.clock)


async def seed_demo(runtime: Runtime[PaymentsSettings], now: datetime) -> int:
    """The demo shop in an empty database."""
    return await seed(MongoStore(runtime.database, runtime.outbox, encode), SandboxProvider(runtime.clock), now)


service = Service(
    name=SOURCE,
    port=4002,
    settings=PaymentsSettings,
    schema=schema,
    collections=COLLECTIONS,
    build=build,
    loaders=make_loaders,
    handlers=HANDLERS,
    seed=seed_demo,
    workers=(Worker("advance_due", Payments.advance_due, ADVANCE_EVERY_S),),
    routes=lambda settings: provider_routes(settings.provider_webhook_secret),
)
