"""The demo shop in an empty database: once, and resumed where a crash interrupted it.

A marker in collection ``chassis`` says that seeding began, and with which time, so that a second try produces the
same documents.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from subgraphs.chassis.database.mongodb import Collection, Database, is_empty

MARKER = {"_id": "seed"}


async def seed_if_empty(
    database: Database,
    collections: Sequence[Collection],
    seed: Callable[[datetime], Awaitable[int]],
    now: datetime,
) -> int | None:
    """Seed ``database``; the number of documents, or None where it holds something already."""
    began = await _begin(database, collections, now)
    if began is None:
        return None
    count = await seed(began)
    await database["chassis"].update_one(MARKER, {"$set": {"done": True}})
    return count


async def seeded_at(database: Database) -> datetime | None:
    """The time with which the demo shop was put in; None where it was not."""
    marker = await database["chassis"].find_one({**MARKER, "done": True})
    return marker["now"] if marker else None


async def _begin(database: Database, collections: Sequence[Collection], now: datetime) -> datetime | None:
    marker = await database["chassis"].find_one(MARKER)
    if marker is None and await is_empty(database, collections):
        with suppress(DuplicateKeyError):  # another replica began
            await database["chassis"].insert_one({**MARKER, "now": now, "done": False})
        marker = await database["chassis"].find_one(MARKER)
    if marker is None or marker["done"]:
        return None
    began: datetime = marker["now"]
    return began
