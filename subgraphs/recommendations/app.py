"""The composition root of recommendations: wires store, use cases, events and schema into a service."""

from __future__ import annotations

from datetime import datetime

from subgraphs.chassis.service import Runtime, Service
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.recommendations.events import HANDLERS
from subgraphs.recommendations.rebuild import rebuild
from subgraphs.recommendations.schema import make_loaders, schema
from subgraphs.recommendations.seed import seed
from subgraphs.recommendations.service import Recommendations
from subgraphs.recommendations.store import COLLECTIONS, MongoStore


def build(runtime: Runtime[ServiceSettings]) -> Recommendations:
    """The use cases over the service's own database."""
    return Recommendations(MongoStore(runtime.database), runtime.clock)


async def seed_demo(runtime: Runtime[ServiceSettings], now: datetime) -> int:
    """The demo shop in an empty database."""
    return await seed(build(runtime), now)


service = Service(
    name="recommendations",
    port=4005,
    settings=ServiceSettings,
    schema=schema,
    collections=COLLECTIONS,
    build=build,
    loaders=make_loaders,
    handlers=HANDLERS,
    seed=seed_demo,
    rebuild=rebuild,
)
