"""The outbox: state and events in one write, and a relay that loses none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from pydantic import SecretStr

from subgraphs.chassis.database.aggregates import Aggregates
from subgraphs.chassis.database.mongodb import Collection, Database, connect, create_indexes
from subgraphs.chassis.events.bus import MemoryBus
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.events.outbox import Relay
from subgraphs.chassis.observation.metrics import Metrics
from subgraphs.chassis.settings import ServiceSettings
from tests.explained import QueryLog, collection_scans
from tests.services import bus_of, event, eventually

NOTES = (Collection("notes", outbox=True),)
FIRST, SECOND, THIRD = [event("note.taken", "n1", {"number": number}) for number in (1, 2, 3)]


class FailingBus(MemoryBus):
    """Refuses the event that it is told to."""

    refused: Event | None = None

    async def publish(self, event: Event) -> None:
        if event == self.refused:
            raise ConnectionError("gone")
        await super().publish(event)


@pytest_asyncio.fixture
async def database(mongodb_url: str) -> AsyncIterator[Database]:
    database = connect(ServiceSettings(mongodb_url=SecretStr(mongodb_url), nats_url=SecretStr("nats://unused")))
    await create_indexes(database, NOTES)
    yield database
    database.client.close()


@pytest.fixture
def relay() -> Relay:
    return Relay(NOTES, Metrics(), poll_s=0.05)


@pytest.fixture
def notes(database: Database, relay: Relay) -> Aggregates:
    return Aggregates(database["notes"], relay)


@pytest.mark.asyncio
async def test_events_are_published_in_their_order_and_leave_the_document(
    notes: Aggregates, relay: Relay, database: Database
) -> None:
    bus = MemoryBus()
    await notes.insert({"_id": "n1", "text": "a"}, events=[FIRST])
    await notes.update({"_id": "n1"}, {"$set": {"text": "b"}}, events=[SECOND, THIRD])
    assert await relay.publish_pending(database, bus) == 3
    assert bus.published == [FIRST, SECOND, THIRD]
    assert await notes.collection.find_one({"_id": "n1"}) == {
        "_id": "n1",
        "text": "b",
        "outbox": [],
        "handledEvents": [],
    }
    assert await relay.publish_pending(database, bus) == 0


@pytest.mark.asyncio
async def test_the_relay_reads_an_index_and_a_scan_would_be_seen(mongodb_url: str, relay: Relay) -> None:
    log = QueryLog()
    settings = ServiceSettings(mongodb_url=SecretStr(mongodb_url), nats_url=SecretStr("nats://unused"))
    database = connect(settings, [log])
    await create_indexes(database, NOTES)
    notes = Aggregates(database["notes"], relay)
    for number in range(20):
        await notes.insert({"_id": f"n{number}"}, events=[FIRST] if number == 7 else [])
    await relay.oldest_pending(database)
    await relay.publish_pending(database, MemoryBus())
    assert len(log.finds) == 3
    assert await collection_scans(database, log) == []
    log.finds = [{"find": "notes", "filter": {"text": "a"}}, {"find": "notes", "filter": {}, "sort": {"text": 1}}]
    assert await collection_scans(database, log) == log.finds
    database.client.close()


@pytest.mark.asyncio
async def test_what_the_bus_does_not_take_stays_and_nothing_overtakes_it(
    notes: Aggregates, relay: Relay, database: Database
) -> None:
    bus = FailingBus()
    bus.refused = SECOND
    await notes.insert({"_id": "n1"}, events=[FIRST, SECOND, THIRD])
    with pytest.raises(ConnectionError):
        await relay.publish_pending(database, bus)
    assert bus.published == [FIRST]
    bus.refused = None
    await relay.publish_pending(database, bus)
    assert bus.published == [FIRST, SECOND, THIRD]


@pytest.mark.asyncio
async def test_what_the_bus_does_not_take_holds_up_no_other_collection(notes: Aggregates, database: Database) -> None:
    both = (*NOTES, Collection("orders", outbox=True))
    await create_indexes(database, both)
    relay, bus = Relay(both, Metrics()), FailingBus()
    bus.refused = FIRST
    await notes.insert({"_id": "n1"}, events=[FIRST])
    await notes.insert({"_id": "n2"}, events=[SECOND])
    await Aggregates(database["orders"], relay).insert({"_id": "o1"}, events=[THIRD])
    with pytest.raises(ConnectionError):
        await relay.publish_pending(database, bus)
    assert bus.published == [SECOND, THIRD]


@pytest.mark.asyncio
async def test_relays_side_by_side_publish_each_event_once_and_in_order(
    notes: Aggregates, relay: Relay, database: Database
) -> None:
    bus, other = MemoryBus(), Relay(NOTES, Metrics())
    await notes.insert({"_id": "n1"}, events=[FIRST, SECOND, THIRD])
    await asyncio.gather(*(each.publish_pending(database, bus) for each in (relay, other, relay, other)))
    assert bus.published == [FIRST, SECOND, THIRD]


@pytest.mark.asyncio
async def test_replicas_that_come_and_go_keep_the_order_of_each_document_on_a_real_stream(
    notes: Aggregates, database: Database, nats_url: str
) -> None:
    """Three relays over NATS while others write; one of them is ended in the middle again and again."""
    ids, count = [f"n{number}" for number in range(8)], 25
    async with AsyncExitStack() as stack:
        buses = [await stack.enter_async_context(bus_of(nats_url)) for _ in range(3)]
        relays = [Relay(NOTES, Metrics(), poll_s=0.01) for _ in buses]
        running = [asyncio.create_task(each.run(database, bus)) for each, bus in zip(relays, buses, strict=True)]

        async def write(id_: str) -> None:
            await notes.insert({"_id": id_})
            for number in range(count):
                await notes.update(
                    {"_id": id_}, {"$set": {"n": number}}, events=[event("note.taken", id_, {"n": number})]
                )
                if number % 5 == 0:
                    running[0].cancel()
                    running[0] = asyncio.create_task(relays[0].run(database, buses[0]))

        async def published() -> bool:
            return await relays[0].oldest_pending(database) is None

        await asyncio.gather(*(write(id_) for id_ in ids))
        await eventually(published, "every event on the stream")
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        carried: dict[str, list[int]] = {id_: [] for id_ in ids}
        async for _, each in buses[0].replay(["note.taken"]):
            carried[each.subject].append(each.data["n"])
    assert carried == {id_: list(range(count)) for id_ in ids}


@pytest.mark.asyncio
async def test_a_running_relay_survives_an_outage_of_the_bus(
    notes: Aggregates, relay: Relay, database: Database
) -> None:
    bus = FailingBus()
    bus.refused = FIRST
    running = asyncio.create_task(relay.run(database, bus))
    await notes.insert({"_id": "n1"}, events=[FIRST])
    await notes.insert({"_id": "n2"}, events=[SECOND])

    async def second_came() -> bool:
        return SECOND in bus.published

    await eventually(second_came, "the other document's event")
    bus.refused = None

    async def first_came() -> bool:
        return FIRST in bus.published

    await eventually(first_came, "the refused event")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.asyncio
async def test_a_handled_event_changes_a_document_once(notes: Aggregates) -> None:
    assert await notes.insert({"_id": "n1", "count": 0}, cause="evt_0")
    where, change = {"_id": "n1"}, {"$inc": {"count": 1}}
    assert await notes.update(where, change, events=[FIRST], cause="evt_1")
    assert not await notes.update(where, change, events=[SECOND], cause="evt_1")
    assert not await notes.update(where, change, cause="evt_0")
    document = await notes.collection.find_one({"_id": "n1"})
    assert document is not None
    assert (document["count"], document["handledEvents"]) == (1, ["evt_0", "evt_1"])
    assert [each["id"] for each in document["outbox"]] == [FIRST.id]


@pytest.mark.asyncio
async def test_a_taken_key_or_a_condition_that_fails_writes_nothing(notes: Aggregates) -> None:
    await notes.insert({"_id": "n1", "open": True})
    assert not await notes.insert({"_id": "n1"}, events=[FIRST])
    assert not await notes.update({"_id": "n1", "open": False}, {"$set": {"x": 1}}, events=[FIRST])
    assert await notes.collection.find_one({"_id": "n1"}) == {
        "_id": "n1",
        "open": True,
        "outbox": [],
        "handledEvents": [],
    }


@pytest.mark.asyncio
async def test_a_document_remembers_a_limited_number_of_handled_events(notes: Aggregates) -> None:
    await notes.insert({"_id": "n1", "handled": 0})
    for number in range(205):
        await notes.update({"_id": "n1"}, {"$inc": {"handled": 1}}, cause=f"evt_{number}")
    document = await notes.collection.find_one({"_id": "n1"})
    assert document is not None
    assert (len(document["handledEvents"]), document["handledEvents"][-1]) == (200, "evt_204")


@pytest.mark.asyncio
async def test_a_document_is_written_over_the_revision_that_was_read_and_no_other(notes: Aggregates) -> None:
    await notes.insert({"_id": "n1", "text": "a", "revision": 0})
    second = {"_id": "n1", "text": "b", "revision": 1}
    assert await notes.write_over(0, second, events=[FIRST], cause="evt_1")
    assert not await notes.write_over(0, {**second, "text": "c"}, events=[SECOND])
    assert not await notes.write_over(1, {**second, "text": "c"}, events=[SECOND], cause="evt_1")
    document = await notes.collection.find_one({"_id": "n1"})
    assert document is not None
    assert [each["id"] for each in document.pop("outbox")] == [FIRST.id]
    assert document == {**second, "handledEvents": ["evt_1"]}


@pytest.mark.asyncio
async def test_what_is_missing_is_inserted_and_what_is_there_stays(notes: Aggregates) -> None:
    await notes.insert_missing([])
    await notes.insert({"_id": "n1", "text": "mine"}, events=[FIRST])
    await notes.insert_missing([{"_id": "n1", "text": "seed"}, {"_id": "n2", "text": "seed"}])
    documents = await notes.collection.find({}).sort("_id").to_list(None)
    assert [(each["_id"], each["text"], len(each["outbox"])) for each in documents] == [
        ("n1", "mine", 1),
        ("n2", "seed", 0),
    ]
