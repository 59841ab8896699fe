"""Text, operation name, override labels and what is denied -> compiled operation, up to a limit; each compiled once.

An operation that touches nothing protected is there once. One that does is there as a GuardedOperation, which says what
must be asked of a requester, and once more for each outcome: never for each user.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from router.errors import OperationError
from router.execution.executable import ExecutablePlan, compile_plan
from router.operation.authorization import NOTHING_DENIED, UNAUTHORIZED, Demands, Denied, cut_denied, find_demands
from router.operation.document import parse_document
from router.operation.model import InlineFragment, Operation, OperationKind
from router.operation.normalize import build_operation
from router.operation.variables import Coerce, compile_coercion
from router.planning import plan_operation
from router.planning.override_labels import NO_LABELS, ActiveLabels
from router.planning.query_plan import QueryPlan
from router.response.projection import Projection, compile_projection
from router.supergraph.model import Supergraph

# What is denied is None where it has not been asked yet.
OperationKey = tuple[str, str | None, ActiveLabels, Denied | None]
Compile = Callable[[str, str | None, ActiveLabels, Denied | None], "CompiledOperation | GuardedOperation"]
MAX_CACHED_TEXT = 200_000


@dataclass(frozen=True, slots=True)
class CompiledOperation:
    """All that can be known of an operation before its variables; shared by every request that sends it.

    ``denied`` is None where it touches nothing that is protected.
    """

    operation: Operation
    plan: QueryPlan
    executable: ExecutablePlan
    projection: Projection
    coerce: Coerce
    denied: Denied | None = None


@dataclass(frozen=True, slots=True)
class GuardedOperation:
    """A valid operation that touches what is protected: who sends it decides what is planned."""

    operation: Operation
    demands: Demands


def compile_operation(
    supergraph: Supergraph,
    text: str,
    operation_name: str | None,
    labels: ActiveLabels = NO_LABELS,
    denied: Denied | None = None,
) -> CompiledOperation | GuardedOperation:
    """Parse, validate, plan and compile. OperationError, each with its own code, where one of these fails.

    Where ``denied`` is None and the operation touches what is protected, it is not planned yet.
    """
    schema = supergraph.api_schema
    operation = build_operation(schema, parse_document(text), operation_name)
    if denied is None:
        demands = find_demands(schema, operation, supergraph.protections)
        if demands is not None:
            return GuardedOperation(operation, demands)
    planned = cut_denied(schema, operation, denied) if denied else operation
    if operation.kind is OperationKind.SUBSCRIPTION and not _has_events(planned):
        message = f"Not authorized to see {operation.root_type}.{_first_field(operation)}."
        raise OperationError(UNAUTHORIZED, message, http_status=403)
    plan = plan_operation(supergraph, planned, override_labels=labels)
    projection = compile_projection(operation, schema, denied or NOTHING_DENIED, planned)
    return CompiledOperation(
        operation, plan, compile_plan(plan), projection, compile_coercion(schema, operation), denied
    )


def _has_events(subscription: Operation) -> bool:
    """Whether the root field that brings events is left."""
    return _first_field(subscription) != "__typename"


def _first_field(operation: Operation) -> str:
    first = operation.selections[0]
    while isinstance(first, InlineFragment):
        first = first.selections[0]
    return first.name


class OperationCache:
    """Least recently used operations are forgotten beyond ``max_entries``; failures are not remembered."""

    def __init__(self, compile_: Compile, max_entries: int) -> None:
        self._compile = compile_
        self.max_entries = max_entries
        self._entries: OrderedDict[OperationKey, CompiledOperation | GuardedOperation] = OrderedDict()
        self._in_flight: dict[OperationKey, asyncio.Future[CompiledOperation | GuardedOperation]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def known(
        self, text: str, operation_name: str | None, labels: ActiveLabels = NO_LABELS, denied: Denied | None = None
    ) -> CompiledOperation | GuardedOperation | None:
        """The operation as planned for the active override ``labels`` without what is ``denied``, if it is cached."""
        key = (text, operation_name, labels, denied)
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
        self, text: str, operation_name: str | None, labels: ActiveLabels = NO_LABELS, denied: Denied | None = None
    ) -> CompiledOperation | GuardedOperation:
        """The operation, compiled in a thread if need be, once for all who wait. Raises OperationError."""
        key = (text, operation_name, labels, denied)
        flight = self._in_flight.get(key)
        if flight is None:
            flight = asyncio.ensure_future(asyncio.to_thread(self._compile, *key))
            self._in_flight[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        # Shielded: one client that goes away does not take the work from the others.
        return await asyncio.shield(flight)

    def _land(self, key: OperationKey, flight: asyncio.Future[CompiledOperation | GuardedOperation]) -> None:
        del self._in_flight[key]
        if flight.cancelled() or flight.exception() is not None or len(key[0]) > MAX_CACHED_TEXT:
            return
        self._entries[key] = flight.result()
        while len(self._entries) > self.max_entries:
            self._entries.popitem(last=False)
