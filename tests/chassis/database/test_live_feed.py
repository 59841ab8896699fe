"""Live changes: whoever watches a document hears of its writes in any replica."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest

from subgraphs.chassis.database.live_feed import LiveFeed, LiveOutbox
from subgraphs.chassis.errors import CodedError
from subgraphs.chassis.events.bus import Bus, MemoryBus
from subgraphs.chassis.events.outbox import LiveChanges, Relay
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.identity.auth import AuthContext
from subgraphs.chassis.observation.metrics import Metrics
from tests.services import DEADLINE_S, bus_of

Change = tuple[str, str | None]


class Shelf:
    """Documents that replicas share; :attr:`reads` counts loads."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts
        self.reads = 0

    async def load(self, ids: Sequence[str]) -> Mapping[str, str]:
        self.reads += 1
        return {each: self.texts[each] for each in ids if each in self.texts}


@asynccontextmanager
async def replicas(bus: Bus, count: int) -> AsyncIterator[list[LiveFeed]]:
    feeds = [LiveFeed("notes", Metrics()) for _ in range(count)]
    running = [asyncio.create_task(feed.run(bus)) for feed in feeds]
    try:
        yield feeds
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def following(changes: AsyncGenerator[Change]) -> Change:
    """The next change, in time."""
    async with asyncio.timeout(DEADLINE_S):
        return await anext(changes)


async def write_until_heard(feed: LiveFeed, shelf: Shelf, changes: AsyncGenerator[Change]) -> Change:
    """Write a new text, again and again until the other replica listens."""
    heard = asyncio.ensure_future(following(changes))
    while not heard.done():
        shelf.texts["n1"] = "new"
        feed.changed("notes", "n1")
        await asyncio.wait({heard}, timeout=0.1)
    return heard.result()


@pytest.mark.parametrize("kind", ["memory", "nats"])
@pytest.mark.asyncio
async def test_a_write_in_one_replica_is_heard_in_another(kind: str, nats_url: str) -> None:
    shelf = Shelf(n1="old", n2="two")

    async def try_it(bus: Bus) -> None:
        async with replicas(bus, 2) as (writer, reader), aclosing(reader.watch("notes", ["n1"], shelf.load)) as changes:
            assert await following(changes) == ("n1", "old")
            assert await write_until_heard(writer, shelf, changes) == ("n1", "new")

    if kind == "memory":
        await try_it(MemoryBus())
        return
    async with bus_of(nats_url) as bus:
        await try_it(bus)


@pytest.mark.asyncio
async def test_what_did_not_change_is_not_told_again() -> None:
    bus, shelf = MemoryBus(), Shelf(n1="one", n2="two")
    async with replicas(bus, 1) as (feed,), aclosing(feed.watch("notes", ["n1", "n2", "n3"], shelf.load)) as changes:
        assert [await following(changes) for _ in range(3)] == [("n1", "one"), ("n2", "two"), ("n3", None)]
        shelf.texts["n3"] = "three"
        for id_ in ("n1", "n2", "n3", "n4"):
            feed.changed("notes", id_)
        assert await following(changes) == ("n3", "three")


@pytest.mark.asyncio
async def test_many_writes_are_few_reads() -> None:
    bus, shelf = MemoryBus(), Shelf(n1="0")
    async with replicas(bus, 1) as (feed,), aclosing(feed.watch("notes", ["n1"], shelf.load)) as changes:
        await following(changes)
        for number in range(1, 1001):
            shelf.texts["n1"] = str(number)
            feed.changed("notes", "n1")
        assert await following(changes) == ("n1", "1000")
    assert shelf.reads == 2


@pytest.mark.asyncio
async def test_a_notice_that_was_lost_is_made_up_for() -> None:
    shelf, feed = Shelf(n1="old"), LiveFeed("notes", Metrics(), look_again_s=0.01)
    async with aclosing(feed.watch("notes", ["n1"], shelf.load)) as changes:
        await following(changes)
        shelf.texts["n1"] = "new"
        assert await following(changes) == ("n1", "new")


@pytest.mark.asyncio
async def test_a_feed_that_closes_ends_its_watches() -> None:
    shelf, feed = Shelf(n1="one"), LiveFeed("notes", Metrics())
    async with aclosing(feed.watch("notes", ["n1"], shelf.load)) as changes:
        await following(changes)
        rest = asyncio.ensure_future(following(changes))
        await asyncio.sleep(0)
        feed.close()
        with pytest.raises(StopAsyncIteration):
            await rest


@pytest.mark.asyncio
async def test_open_watches_are_counted_and_forgotten() -> None:
    shelf, metrics = Shelf(n1="one"), Metrics()
    feed = LiveFeed("notes", metrics)
    async with aclosing(feed.watch("notes", ["n1"], shelf.load)) as changes:
        await following(changes)
        assert metrics.registry.get_sample_value("galleria_subscriptions") == 1
    assert metrics.registry.get_sample_value("galleria_subscriptions") == 0
    assert not feed._watchers


def context(feed: LiveFeed, expires: float | None = None) -> RequestContext[None, object]:
    auth = AuthContext("cus_ada", "customer", expires=expires)
    return RequestContext(auth, lambda: None, lambda use_cases: object(), live=feed)


@pytest.mark.asyncio
async def test_a_subscription_ends_with_its_token() -> None:
    shelf, feed = Shelf(n1="one"), LiveFeed("notes", Metrics())
    with pytest.raises(CodedError, match="The bearer token has expired"):
        await anext(context(feed, time.time() - 1).watch("notes", ["n1"], shelf.load))


@pytest.mark.asyncio
async def test_every_change_is_resolved_with_new_loaders() -> None:
    shelf, feed = Shelf(n1="one", n2="two"), LiveFeed("notes", Metrics())
    own = context(feed)
    loaders = [own.loaders async for _ in _closed(feed, own.watch("notes", ["n1", "n2"], shelf.load))]
    assert loaders[0] is not loaders[1]


@pytest.mark.parametrize(("count", "code"), [(0, "SUBSCRIPTION_EMPTY"), (101, "SUBSCRIPTION_TOO_LARGE")])
@pytest.mark.asyncio
async def test_a_subscription_has_a_size(count: int, code: str) -> None:
    with pytest.raises(CodedError) as refusal:
        await anext(context(LiveFeed("notes", Metrics())).watch("notes", ["n"] * count, Shelf().load))
    assert refusal.value.code == code


def test_a_running_services_outbox_tells_its_feed() -> None:
    outbox = LiveOutbox(Relay((), Metrics()), LiveFeed("notes", Metrics()))
    assert isinstance(outbox, LiveChanges)
    assert not isinstance(Relay((), Metrics()), LiveChanges)


def _closed(feed: LiveFeed, changes: AsyncIterator[Change]) -> AsyncIterator[Change]:
    feed.close()
    return changes
