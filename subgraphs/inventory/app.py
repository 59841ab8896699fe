"""The composition root of inventory: wires store, use cases, events and schema into a service."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from pydantic import Field

from subgraphs.chassis.service import Runtime, Service, Worker
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.inventory.events import HANDLERS, SOURCE, encode
from subgraphs.inventory.schema import schema
from subgraphs.inventory.seed import seed
from subgraphs.inventory.service import DEFAULT_TTL_S, Inventory
from subgraphs.inventory.store import COLLECTIONS, MongoStore
from subgraphs.inventory.types import make_loaders

ARCHIVE_EVERY_S = 2.0
EXPIRE_EVERY_S = 1.0


class InventorySettings(ServiceSettings):
    """What inventory can be told, beside what every service can."""

    reservation_ttl_s: float = Field(
        default=DEFAULT_TTL_S, gt=0, description="how long stock is held for an order that is not confirmed"
    )


def build(runtime: Runtime[InventorySettings]) -> Inventory:
    """The use cases over the service's own database."""
    store = MongoStore(runtime.database, runtime.outbox, encode)
    return Inventory(store, runtime.clock, new_movement_id, runtime.settings.reservation_ttl_s)


def new_movement_id() -> str:
    """An id that no other movement has."""
    return f"mov_{uuid4().hex}"


async def seed_demo(runtime: Runtime[InventorySettings], now: datetime) -> int:
    """The demo shop in an empty database."""
    return await seed(MongoStore(runtime.database, runtime.outbox, encode), now)


service = Service(
    name=SOURCE,
    port=4003,
    settings=InventorySettings,
    schema=schema,
    collections=COLLECTIONS,
    build=build,
    loaders=make_loaders,
    handlers=HANDLERS,
    seed=seed_demo,
    workers=(
        Worker("archive_journal", lambda inventory: inventory.store.archive_journal(), ARCHIVE_EVERY_S),
        Worker("expire_due", Inventory.expire_due, EXPIRE_EVERY_S),
    ),
)
