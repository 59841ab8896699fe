"""Migrations of documents: each runs once in each database, in order, however many replicas start at once.

A store declares ``MIGRATIONS = (Migration("add-currency", add_currency), ...)``; the place in that tuple, counted from
1, is the version. The document ``{_id: "migrations"}`` of collection ``chassis`` holds the version that the database
has reached, and a lease that one replica at a time takes by a conditional update; the others wait for the version. A
replica that dies leaves its lease to run out, and the next one runs the same migration again: it must be idempotent.

Replicas of the release before run on meanwhile: a release that writes a new shape comes after one that reads it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import structlog
from pymongo.errors import DuplicateKeyError

from subgraphs.chassis.clock import Clock, utc_now
from subgraphs.chassis.database.mongodb import Database, Document
from subgraphs.chassis.errors import Unavailable

STATE = {"_id": "migrations"}
LEASE = timedelta(seconds=30)
LOOK_AGAIN_S = 0.2
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Migration:
    """One idempotent change of documents; ``name`` is unique and never changes."""

    name: str
    run: Callable[[Database], Awaitable[None]]


async def migrate(
    database: Database, migrations: Sequence[Migration], clock: Clock = utc_now, lease: timedelta = LEASE
) -> int:
    """Bring ``database`` to the version of ``migrations``, or wait until another replica has; how many ran here.

    A database that is further than ``migrations`` (a release was taken back) is left as it is. Raises Unavailable where
    the database was migrated by others than these, and whatever a migration raises.
    """
    if not migrations:
        return 0
    state = await _state(database)
    ran = 0
    while state["version"] < len(migrations):
        _check_names(state, migrations)
        holder = uuid4().hex
        if await _take_lease(database, holder, state["version"], clock, lease):
            async with _held(database, holder, clock, lease):
                await _run_next(database, migrations, holder, state["version"], clock)
            ran += 1
        else:
            await asyncio.sleep(LOOK_AGAIN_S)
        state = await _state(database)
    _check_names(state, migrations)
    return ran


async def _state(database: Database) -> Document:
    state = await database["chassis"].find_one(STATE)
    if state is None:
        with suppress(DuplicateKeyError):  # another replica was first
            await database["chassis"].insert_one({**STATE, "version": 0, "applied": [], "lease": None})
        return await _state(database)
    return state


def _check_names(state: Document, migrations: Sequence[Migration]) -> None:
    for done, known in zip(state["applied"], migrations, strict=False):  # either may be ahead of the other
        if done["name"] != known.name:
            raise Unavailable(
                f"the database was migrated by {done['name']!r} where this release has {known.name!r}:"
                " migrations are added at the end and never renamed"
            )


async def _take_lease(database: Database, holder: str, version: int, clock: Clock, lease: timedelta) -> bool:
    taken = {"$set": {"lease": {"holder": holder, "until": clock() + lease}}}
    for free in ({"lease": None}, {"lease.until": {"$lt": clock()}}):
        result = await database["chassis"].update_one({**STATE, "version": version, **free}, taken)
        if result.modified_count:
            return True
    return False


@asynccontextmanager
async def _held(database: Database, holder: str, clock: Clock, lease: timedelta) -> AsyncIterator[None]:
    """Keep the lease from running out, and give it back at the end, whatever happened."""
    mine = {**STATE, "lease.holder": holder}

    async def renew() -> None:
        while True:
            await asyncio.sleep(lease.total_seconds() / 3)
            await database["chassis"].update_one(mine, {"$set": {"lease.until": clock() + lease}})

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        await database["chassis"].update_one(mine, {"$set": {"lease": None}})


async def _run_next(
    database: Database, migrations: Sequence[Migration], holder: str, version: int, clock: Clock
) -> None:
    migration = migrations[version]
    LOG.info("migrating", migration=migration.name, version=version + 1)
    await migration.run(database)
    change = {"$set": {"version": version + 1}, "$push": {"applied": {"name": migration.name, "at": clock()}}}
    # Where the lease ran out all the same, another replica has run it too, and one of us writes that down.
    await database["chassis"].update_one({**STATE, "version": version, "lease.holder": holder}, change)
