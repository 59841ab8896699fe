"""Operations compiled to be answered in parts, each once, up to a limit; each choice of what is deferred for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from router.errors import OperationError
from router.execution.executable import ExecutablePlan, compile_plan
from router.operation.deferral import split_deferred
from router.operation.document import parse_document
from router.operation.normalize import build_operation
from router.planning import plan_deferred
from router.planning.override_labels import ActiveLabels
from router.planning.query_plan import QueryPlan
from router.response.deferred_fields import DeferredProjection, compile_deferred
from router.response.projection import Projection, compile_projection
from router.server.compile_turns import CompileTurns
from router.server.compiled_operation import MAX_CACHED_BYTES, MAX_SHARED_TEXT, weight_of
from router.server.recently_used import CacheSize, RecentlyUsed
from router.supergraph.model import Supergraph


class DeferralKey(NamedTuple):
    """The text and name of an operation, the active override labels, and what decides on its conditions."""

    text: str
    operation_name: str | None
    labels: ActiveLabels
    values: tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class CompiledDeferral:
    """An operation as it is answered in parts: ``first``, then ``deferred``; ``weight`` is its memory in bytes."""

    plan: QueryPlan
    executable: ExecutablePlan
    first: Projection
    deferred: DeferredProjection
    weight: int


CompileDeferral = Callable[[DeferralKey], CompiledDeferral | None]


def compile_deferral(supergraph: Supergraph, key: DeferralKey) -> CompiledDeferral | None:
    """Plan and compile an operation that is valid; None where nothing of it is deferred. OperationError."""
    schema = supergraph.api_schema
    document = parse_document(key.text)
    marked = build_operation(schema, document, key.operation_name, deferring_with=dict(key.values))
    operation = split_deferred(schema, marked)
    if operation is None:
        return None
    plan = plan_deferred(supergraph, operation, override_labels=key.labels)
    deferred = compile_deferred(operation, schema, {part.usages: part.number for part in plan.deferred})
    first = compile_projection(operation.first, schema)
    return CompiledDeferral(plan, compile_plan(plan), first, deferred, weight_of(key.text, marked.selections))


class DeferralCache:
    """Those not used for longest are forgotten beyond the limits; failures are not remembered."""

    def __init__(self, compile_: CompileDeferral, max_entries: int, max_bytes: int = MAX_CACHED_BYTES) -> None:
        self._compile = compile_
        self._turns = CompileTurns()
        self._entries: RecentlyUsed[DeferralKey, tuple[CompiledDeferral | None]] = RecentlyUsed(
            CacheSize(max_entries, max_bytes)
        )
        self._in_flight: dict[DeferralKey, asyncio.Future[CompiledDeferral | None]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def most_recent(self, count: int) -> list[DeferralKey]:
        """The keys of at most ``count`` operations, the one used last first."""
        return self._entries.most_recent(count)

    async def warm(self, keys: Sequence[DeferralKey], deadline: float) -> None:
        """Compile ``keys``, the most recent first, until ``deadline`` of the loop's clock.

        What no longer compiles is left out: whoever sends it again is told why.
        """
        clock = asyncio.get_running_loop().time
        for key in keys:
            if clock() >= deadline:
                break
            with suppress(OperationError):
                await self.compiled(key)
        for key in reversed(keys):
            self._entries.get(key)

    async def compiled(self, key: DeferralKey) -> CompiledDeferral | None:
        """The operation, compiled in a thread if need be, once for all who wait. Raises OperationError."""
        entry = self._entries.get(key)
        if entry is not None:
            return entry[0]
        flight = self._in_flight.get(key)
        if flight is None:
            flight = asyncio.ensure_future(self._turns.run(key.text, self._compile, key))
            self._in_flight[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        # Shielded: one client that goes away does not take the work from the others.
        return await asyncio.shield(flight)

    def _land(self, key: DeferralKey, flight: asyncio.Future[CompiledDeferral | None]) -> None:
        del self._in_flight[key]
        if flight.cancelled() or flight.exception() is not None or len(key.text) > MAX_SHARED_TEXT:
            return
        compiled = flight.result()
        weight = compiled.weight if compiled is not None else len(key.text)
        self._entries.put(key, (compiled,), weight)
