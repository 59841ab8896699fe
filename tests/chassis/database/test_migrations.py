"""Migrations of documents and validators of collections, on the real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from pymongo.errors import WriteError

from subgraphs.chassis.clock import utc_now
from subgraphs.chassis.database.migrations import STATE, Migration, migrate
from subgraphs.chassis.database.mongodb import Collection, Database, connect, prepare_collections
from subgraphs.chassis.errors import Unavailable
from subgraphs.chassis.settings import ServiceSettings

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest_asyncio.fixture
async def database(mongodb_url: str) -> AsyncIterator[Database]:
    settings = ServiceSettings.model_validate({"mongodb_url": mongodb_url, "nats_url": "nats://unused"})
    database = connect(settings)
    await database["notes"].insert_many([{"_id": 1, "text": "one"}, {"_id": 2, "text": "two"}])
    yield database
    database.client.close()


class Ran:
    """Makes migrations that note their runs."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def migration(self, name: str, failures: int = 0) -> Migration:
        left = [failures]

        async def run(database: Database) -> None:
            self.names.append(name)
            if left[0]:
                left[0] -= 1
                raise ValueError(f"{name} fails")
            await database["notes"].update_many({name: {"$exists": False}}, {"$set": {name: True}})

        return Migration(name, run)


@pytest.mark.asyncio
async def test_migrations_run_once_and_in_order(database: Database) -> None:
    ran = Ran()
    first, second = ran.migration("first"), ran.migration("second")
    assert await migrate(database, [first], lambda: NOON) == 1
    assert await migrate(database, [first, second], lambda: NOON) == 1
    assert await migrate(database, [first, second], lambda: NOON) == 0
    assert ran.names == ["first", "second"]
    assert await database["notes"].find({}, {"_id": 0}).to_list(None) == [
        {"text": text, "first": True, "second": True} for text in ("one", "two")
    ]
    assert await database["chassis"].find_one(STATE) == {
        "_id": "migrations",
        "version": 2,
        "applied": [{"name": "first", "at": NOON}, {"name": "second", "at": NOON}],
        "lease": None,
    }


@pytest.mark.asyncio
async def test_of_eight_replicas_that_start_at_once_one_migrates_and_the_others_wait(database: Database) -> None:
    ran = Ran()
    migrations = [ran.migration("first"), ran.migration("second"), ran.migration("third")]
    counts = await asyncio.gather(*(migrate(database, migrations) for _ in range(8)))
    assert sum(counts) == 3
    assert ran.names == ["first", "second", "third"]


@pytest.mark.asyncio
async def test_a_migration_that_fails_is_tried_again_and_none_after_it_runs(database: Database) -> None:
    ran = Ran()
    migrations = [ran.migration("first", failures=1), ran.migration("second")]
    with pytest.raises(ValueError, match="first fails"):
        await migrate(database, migrations)
    assert await migrate(database, migrations) == 2
    assert ran.names == ["first", "first", "second"]


@pytest.mark.asyncio
async def test_the_lease_of_a_replica_that_died_runs_out(database: Database) -> None:
    """The other replica took the lease for half a second, and was never seen again."""
    ran = Ran()
    until = utc_now() + timedelta(seconds=0.5)
    lease = {"holder": "died", "until": until}
    await database["chassis"].insert_one({**STATE, "version": 0, "applied": [], "lease": lease})
    assert await migrate(database, [ran.migration("first")]) == 1
    assert utc_now() > until


@pytest.mark.asyncio
async def test_a_lease_lasts_as_long_as_its_migration(database: Database) -> None:
    """The migration takes many times the lease; the second replica must not run it as well."""
    ran, began, may_end = Ran(), asyncio.Event(), asyncio.Event()
    first = ran.migration("first")

    async def slow(database: Database) -> None:
        began.set()
        await may_end.wait()
        await first.run(database)

    migrations, lease = [Migration("first", slow)], timedelta(seconds=0.3)
    one = asyncio.create_task(migrate(database, migrations, lease=lease))
    await began.wait()
    other = asyncio.create_task(migrate(database, migrations, lease=lease))
    done, _ = await asyncio.wait({other}, timeout=4 * lease.total_seconds())
    assert not done
    may_end.set()
    assert (await one, await other, ran.names) == (1, 0, ["first"])


@pytest.mark.asyncio
async def test_an_older_release_leaves_a_newer_database_as_it_is(database: Database) -> None:
    ran = Ran()
    first, second = ran.migration("first"), ran.migration("second")
    await migrate(database, [first, second])
    assert await migrate(database, [first]) == 0


@pytest.mark.asyncio
async def test_a_renamed_migration_is_refused(database: Database) -> None:
    ran = Ran()
    await migrate(database, [ran.migration("first")])
    with pytest.raises(Unavailable, match="migrated by 'first' where this release has 'begin'"):
        await migrate(database, [ran.migration("begin"), ran.migration("second")])
    assert ran.names == ["first"]


@pytest.mark.asyncio
async def test_a_declared_schema_refuses_other_documents(database: Database) -> None:
    schema = {"required": ["text"], "properties": {"text": {"bsonType": "string"}}}
    for _ in range(2):
        await prepare_collections(database, [Collection("notes", schema=schema), Collection("drafts", schema=schema)])
    await database["notes"].insert_one({"_id": 3, "text": "three"})
    for name in ("notes", "drafts"):
        with pytest.raises(WriteError, match="Document failed validation"):
            await database[name].insert_one({"_id": 4, "text": 4})
    with pytest.raises(WriteError, match="Document failed validation"):
        await database["notes"].update_one({"_id": 3}, {"$unset": {"text": 1}})
    wider = Collection("notes", schema={"required": ["text"]})
    await prepare_collections(database, [wider])
    await database["notes"].insert_one({"_id": 4, "text": 4})
