"""Operations compiled to be answered in parts, each once, up to a limit; each choice of what is deferred for itself.

Texts that differ in literals share one, as they do where nothing is deferred: the literals come with the variables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from router.execution.executable import ExecutablePlan, compile_plan
from router.operation.authorization import NOTHING_DENIED, Denied, cut_denied
from router.operation.deferral import DeferredOperation, all_groups, split_deferred
from router.operation.document import parse_document
from router.operation.limits import DEFAULT_LIMITS, OperationLimits, check_limits
from router.operation.literals import lift_literals
from router.operation.model import Operation
from router.operation.normalize import build_lifted_operation, build_operation
from router.planning import plan_deferred, plan_operation
from router.planning.override_labels import ActiveLabels
from router.planning.query_plan import DeferredPart, QueryPlan
from router.response.deferred_fields import DeferredProjection, compile_deferred
from router.response.projection import Projection, compile_projection
from router.server.operations.compiled_cache import CompiledCache
from router.server.operations.compiled_operation import MAX_SHARED_TEXT, weight_of
from router.server.operations.recently_used import CacheSize
from router.server.operations.shared_plans import SharedPlans
from router.supergraph.model import Supergraph


class DeferralKey(NamedTuple):
    """The text and name of an operation, the active override labels, what decides on its conditions, and what of it
    its requester may not see."""

    text: str
    operation_name: str | None
    labels: ActiveLabels
    values: tuple[tuple[str, object], ...]
    denied: Denied = NOTHING_DENIED


@dataclass(frozen=True, slots=True)
class CompiledDeferral:
    """An operation as it is answered in parts: ``first``, then ``deferred``; ``weight`` is its memory in bytes."""

    plan: QueryPlan
    executable: ExecutablePlan
    first: Projection
    deferred: DeferredProjection
    weight: int


@dataclass(frozen=True, slots=True)
class NothingDeferred:
    """What is said of an operation that is answered as a whole all the same."""

    weight: int


Deferral = CompiledDeferral | NothingDeferred
DeferralCache = CompiledCache[DeferralKey, Deferral]
_SharedKey = tuple[DeferralKey, tuple[tuple[str, str], ...]]


def deferral_cache(compile_: Callable[[DeferralKey], Deferral], size: CacheSize) -> DeferralCache:
    """An empty cache of operations as they are answered in parts."""
    return CompiledCache(compile_, lambda _, deferral: deferral.weight, size)


class DeferralCompiler:
    """Compiles operations of ``supergraph`` to be answered in parts, in any number of threads; those used last are
    kept. Its ``limits`` are those that the same operations have where nothing is deferred."""

    def __init__(self, supergraph: Supergraph, size: CacheSize, limits: OperationLimits = DEFAULT_LIMITS) -> None:
        self._supergraph = supergraph
        self._limits = limits
        self._shared: SharedPlans[_SharedKey, Deferral] = SharedPlans(size)

    def __call__(self, key: DeferralKey) -> Deferral:
        """Plan and compile an operation for the values of its conditions. OperationError, as an OperationCompiler."""
        schema, limits = self._supergraph.api_schema, self._limits
        document = parse_document(key.text, limits)
        check_limits(document, limits)
        lifted = lift_literals(schema, document, key.text) if len(key.text) <= MAX_SHARED_TEXT else None
        values, name = dict(key.values), key.operation_name
        if lifted is None:
            return self._compile(build_operation(schema, document, name, limits, values), key)

        def compile_lifted() -> tuple[Deferral, int]:
            deferral = self._compile(build_lifted_operation(schema, document, lifted, name, limits, values), key)
            return deferral, deferral.weight

        return self._shared.of((key._replace(text=lifted.text), tuple(lifted.types.items())), compile_lifted)

    def _compile(self, marked: Operation, key: DeferralKey) -> Deferral:
        schema = self._supergraph.api_schema
        operation = split_deferred(schema, marked, self._limits)
        if operation is None:
            return NothingDeferred(len(key.text))
        planned = cut_denied(schema, marked, key.denied) if key.denied else marked
        allowed = split_deferred(schema, planned, self._limits) if key.denied else operation
        plan = self._plan(operation, allowed, planned, key.labels)
        first = compile_projection(operation.first, schema, key.denied, allowed.first if allowed else planned)
        parts = {part.usages: part.number for part in plan.deferred}
        deferred = compile_deferred(operation, schema, parts, key.denied, planned)
        return CompiledDeferral(plan, compile_plan(plan), first, deferred, weight_of(key.text, marked.selections))

    def _plan(
        self, whole: DeferredOperation, allowed: DeferredOperation | None, planned: Operation, labels: ActiveLabels
    ) -> QueryPlan:
        """The plan for what is ``allowed`` of a ``whole`` operation, with a part for each that the whole has."""
        if allowed is None:
            plan = plan_operation(self._supergraph, planned, override_labels=labels)
        else:
            plan = plan_deferred(self._supergraph, allowed, override_labels=labels)
        if allowed is whole:
            return plan
        known = {part.usages for part in plan.deferred}
        empty = dict.fromkeys(group.usages for group in all_groups(whole.groups) if group.usages not in known)
        parts = (DeferredPart(number, usages, ()) for number, usages in enumerate(empty, len(plan.deferred) + 1))
        return replace(plan, deferred=(*plan.deferred, *parts))
