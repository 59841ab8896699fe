"""A service as its composition root (``app.py``) describes it; the chassis does the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from subgraphs.chassis.clock import Clock
from subgraphs.chassis.database.migrations import Migration
from subgraphs.chassis.database.mongodb import Collection, Database
from subgraphs.chassis.events.bus import Bus
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.events.outbox import Outbox
from subgraphs.chassis.graphql.graphql_schema import ServiceSchema
from subgraphs.chassis.http.http_route import HttpRoute
from subgraphs.chassis.settings import ServiceSettings

A = TypeVar("A")
L = TypeVar("L")
S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True, slots=True)
class Runtime(Generic[S]):
    """What a composition root gets to build its use cases from."""

    settings: S
    database: Database
    outbox: Outbox
    clock: Clock


@dataclass(frozen=True, slots=True)
class Worker(Generic[A]):
    """Work by the clock: ``round`` is called every ``every_s`` seconds; a failed one is logged, and the next comes."""

    name: str
    round: Callable[[A], Awaitable[None]]
    every_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Generic[A, L, S]):
    """One service: ``A`` is the type of its use cases, ``L`` of its loaders, ``S`` of its settings.

    ``handlers`` maps an event type to what is done with it. ``seed`` fills an empty database with the demo shop and
    returns the number of documents; it may be called again after a crash in its middle, so it leaves what is there
    already. ``rebuild`` learns everything anew from the stream, beside running replicas, and returns the number of
    events; only a service that owns no facts of its own has it. ``routes`` are those beside GraphQL, made from the
    settings.
    """

    name: str
    port: int
    settings: type[S]
    schema: ServiceSchema
    collections: tuple[Collection, ...]
    migrations: tuple[Migration, ...] = ()
    build: Callable[[Runtime[S]], A]
    loaders: Callable[[A], L]
    seed: Callable[[Runtime[S], datetime], Awaitable[int]]
    handlers: Mapping[str, Callable[[A, Event], Awaitable[None]]] = field(default_factory=dict)
    workers: tuple[Worker[A], ...] = ()
    rebuild: Callable[[Runtime[S], Bus], Awaitable[int]] | None = None
    routes: Callable[[S], Sequence[HttpRoute[A, L]]] = lambda settings: ()
