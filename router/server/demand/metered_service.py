"""The service with a meter before each operation: what it may cost, and who has how much of the router."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from router.response.completion import JsonObject
from router.response.projection import ProjectedResult
from router.server.access.caller import Caller
from router.server.deferred.answer import DeferredAnswer
from router.server.demand.control import Admission, DemandControl
from router.server.graphs.graph import Graph
from router.server.http.graphql_request import GraphQLRequest
from router.server.operations.compiled_operation import CompiledOperation
from router.server.rate_limits.limiter import RateLimiter
from router.server.service import GraphQLService, refuse_subscription
from router.server.subscriptions.subscriber import Subscriber


class LimitedService(GraphQLService):
    """A GraphQLService that takes no request which its ``limiter`` does not admit. RequestError as RateLimiter, too."""

    limiter: RateLimiter

    def known_operation(self, request: GraphQLRequest, caller: Caller) -> tuple[Graph, CompiledOperation] | None:
        """As GraphQLService says; each call that finds one is a request of the ``caller``."""
        found = super().known_operation(request, caller)
        if found is not None:
            self.limiter.take_request(caller)
        return found

    def compiled_operation(
        self, request: GraphQLRequest, caller: Caller
    ) -> Coroutine[Any, Any, tuple[Graph, CompiledOperation]]:
        """As GraphQLService says; each call is a request of the ``caller``."""
        self.limiter.take_request(caller)
        return super().compiled_operation(request, caller)


class EstimatedService(GraphQLService):
    """A GraphQLService that runs nothing which its ``demand`` control does not admit, and its limiter, if that
    ``limits_costs``. OperationError as DemandControl, and RequestError as RateLimiter, too.
    """

    demand: DemandControl
    limits_costs: RateLimiter | None

    def one_batch(self) -> AbstractContextManager[None]:
        """As GraphQLService says."""
        return self.demand.one_batch()

    async def run(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> ProjectedResult:
        """As GraphQLService says."""
        refuse_subscription(compiled)
        admission = self._admit(compiled, request, caller)
        result = await self.run_coerced(graph, compiled, admission.variables, request, caller, started)
        return self.demand.told(result, admission, caller)

    async def run_in_parts(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> DeferredAnswer | None:
        """As GraphQLService says. Nothing is executed before the answer is begun."""
        answer = await super().run_in_parts(graph, compiled, request, caller, started)
        if answer is not None:
            self._count_at_end(answer, compiled, self._admit(compiled, request, caller))
        return answer

    def subscribe(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller
    ) -> Subscriber:
        """As GraphQLService says; what is estimated is the cost of one event."""
        admission = self._admit(compiled, request, caller)
        return super().subscribe(graph, _coerced(compiled, admission), request, caller)

    def _admit(self, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller) -> Admission:
        admission = self.demand.admit(compiled, request.variables)
        if self.limits_costs is not None:
            self.limits_costs.take_cost(caller, admission.estimated.cost)
        return admission

    def _count_at_end(self, answer: DeferredAnswer, compiled: CompiledOperation, admission: Admission) -> None:
        actual = compiled.cost.actual if compiled.cost is not None else None
        if actual is not None:
            count, demand = actual, self.demand

            def counted(data: JsonObject) -> None:
                demand.counted(admission, count(data, admission.variables))

            answer.at_end(counted)


def metered(
    kind: type[GraphQLService], demand: DemandControl | None, limiter: RateLimiter | None
) -> type[GraphQLService]:
    """The service ``kind`` with a meter, if there is any.

    The meter comes after whatever ``kind`` does around a GraphQLService: plugins see operations before the meter does,
    and hear of what it refuses.
    """
    meters: list[type[GraphQLService]] = []
    if limiter is not None:
        meters.append(LimitedService)
    if demand is not None:
        meters.append(EstimatedService)
    if not meters:
        return kind
    bases = meters if kind is GraphQLService else [kind, *meters]
    limits_costs = limiter if limiter is not None and limiter.counts_costs else None
    told = {"limiter": limiter, "demand": demand, "limits_costs": limits_costs}
    return type(f"Metered{kind.__name__}", tuple(bases), told)


def _coerced(compiled: CompiledOperation, admission: Admission) -> CompiledOperation:
    """``compiled`` with the variables that are coerced already."""
    variables = dict(admission.variables)
    return replace(compiled, coerce=lambda _: variables)
