"""What a compiled operation costs: the estimate of the variables, and the counter that its projection has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from router.field_error import FieldError
from router.operation.cost.estimate import Estimate, compile_estimate
from router.operation.model import Operation
from router.response.actual_cost import ActualCost, compile_actual_cost
from router.response.completion import JsonObject, LookForAbsent
from router.response.projection import ProjectedResult, Projection
from router.server.config import RouterConfig
from router.supergraph.model import Supergraph


@dataclass(frozen=True, slots=True)
class CostOptions:
    """How operations are estimated, and whether their answers are counted."""

    default_list_size: int
    counts_answers: bool


@dataclass(frozen=True, slots=True)
class OperationCost:
    """The cost of one operation; ``actual`` is None where answers are not counted."""

    estimate: Estimate
    actual: ActualCost | None


@dataclass(frozen=True, slots=True)
class CountedProjection(Projection):
    """A projection that counts what it projects: what was fetched for the client, whether it is null in the end or
    not, and nothing that was fetched for inner use alone."""

    count: ActualCost = field(kw_only=True)

    def __call__(
        self,
        data: JsonObject,
        errors: Sequence[FieldError],
        variables: Mapping[str, object],
        look_for_absent: LookForAbsent | None = None,
    ) -> ProjectedResult:
        """As Projection says, with the cost."""
        result = Projection.__call__(self, data, errors, variables, look_for_absent)
        return ProjectedResult(result.data, result.errors, result.extensions, self.count(data, variables))


def cost_options(config: RouterConfig) -> CostOptions | None:
    """What the settings ask for; None where nobody asks what operations cost."""
    settings = config.demand_control
    return CostOptions(settings.default_list_size, settings.count_actual) if settings.mode != "off" else None


def compile_cost(supergraph: Supergraph, planned: Operation, options: CostOptions) -> OperationCost:
    """The cost of the operation as it is ``planned``. OperationError: OPERATION_TOO_LARGE."""
    schema, costs = supergraph.api_schema, supergraph.costs
    estimate = compile_estimate(schema, costs, planned, options.default_list_size)
    actual = compile_actual_cost(schema, costs, planned) if options.counts_answers else None
    return OperationCost(estimate, actual)


def counted(projection: Projection, cost: OperationCost) -> Projection:
    """``projection`` with the counter of ``cost``, if that has one."""
    if cost.actual is None:
        return projection
    return CountedProjection(
        projection.api_schema,
        projection.operation,
        projection.project,
        projection.introspection,
        projection.planned,
        count=cost.actual,
    )
