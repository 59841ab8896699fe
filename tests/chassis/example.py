"""A service that is no shop's: notes that people keep. What the chassis does for a service is tried on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import strawberry
from pymongo.errors import AutoReconnect
from strawberry.dataloader import DataLoader

from subgraphs.chassis.database.mongodb import Collection
from subgraphs.chassis.errors import CodedError, Unavailable
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.graphql.connection import Connection, connect, read_page
from subgraphs.chassis.graphql.graphql_schema import service_schema
from subgraphs.chassis.graphql.loading import batch_loader
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.identity.auth import require_staff, require_user
from subgraphs.chassis.observation.tracing import current_traceparent
from subgraphs.chassis.service import Runtime, Service, Worker
from subgraphs.chassis.settings import ServiceSettings


class NotesError(Exception):
    """A refusal."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = None


@dataclass
class Notes:
    """The use cases: a list in memory, and a record of what was asked of it."""

    texts: dict[str, str] = field(default_factory=lambda: {"1": "one", "2": "two", "3": "three"})
    fetched: list[list[str]] = field(default_factory=list)
    heard: list[Event] = field(default_factory=list)
    rounds: int = 0

    async def by_id(self, ids: Any) -> dict[str, str]:
        self.fetched.append(list(ids))
        return {each: self.texts[each] for each in ids if each in self.texts}


Loaders = DataLoader[str, str | None]
Info = strawberry.Info[RequestContext[Notes, Loaders], None]


@strawberry.federation.type(keys=["id"])
class Note:
    """A note."""

    id: strawberry.ID
    text: str

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:  # noqa: A002
        text = await info.context.loaders.load(id)
        return cls(id=id, text=text) if text else None


@strawberry.type
class Query:
    """Everything that can go wrong."""

    @strawberry.field
    async def notes(self, info: Info, first: int = 20, after: str | None = None) -> Connection[Note]:
        page = read_page(first, after)
        last = page.after[0] if page.after else ""
        rows = [each for each in sorted(info.context.service.texts) if each > str(last)][: page.limit]
        return connect(page, rows, lambda row: Note(id=strawberry.ID(row), text="?"), lambda row: (row,))

    @strawberry.field
    async def whoami(self, info: Info) -> str:
        return require_user(info.context.auth).subject or ""

    @strawberry.field
    async def traceparent(self) -> str | None:
        return current_traceparent()

    @strawberry.field
    async def secret(self, info: Info) -> str:
        return f"for {require_staff(info.context.auth).subject}"

    @strawberry.field
    async def fails(self, how: str) -> str | None:
        failures: dict[str, Exception] = {
            "coded": CodedError("TOO_LATE", "It is too late."),
            "domain": NotesError("NO_PAPER", "There is no paper."),
            "unavailable": Unavailable("The pen is empty; try again."),
            "outage": AutoReconnect("connection refused to db.internal:27017"),
            "bug": KeyError("password=hunter2"),
        }
        raise failures[how]


async def hear(notes: Notes, event: Event) -> None:
    notes.heard.append(event)


async def count_round(notes: Notes) -> None:
    notes.rounds += 1
    if notes.rounds == 1:
        raise ValueError("the first round fails")


def notes_service(notes: Notes) -> Service[Notes, Loaders, ServiceSettings]:
    """A service over ``notes``; its seed writes two documents."""

    async def seed(runtime: Runtime[ServiceSettings], now: datetime) -> int:
        await runtime.database["notes"].insert_many([{"_id": "a", "at": now}, {"_id": "b", "at": now}])
        return 2

    return Service(
        name="notes",
        port=4999,
        settings=ServiceSettings,
        schema=service_schema(Query, types=[Note]),
        collections=(Collection("notes", outbox=True),),
        build=lambda runtime: notes,
        loaders=lambda notes: batch_loader(notes.by_id),
        seed=seed,
        handlers={"note.taken": hear},
        workers=(Worker("count", count_round, 0.01),),
    )
