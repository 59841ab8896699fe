"""Text, operation name and override labels -> compiled operation, remembered up to a limit; each compiled once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from router.errors import OperationError
from router.execution.executable import ExecutablePlan, compile_plan
from router.operation.document import parse_document
from router.operation.model import Operation
from router.operation.normalize import build_operation
from router.operation.variables import Coerce, compile_coercion
from router.planning import plan_operation
from router.planning.override_labels import NO_LABELS, ActiveLabels
from router.planning.query_plan import QueryPlan
from router.response.projection import Projection, compile_projection
from router.supergraph.model import Supergraph

OperationKey = tuple[str, str | None, ActiveLabels]
Compile = Callable[[str, str | None, ActiveLabels], "CompiledOperation"]
MAX_CACHED_TEXT = 200_000


@dataclass(frozen=True, slots=True)
class CompiledOperation:
    """All that can be known of an operation before its variables; shared by every request that sends it."""

    operation: Operation
    plan: QueryPlan
    executable: ExecutablePlan
    projection: Projection
    coerce: Coerce


def compile_operation(
    supergraph: Supergraph, text: str, operation_name: str | None, labels: ActiveLabels = NO_LABELS
) -> CompiledOperation:
    """Parse, validate, plan and compile. OperationError, each with its own code, where one of these fails."""
    operation = build_operation(supergraph.api_schema, parse_document(text), operation_name)
    plan = plan_operation(supergraph, operation, override_labels=labels)
    return CompiledOperation(
        operation,
        plan,
        compile_plan(plan),
        compile_projection(operation, supergraph.api_schema),
        compile_coercion(supergraph.api_schema, operation),
    )


class OperationCache:
    """Least recently used operations are forgotten beyond ``max_entries``; failures are not remembered."""

    def __init__(self, compile_: Compile, max_entries: int) -> None:
        self._compile = compile_
        self.max_entries = max_entries
        self._entries: OrderedDict[OperationKey, CompiledOperation] = OrderedDict()
        self._in_flight: dict[OperationKey, asyncio.Future[CompiledOperation]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def known(
        self, text: str, operation_name: str | None, labels: ActiveLabels = NO_LABELS
    ) -> CompiledOperation | None:
        """The operation as planned for the active override ``labels``, if it is cached."""
        key = (text, operation_name, labels)
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def most_recent(self, count: int) -> list[OperationKey]:
        """The keys of at most ``count`` operations, the one used last first."""
        return list(islice(reversed(self._entries), count))

    async def warm(self, keys: Sequence[OperationKey], deadline: float) -> int:
        """Compile ``keys``, the most recent first, until ``deadline`` of the loop's clock; how many are ready then.

        What no longer compiles is left out: whoever sends it again is told why.
        """
        clock = asyncio.get_running_loop().time
        for key in keys:
            if clock() >= deadline:
                break
            if key in self._entries:
                continue
            with suppress(OperationError):
                await self.compiled(*key)
        ready = [key for key in keys if key in self._entries]
        for key in reversed(ready):
            self._entries.move_to_end(key)
        return len(ready)

    async def compiled(
        self, text: str, operation_name: str | None, labels: ActiveLabels = NO_LABELS
    ) -> CompiledOperation:
        """The operation, compiled in a thread if need be, once for all who wait. Raises OperationError."""
        key = (text, operation_name, labels)
        flight = self._in_flight.get(key)
        if flight is None:
            flight = asyncio.ensure_future(asyncio.to_thread(self._compile, *key))
            self._in_flight[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        # Shielded: one client that goes away does not take the work from the others.
        return await asyncio.shield(flight)

    def _land(self, key: OperationKey, flight: asyncio.Future[CompiledOperation]) -> None:
        del self._in_flight[key]
        if flight.cancelled() or flight.exception() is not None or len(key[0]) > MAX_CACHED_TEXT:
            return
        self._entries[key] = flight.result()
        while len(self._entries) > self.max_entries:
            self._entries.popitem(last=False)
