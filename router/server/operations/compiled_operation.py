"""Text -> compiled operation: all that can be known before the variables. Texts differing in literals share a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from graphql import DocumentNode

from router.errors import OperationError
from router.execution.executable import ExecutablePlan, compile_plan
from router.operation.authorization import NOTHING_DENIED, UNAUTHORIZED, Demands, Denied, cut_denied, find_demands
from router.operation.document import parse_document
from router.operation.limits import DEFAULT_LIMITS, OperationLimits, check_limits
from router.operation.literals import LiftedDocument, lift_literals
from router.operation.model import InlineFragment, Operation, OperationKind, Selection
from router.operation.normalize import build_lifted_operation, build_operation
from router.operation.variables import Coerce, compile_coercion
from router.planning import plan_operation
from router.planning.override_labels import NO_LABELS, ActiveLabels
from router.planning.query_plan import QueryPlan
from router.response.projection import Projection, compile_projection
from router.server.demand.operation_cost import CostOptions, OperationCost, compile_cost, counted
from router.server.operations.recently_used import CacheSize
from router.server.operations.shared_plans import SharedPlans
from router.server.operations.stages import stage
from router.supergraph.model import Supergraph

MAX_SHARED_TEXT = 200_000
# What a compiled operation takes, as tests/server/processes/test_memory.py measures: the smallest plan, each field that
# is selected, and for one with fields of its own so much more, because code is generated for it and fetches may be.
_BYTES = 3_500
_BYTES_PER_FIELD = 500
_BYTES_PER_OBJECT = 3_700
PlanKey = tuple[str, str | None, ActiveLabels, Denied | None, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class CompiledOperation:
    """All that can be known of an operation before its variables; shared by every request that sends it.

    ``coerce`` gives the values of all variables: the client's from the request, and the text's own for its literals.
    ``denied`` is None where it touches nothing that is protected, ``cost`` where nobody asks for it.
    """

    operation: Operation
    plan: QueryPlan
    executable: ExecutablePlan
    projection: Projection
    coerce: Coerce
    denied: Denied | None = None
    cost: OperationCost | None = None


@dataclass(frozen=True, slots=True)
class GuardedOperation:
    """A valid operation that touches what is protected: who sends it decides what is planned."""

    operation: Operation
    demands: Demands


class OperationCompiler:
    """Compiles operations of ``supergraph``, in any number of threads; those used last are kept.

    With ``costs`` each has its cost.
    """

    def __init__(
        self,
        supergraph: Supergraph,
        size: CacheSize,
        limits: OperationLimits = DEFAULT_LIMITS,
        costs: CostOptions | None = None,
    ) -> None:
        self._supergraph = supergraph
        self._limits = limits
        self._costs = costs
        self._shared: SharedPlans[PlanKey, CompiledOperation | GuardedOperation] = SharedPlans(size)

    def __call__(
        self, text: str, operation_name: str | None, labels: ActiveLabels = NO_LABELS, denied: Denied | None = None
    ) -> CompiledOperation | GuardedOperation:
        """Parse, validate, plan and compile. OperationError, each with its own code, where one of these fails.

        Where ``denied`` is None and the operation touches what is protected, it is not planned yet.
        """
        limits = self._limits
        with stage("parse"):
            document = parse_document(text, limits)
        check_limits(document, limits)
        schema = self._supergraph.api_schema
        lifted = lift_literals(schema, document, text) if len(text) <= MAX_SHARED_TEXT else None
        if lifted is None:
            with stage("validate"):
                operation = build_operation(schema, document, operation_name, limits)
            return self._compile(operation, labels, denied)
        # The types are part of the key: the same text may be that of a client who forgot to declare a variable.
        key = (lifted.text, operation_name, labels, denied, tuple(lifted.types.items()))
        compiled = self._shared.of(key, lambda: self._compile_lifted(document, lifted, operation_name, labels, denied))
        return _with_literals(compiled, lifted.values)

    def _compile_lifted(
        self,
        document: DocumentNode,
        lifted: LiftedDocument,
        operation_name: str | None,
        labels: ActiveLabels,
        denied: Denied | None,
    ) -> tuple[CompiledOperation | GuardedOperation, int]:
        schema = self._supergraph.api_schema
        with stage("validate"):
            operation = build_lifted_operation(schema, document, lifted, operation_name, self._limits)
        return self._compile(operation, labels, denied), weight_of(lifted.text, operation.selections)

    def _compile(
        self, operation: Operation, labels: ActiveLabels, denied: Denied | None
    ) -> CompiledOperation | GuardedOperation:
        schema = self._supergraph.api_schema
        if denied is None:
            demands = find_demands(schema, operation, self._supergraph.protections)
            if demands is not None:
                return GuardedOperation(operation, demands)
        planned = cut_denied(schema, operation, denied) if denied else operation
        if operation.kind is OperationKind.SUBSCRIPTION and not _has_events(planned):
            message = f"Not authorized to see {operation.root_type}.{_first_field(operation)}."
            raise OperationError(UNAUTHORIZED, message, http_status=403)
        with stage("plan"):
            plan = plan_operation(self._supergraph, planned, override_labels=labels)
        projection = compile_projection(operation, schema, denied or NOTHING_DENIED, planned)
        coerce = compile_coercion(schema, operation, hide_suggestions=self._limits.hide_suggestions)
        cost = None
        if self._costs is not None:
            cost = compile_cost(self._supergraph, planned, self._costs)
            projection = counted(projection, cost)
        return CompiledOperation(operation, plan, compile_plan(plan), projection, coerce, denied, cost)


def weight_of(text: str, selections: Iterable[Selection]) -> int:
    """How many bytes an operation takes once it is compiled, roughly; fragments make much of a short text.

    The text is there twice: as the client sent it, by which it is found, and without its literals, as it was compiled.
    """
    return _BYTES + 2 * len(text) + _weight_of_all(selections)


def _weight_of_all(selections: Iterable[Selection]) -> int:
    return sum(_BYTES_PER_FIELD + _weight_of_object(one.selections) for one in selections)


def _weight_of_object(selections: Sequence[Selection]) -> int:
    return _BYTES_PER_OBJECT + _weight_of_all(selections) if selections else 0


def _has_events(subscription: Operation) -> bool:
    """Whether the root field that brings events is left."""
    return _first_field(subscription) != "__typename"


def _first_field(operation: Operation) -> str:
    first = operation.selections[0]
    while isinstance(first, InlineFragment):
        first = first.selections[0]
    return first.name


def _with_literals(
    compiled: CompiledOperation | GuardedOperation, literals: Mapping[str, object]
) -> CompiledOperation | GuardedOperation:
    """The operation for one text; the values of its literals are no one else's."""
    if isinstance(compiled, GuardedOperation) or not literals:
        return compiled
    coerce = compiled.coerce

    def coerce_with_literals(raw: Mapping[str, object]) -> dict[str, object]:
        return {**coerce(raw), **literals}

    return replace(compiled, coerce=coerce_with_literals)
