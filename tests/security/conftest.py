"""The five services over seeded databases, each with its use cases alone: no bus, no workers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from subgraphs.chassis.clock import utc_now
from subgraphs.chassis.command import load_service, service_names
from subgraphs.chassis.database.mongodb import connect, prepare_collections
from subgraphs.chassis.service import Runtime
from subgraphs.chassis.settings import read_settings
from subgraphs.demo import demo_shop
from tests.security.examples import Example, examples
from tests.services import ServiceClient, client_of

NOW = utc_now()


class NoRelay:
    """Leaves events in their outboxes."""

    def wake(self) -> None:
        """Nobody publishes."""


@pytest.fixture(scope="session")
def requests() -> Mapping[tuple[str, str], Example]:
    """The example of each row by service and operation."""
    return examples(demo_shop(NOW))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(
    new_mongodb_url: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[str, ServiceClient]]:
    """A client of each service with the demo shop in it, by name."""
    keys = tmp_path_factory.mktemp("keys")
    async with AsyncExitStack() as resources:
        yield {name: await _seeded(name, new_mongodb_url(), keys, resources) for name in service_names()}


async def _seeded(name: str, url: str, keys: Path, resources: AsyncExitStack) -> ServiceClient:
    service = load_service(name)
    settings = read_settings(service.settings, name, {"MONGODB_URL": url, "NATS_URL": "nats://unused"})
    database = connect(settings)
    resources.callback(database.client.close)
    runtime = Runtime(settings, database, NoRelay(), utc_now)
    await prepare_collections(database, service.collections)
    await service.seed(runtime, NOW)
    return client_of(service, service.build(runtime), keys)
