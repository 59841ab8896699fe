"""Operations compiled to be answered in parts, remembered up to a limit; each choice of what is deferred for itself."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from router.execution.executable import ExecutablePlan, compile_plan
from router.operation.deferral import split_deferred
from router.operation.document import parse_document
from router.operation.normalize import build_operation
from router.planning import plan_deferred
from router.planning.override_labels import ActiveLabels
from router.planning.query_plan import QueryPlan
from router.response.deferred_fields import DeferredProjection, compile_deferred
from router.response.projection import Projection, compile_projection
from router.supergraph.model import Supergraph

MAX_CACHED_TEXT = 200_000


class DeferralKey(NamedTuple):
    """The text and name of an operation, the active override labels, and what decides on its conditions."""

    text: str
    operation_name: str | None
    labels: ActiveLabels
    values: tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class CompiledDeferral:
    """An operation as it is answered in parts: ``first``, then ``deferred``."""

    plan: QueryPlan
    executable: ExecutablePlan
    first: Projection
    deferred: DeferredProjection


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
    return CompiledDeferral(plan, compile_plan(plan), compile_projection(operation.first, schema), deferred)


class DeferralCache:
    """Least recently used ones are forgotten beyond ``max_entries``; failures are not remembered."""

    def __init__(self, supergraph: Supergraph, max_entries: int) -> None:
        self._supergraph = supergraph
        self._max_entries = max_entries
        self._entries: OrderedDict[DeferralKey, CompiledDeferral | None] = OrderedDict()

    async def compiled(self, key: DeferralKey) -> CompiledDeferral | None:
        """The operation, compiled in a thread if need be. Raises OperationError."""
        if key in self._entries:
            self._entries.move_to_end(key)
            return self._entries[key]
        compiled = await asyncio.to_thread(compile_deferral, self._supergraph, key)
        if len(key.text) <= MAX_CACHED_TEXT:
            self._entries[key] = compiled
            if len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)
        return compiled
