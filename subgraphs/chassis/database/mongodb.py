"""The service's own database: the client, the collections that a store declares, their indexes and validators.

motor connects lazily: a client exists at once, and each operation waits for the server up to ``timeoutMS``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel
from pymongo.errors import (
    BulkWriteError,
    CollectionInvalid,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)
from pymongo.monitoring import CommandListener

from subgraphs.chassis.settings import ServiceSettings

Document: TypeAlias = dict[str, Any]
Database: TypeAlias = "AsyncIOMotorDatabase[Document]"
DocumentCollection: TypeAlias = "AsyncIOMotorCollection[Document]"

DUPLICATE_KEY = 11000
CLOSE_WITHIN_S = 1.0
BY_ID: Mapping[str, str | int] = {"_id": "hashed"}
"""The shard key of what is written and asked by its id."""
OUTBOX_INDEX = IndexModel([("outbox.time", ASCENDING)], name="outbox", sparse=True)


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection that a store declares; ``outbox`` where its documents carry pending events.

    ``schema`` is a $jsonSchema that every document must fit from now on; the database refuses others. It must let pass
    what the release before writes, which may still be running.

    ``shard_key`` is what a sharded cluster divides it by, in the form of ``sh.shardCollection``; None where it stays on
    one shard. MongoDB shards no collection with a unique index that does not begin with it: what is unique across
    shards is the ``_id``, or the ``_id`` of a document that stands for it.
    """

    name: str
    indexes: Sequence[IndexModel] = ()
    outbox: bool = False
    schema: Mapping[str, Any] | None = None
    shard_key: Mapping[str, str | int] | None = None


def connect(settings: ServiceSettings, listeners: Sequence[CommandListener] = ()) -> Database:
    """The database that the settings name; nothing is sent yet."""
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
        settings.mongodb_url.get_secret_value(),
        timeoutMS=settings.mongodb_timeout_ms,
        tz_aware=True,
        event_listeners=list(listeners),
    )
    return client[settings.database_name]


def disconnect(database: Database) -> None:
    """Close the connections to ``database``; takes CLOSE_WITHIN_S at most, and blocks the loop for as long."""
    # To end its sessions the driver looks for a server, for 30 seconds where there is none any more.
    with pymongo.timeout(CLOSE_WITHIN_S):
        database.client.close()


async def create_indexes(database: Database, collections: Sequence[Collection]) -> None:
    """Create every declared index that is not there yet; safe with several replicas at once."""
    for collection in collections:
        indexes = [*collection.indexes, OUTBOX_INDEX] if collection.outbox else list(collection.indexes)
        if indexes:
            await database[collection.name].create_indexes(indexes)


async def prepare_collections(database: Database, collections: Sequence[Collection]) -> None:
    """Give every declared collection its validator and its indexes; safe with several replicas at once."""
    for collection in collections:
        if collection.schema is not None:
            await _validate(database, collection.name, {"$jsonSchema": dict(collection.schema)})
    await create_indexes(database, collections)


async def _validate(database: Database, name: str, validator: Document) -> None:
    with suppress(CollectionInvalid):  # it is there already
        await database.create_collection(name)
    await database.command("collMod", name, validator=validator, validationLevel="strict", validationAction="error")


async def is_empty(database: Database, collections: Sequence[Collection]) -> bool:
    """Whether no declared collection holds a document."""
    for collection in collections:
        if await database[collection.name].find_one({}, {"_id": 1}) is not None:
            return False
    return True


async def insert_missing(collection: DocumentCollection, documents: Sequence[Document]) -> None:
    """Insert the documents whose unique keys are not taken yet, and leave those that are there as they are."""
    if not documents:
        return
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if any(problem["code"] != DUPLICATE_KEY for problem in (error.details or {})["writeErrors"]):
            raise


def is_outage(error: BaseException | None) -> bool:
    """Whether ``error`` says that the database cannot be reached, rather than that the request was wrong."""
    outages = (
        ConnectionFailure,
        NetworkTimeout,
        ExecutionTimeout,
        ServerSelectionTimeoutError,
        WaitQueueTimeoutError,
    )
    return isinstance(error, outages) or (isinstance(error, PyMongoError) and error.timeout)
