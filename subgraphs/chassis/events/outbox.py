"""The outbox: pending events are a field of the aggregate's own document.

A store writes ``{"$set": ..., "$push": {"outbox": ...}}`` as one update (see
:mod:`subgraphs.chassis.database.aggregates`); the relay publishes what it finds and then removes it from the document.
A crash in between publishes an event once more, under the same id, which the bus and the consumers recognise; none is
lost. Within one document events keep their order, with any number of relays: a relay publishes an event only after the
bus has taken all earlier ones of that document.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

import structlog
from pymongo import ASCENDING

from subgraphs.chassis.cancellation import leave_if_cancelled
from subgraphs.chassis.database.mongodb import Collection, Database, Document, DocumentCollection
from subgraphs.chassis.events.bus import Bus
from subgraphs.chassis.events.event import from_cloud_event
from subgraphs.chassis.observation.metrics import Metrics

BATCH = 100
# A range on the indexed field: `outbox.0: {$exists: true}` would read every document.
PENDING = {"outbox.time": {"$gt": ""}}
LOG = structlog.get_logger()


class Outbox(Protocol):
    """What a store tells when it has written events."""

    def wake(self) -> None:
        """There are events to publish."""


@runtime_checkable
class LiveChanges(Protocol):
    """What an outbox has too where every write is told at once, events or not."""

    def changed(self, collection: str, id_: str) -> None:
        """The document ``id_`` of ``collection`` was written."""


class Relay:
    """Moves events from the documents of a database to the bus, until cancelled; implements :class:`Outbox`."""

    def __init__(self, collections: Sequence[Collection], metrics: Metrics, poll_s: float = 1.0) -> None:
        self._names = [collection.name for collection in collections if collection.outbox]
        self._metrics = metrics
        self._poll_s = poll_s
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look into the outboxes now rather than at the next poll."""
        self._woken.set()

    async def run(self, database: Database, bus: Bus) -> None:
        """Publish for ever; a failure is logged, and tried again after the poll's pause."""
        while True:
            leave_if_cancelled()
            self._woken.clear()
            try:
                moved = await self.publish_pending(database, bus)
            except Exception as error:  # noqa: BLE001 - whatever it is, the events are still in their documents
                LOG.warning("relay_failed", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(self._poll_s)
                continue
            if not moved:
                await self._wait()

    async def publish_pending(self, database: Database, bus: Bus) -> int:
        """One round over all collections; the number of events published.

        A document whose events the bus does not take holds up no other one: its failure is raised when all had their
        turn.
        """
        results = [result for name in self._names for result in await self._publish_collection(database[name], bus)]
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise failures[0]
        return sum(result for result in results if isinstance(result, int))

    async def oldest_pending(self, database: Database) -> datetime | None:
        """When the oldest event happened that the bus does not have yet; None where it has all."""
        times = [time for name in self._names if (time := await _oldest(database[name]))]
        return min(times, default=None)

    async def _publish_collection(self, collection: DocumentCollection, bus: Bus) -> list[int | BaseException]:
        pending = collection.find(PENDING, {"outbox": 1}).limit(BATCH)
        documents = await pending.to_list(BATCH)
        publishing = (self._publish_document(collection, document, bus) for document in documents)
        return await asyncio.gather(*publishing, return_exceptions=True)

    async def _publish_document(self, collection: DocumentCollection, document: Document, bus: Bus) -> int:
        events = [from_cloud_event(raw) for raw in document["outbox"]]
        for event in events:
            await bus.publish(event)
            self._metrics.published(event.type, (datetime.now(UTC) - event.time).total_seconds())
        ids = [event.id for event in events]
        await collection.update_one({"_id": document["_id"]}, {"$pull": {"outbox": {"id": {"$in": ids}}}})
        return len(events)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), self._poll_s)
        except TimeoutError:
            return


async def _oldest(collection: DocumentCollection) -> datetime | None:
    document = await collection.find_one(PENDING, {"outbox": 1}, sort=[("outbox.time", ASCENDING)])
    return min((from_cloud_event(raw).time for raw in document["outbox"]), default=None) if document else None
