"""The write tool of stores: change, pending events and the handled event's id are ONE atomic update of one document.

::

    pending = {"_id": id, "status": "PENDING"}
    await orders.update(pending, {"$set": {"status": "CONFIRMED"}}, events=[confirmed], cause=event.id)

returns True for the one caller who made the change, and False for a repeat of ``cause`` or where the condition does
not hold. A write that names its document by ``_id`` is told to those who watch it, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.errors import DuplicateKeyError

from subgraphs.chassis.database.mongodb import Document, DocumentCollection, insert_missing
from subgraphs.chassis.events.event import Event, to_cloud_event
from subgraphs.chassis.events.outbox import LiveChanges, Outbox

HANDLED_LIMIT = 200
"""Ids of handled events that a document remembers: far more than can be in redelivery at once for one aggregate."""


class Aggregates:
    """Atomic writes to the documents of one collection that is declared with ``outbox=True``.

    Reads go to ``collection`` itself.
    """

    def __init__(self, collection: DocumentCollection, outbox: Outbox) -> None:
        self.collection = collection
        self._outbox = outbox
        self._live = outbox if isinstance(outbox, LiveChanges) else None

    async def insert(self, document: Document, *, events: Sequence[Event] = (), cause: str | None = None) -> bool:
        """Insert ``document`` with its ``events``; False, and nothing written, where a unique key exists already."""
        pending = [to_cloud_event(event) for event in events]
        handled = [cause] if cause else []
        try:
            await self.collection.insert_one({**document, "outbox": pending, "handledEvents": handled})
        except DuplicateKeyError:
            return False
        self._tell(document.get("_id"), events)
        return True

    async def update(
        self, where: Document, change: Document, *, events: Sequence[Event] = (), cause: str | None = None
    ) -> bool:
        """Apply ``change`` to the one document that ``where`` finds; True where it was modified.

        With ``cause`` (the id of the event being handled) a document that has handled it already is left as it is.
        """
        if cause:
            where = {**where, "handledEvents": {"$ne": cause}}
        result = await self.collection.update_one(where, _with_events(change, events, cause))
        if not result.modified_count:
            return False
        self._tell(where.get("_id"), events)
        return True

    async def write_over(
        self, revision: int, document: Document, *, events: Sequence[Event] = (), cause: str | None = None
    ) -> bool:
        """Give the document of that ``_id`` the fields of ``document``, where its revision is still ``revision``.

        False where others wrote first, or where it has handled ``cause`` already.
        """
        fields = {key: value for key, value in document.items() if key != "_id"}
        where = {"_id": document["_id"], "revision": revision}
        return await self.update(where, {"$set": fields}, events=events, cause=cause)

    async def insert_missing(self, documents: Sequence[Document]) -> None:
        """Insert, without events, the documents that are not there yet: for a seed."""
        await insert_missing(self.collection, [{**each, "outbox": [], "handledEvents": []} for each in documents])

    def _tell(self, id_: object, events: Sequence[Event]) -> None:
        if events:
            self._outbox.wake()
        if self._live is not None and isinstance(id_, str):
            self._live.changed(self.collection.name, id_)


def _with_events(change: Document, events: Sequence[Event], cause: str | None) -> Document:
    pushes = dict(change.get("$push", {}))
    if events:
        pushes["outbox"] = {"$each": [to_cloud_event(event) for event in events]}
    if cause:
        pushes["handledEvents"] = {"$each": [cause], "$slice": -HANDLED_LIMIT}
    return {**change, "$push": pushes} if pushes else change
