"""Demand control: what an operation may cost is known before anything is fetched for it, and what it did afterwards.

==================================== ====== ===============================================================
``COST_ESTIMATED_TOO_EXPENSIVE``      400    the operation, or its batch with it, may cost more than the maximum
``COST_SLICING_ARGUMENT_REQUIRED``    400    a field has none, or several, of the arguments of which it needs one
==================================== ====== ===============================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from graphql import GraphQLError
from msgspec import Struct, structs

from router.errors import OperationError
from router.operation.cost.estimate import Estimated
from router.response.projection import ProjectedResult
from router.server.access.caller import Caller
from router.server.config import RouterConfig
from router.server.demand.cost_metrics import CostMetrics, CostResult
from router.server.operations.compiled_operation import CompiledOperation

TOO_EXPENSIVE = "COST_ESTIMATED_TOO_EXPENSIVE"
SLICING_ARGUMENT_REQUIRED = "COST_SLICING_ARGUMENT_REQUIRED"


@dataclass(slots=True)
class Spent:
    """What the operations of one batch may cost together so far."""

    cost: float = 0.0


_BATCH: ContextVar[Spent | None] = ContextVar("galleria_batch_cost", default=None)


class Admission(Struct, frozen=True):
    """An operation that may run, with its coerced ``variables``, and what it may cost."""

    variables: Mapping[str, object]
    estimated: Estimated
    result: CostResult


class DemandControl:
    """Estimates and refuses as the settings say; ``metrics`` outlive the settings."""

    def __init__(self, config: RouterConfig, metrics: CostMetrics) -> None:
        settings = config.demand_control
        self._max = settings.max
        self._enforces = settings.mode == "enforce"
        self._is_open = config.has_explorer
        self._inspection_scope = config.authorization.inspection_scope
        self._metrics = metrics

    @contextmanager
    def one_batch(self) -> Iterator[None]:
        """What is admitted meanwhile has one maximum: or ten operations in a request could cost ten times as much."""
        token = _BATCH.set(Spent())
        try:
            yield
        finally:
            _BATCH.reset(token)

    def admit(self, compiled: CompiledOperation, raw_variables: Mapping[str, object]) -> Admission:
        """Estimate an operation. OperationError: BAD_USER_INPUT; COST_ESTIMATED_TOO_EXPENSIVE and
        COST_SLICING_ARGUMENT_REQUIRED where the settings refuse by cost."""
        assert compiled.cost is not None  # noqa: S101 - compiled for settings that ask for it
        variables = compiled.coerce(raw_variables)
        estimate = compiled.cost.estimate
        estimated = estimate.known or estimate(variables)
        batch = _BATCH.get()
        total = estimated.cost + (batch.cost if batch is not None else 0.0)
        result: CostResult = "unsliced" if estimated.unsliced else "too_expensive" if total > self._max else "within"
        self._metrics.estimated.note(result, estimated.cost)
        if self._enforces and result != "within":
            _refuse(result, estimated, total, self._max)
        if batch is not None:
            batch.cost = total
        return Admission(variables, estimated, result)

    def counted(self, admission: Admission, cost: float) -> None:
        """Take note of what an admitted operation did cost."""
        self._metrics.actual.note(admission.result, cost)

    def told(self, result: ProjectedResult, admission: Admission, caller: Caller) -> ProjectedResult:
        """``result`` with its cost in its extensions, for who may inspect."""
        actual = result.cost
        if actual is not None:
            self._metrics.actual.note(admission.result, actual)
        if not self._is_open and self._inspection_scope not in caller.requester.scopes:
            return result
        cost: dict[str, object] = {"estimated": number(admission.estimated.cost), "max": number(self._max)}
        if actual is not None:
            cost["actual"] = number(actual)
        return structs.replace(result, extensions={**(result.extensions or {}), "cost": cost})


def demand_control(config: RouterConfig, metrics: CostMetrics) -> DemandControl | None:
    """What the settings ask for; None where it is off."""
    return DemandControl(config, metrics) if config.demand_control.mode != "off" else None


def number(cost: float) -> float:
    """``cost`` as it is told: whole numbers without a fraction."""
    return int(cost) if cost.is_integer() else cost


def _refuse(result: CostResult, estimated: Estimated, total: float, most: float) -> None:
    if result == "unsliced":
        errors = [_unsliced(coordinate) for coordinate in estimated.unsliced]
        raise OperationError(SLICING_ARGUMENT_REQUIRED, errors[0].message, errors)
    if result == "too_expensive":
        told = {"estimated": number(estimated.cost), "max": number(most)}
        what = f"The operation may cost {number(estimated.cost)}"
        if total > estimated.cost:
            what += f", and with those before it in the batch {number(total)}"
        message = f"{what}: {number(most)} is allowed. Ask for shorter lists, or for less at once."
        error = GraphQLError(message, extensions={"code": TOO_EXPENSIVE, "cost": told})
        raise OperationError(TOO_EXPENSIVE, message, [error])


def _unsliced(coordinate: str) -> GraphQLError:
    message = f"'{coordinate}' needs exactly one of its slicing arguments, which say how long its list may be."
    return GraphQLError(message, extensions={"code": SLICING_ARGUMENT_REQUIRED, "coordinate": coordinate})
