"""The composition root of orders: wires store, use cases, events and schema into a service."""

from __future__ import annotations

import secrets
from datetime import datetime

from subgraphs.chassis.service import Runtime, Service
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.orders.checkout import NUMBER_BITS
from subgraphs.orders.events import HANDLERS
from subgraphs.orders.published_events import SOURCE, encode
from subgraphs.orders.schema import schema
from subgraphs.orders.seed import seed
from subgraphs.orders.service import Orders
from subgraphs.orders.store import COLLECTIONS, MongoStore
from subgraphs.orders.types import make_loaders


def build(runtime: Runtime[ServiceSettings]) -> Orders:
    """The use cases over the service's own database."""
    return Orders(MongoStore(runtime.database, runtime.outbox, encode), runtime.clock, random_bits)


def random_bits() -> int:
    """The randomness of one order number."""
    return secrets.randbits(NUMBER_BITS)


async def seed_demo(runtime: Runtime[ServiceSettings], now: datetime) -> int:
    """The demo shop in an empty database."""
    return await seed(MongoStore(runtime.database, runtime.outbox, encode), now)


service = Service(
    name=SOURCE,
    port=4001,
    settings=ServiceSettings,
    schema=schema,
    collections=COLLECTIONS,
    build=build,
    loaders=make_loaders,
    handlers=HANDLERS,
    seed=seed_demo,
)
