"""Everything learned anew from a real stream equals what was learned order by order, to the last bit."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from subgraphs.chassis.clock import utc_now
from subgraphs.chassis.database.mongodb import Database, connect, create_indexes
from subgraphs.chassis.events.bus import Bus
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.events.outbox import Outbox
from subgraphs.chassis.service import Runtime
from subgraphs.chassis.settings import ServiceSettings, read_settings
from subgraphs.demo import demo_shop
from subgraphs.recommendations.app import service
from subgraphs.recommendations.rebuild import rebuild
from subgraphs.recommendations.seed import demo_baskets
from subgraphs.recommendations.store import COLLECTIONS
from tests.services import bus_of, event, eventually, running_service

Json = dict[str, Any]
PRODUCTS = tuple(f"MUG-{number:03}" for number in range(1, 13))


class NoOutbox:
    def wake(self) -> None:
        """Nobody listens."""


def some_events(seed: int, orders: int) -> list[Event]:
    """Orders of the past two years by a few customers, and news of the products in between, in a random order."""
    dice, now = Random(seed), utc_now()  # noqa: S311 - nothing secret
    events = [
        event(
            "order.confirmed",
            f"ord_{seed}_{number}",
            {
                "orderId": f"ord_{seed}_{number}",
                "customerId": f"cus_{dice.randrange(9)}",
                "lines": [{"productId": id_} for id_ in dice.sample(PRODUCTS, dice.randint(1, 5))],
                "confirmedAt": (now - timedelta(hours=dice.randrange(17_000))).isoformat(),
            },
        )
        for number in range(orders)
    ]
    for version in (1, 2, 3):
        events += [event("product.changed", id_, _news(id_, version, active=dice.random() < 0.8)) for id_ in PRODUCTS]
        stock = [_news(id_, version, inStock=dice.random() < 0.8) for id_ in PRODUCTS]
        events += [event("product.stock_changed", str(each["productId"]), each) for each in stock]
    dice.shuffle(events)
    return events


def _news(product_id: str, version: int, **news: bool) -> Json:
    return {"productId": product_id, "version": version, **news}


async def publish_all(bus: Bus, events: list[Event]) -> None:
    await asyncio.gather(*(bus.publish(each) for each in events))


def open_database(environment: Mapping[str, str]) -> tuple[ServiceSettings, Database]:
    settings = read_settings(ServiceSettings, "recommendations", environment)
    return settings, connect(settings)


async def model(database: Database) -> dict[str, list[Json]]:
    """All documents but the bookkeeping of which orders came last, in the order of their ids."""
    names = [collection.name for collection in COLLECTIONS]
    return {name: await database[name].find({}, {"counted": 0}).sort("_id").to_list(None) for name in names}


async def await_learned(database: Database, count: int) -> None:
    async def attempt() -> bool:
        return await database["baskets"].count_documents({"settled": True}) == count

    await eventually(attempt, f"{count} orders learned")


async def run_rebuild(environment: Mapping[str, str], bus: Bus) -> int:
    settings, database = open_database(environment)
    outbox: Outbox = NoOutbox()
    await create_indexes(database, COLLECTIONS)
    try:
        return await rebuild(Runtime(settings, database, outbox, utc_now), bus)
    finally:
        database.client.close()


def mall(environment: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    command = [str(Path(sys.prefix) / "bin" / "mall"), *arguments]
    result = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr


@pytest.mark.asyncio
async def test_the_command_tells_how_many_events_were_learned(environment: Mapping[str, str]) -> None:
    events = some_events(seed=5, orders=3)
    async with bus_of(environment["NATS_URL"]) as bus:
        await publish_all(bus, events)
    answer = await asyncio.to_thread(mall, environment, "rebuild", "recommendations")
    assert answer == (0, f"recommendations: learned {len(events)} events\n", "")


def test_a_service_that_owns_its_facts_is_not_rebuilt(environment: Mapping[str, str]) -> None:
    reason = "mall: orders is not made of others' events: there is nothing to rebuild it from\n"
    assert mall(environment, "rebuild", "orders") == (2, "", reason)


@pytest.mark.asyncio
async def test_a_rebuilt_model_equals_the_one_that_was_learned_order_by_order(environment: Mapping[str, str]) -> None:
    """On a seeded shop, with repeats and an event that cannot be read in the stream."""
    events = some_events(seed=1, orders=30)
    baskets = len(demo_baskets(demo_shop(utc_now()))) + 30
    _, database = open_database(environment)
    async with bus_of(environment["NATS_URL"]) as bus:
        async with running_service(service, {**environment, "SEED_DEMO": "1"}):
            await publish_all(bus, [*events, event("order.confirmed", "ord_bad", {"orderId": "ord_bad"})])
            repeats = [event(each.type, each.subject, each.data) for each in events if each.type == "order.confirmed"]
            await publish_all(bus, repeats)
            await await_learned(database, baskets)
            await eventually(bus.dead_letters, "a dead letter")
        learned = await model(database)
        assert await run_rebuild(environment, bus) == len(events) + len(repeats)
    assert await model(database) == learned
    assert sorted(await database.list_collection_names()) == ["baskets", "chassis", "histories", "tallies"]
    database.client.close()


@pytest.mark.asyncio
async def test_a_new_service_learns_the_whole_stream(environment: Mapping[str, str], new_mongodb_url: Any) -> None:
    events = some_events(seed=2, orders=20)
    _, old = open_database(environment)
    elsewhere = {**environment, "MONGODB_URL": new_mongodb_url()}
    _, new = open_database(elsewhere)
    async with bus_of(environment["NATS_URL"]) as bus:
        async with running_service(service, environment):
            await publish_all(bus, events)
            await await_learned(old, 20)
        assert await run_rebuild(elsewhere, bus) == len(events)
    assert await model(new) == await model(old)
    assert (await new["tallies"].index_information()).keys() == (await old["tallies"].index_information()).keys()
    for database in (old, new):
        database.client.close()


@pytest.mark.asyncio
async def test_orders_that_come_during_a_rebuild_are_learned_once(
    environment: Mapping[str, str], new_mongodb_url: Any
) -> None:
    """The service learns on while it is rebuilt, twice, and ends where one that was left alone does."""
    _, database = open_database(environment)
    alone = {**environment, "MONGODB_URL": new_mongodb_url()}
    _, reference = open_database(alone)
    async with bus_of(environment["NATS_URL"]) as bus, running_service(service, environment):
        await publish_all(bus, some_events(seed=3, orders=15))
        during = asyncio.create_task(publish_all(bus, some_events(seed=4, orders=15)))
        await asyncio.gather(run_rebuild(environment, bus), run_rebuild(environment, bus))
        await during
        await await_learned(database, 30)
        await run_rebuild(alone, bus)

        async def equal() -> bool:
            return await model(database) == await model(reference)

        await eventually(equal, "the model of the whole stream")
    for each in (database, reference):
        each.client.close()
