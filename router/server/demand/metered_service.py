"""The service with a meter before each operation: what it may cost, and who has how much of the router."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from router.response.completion import JsonObject
from router.response.projection import ProjectedResult
from router.server.access.caller import Caller
from router.server.compiled_operation import CompiledOperation
from router.server.deferred.answer import DeferredAnswer
from router.server.demand.control import Admission, DemandControl
from router.server.graph import Graph
from router.server.graphql_request import GraphQLRequest
from router.server.rate_limits.limiter import RateLimiter
from router.server.service import GraphQLService, refuse_subscription
from router.server.subscriptions.subscriber import Subscriber


class MeteredService(GraphQLService):
    """A GraphQLService that runs nothing which its ``limiter`` and its ``demand`` control do not admit, where they are.

    RequestError as RateLimiter, and OperationError as DemandControl, too.
    """

    demand: DemandControl | None = None
    limiter: RateLimiter | None = None

    def one_batch(self) -> AbstractContextManager[None]:
        """As GraphQLService says."""
        return self.demand.one_batch() if self.demand is not None else super().one_batch()

    def known_operation(self, request: GraphQLRequest, caller: Caller) -> tuple[Graph, CompiledOperation] | None:
        """As GraphQLService says; each call that finds one is a request of the ``caller``."""
        found = super().known_operation(request, caller)
        if found is not None and self.limiter is not None:
            self.limiter.take_request(caller)
        return found

    def compiled_operation(
        self, request: GraphQLRequest, caller: Caller
    ) -> Coroutine[Any, Any, tuple[Graph, CompiledOperation]]:
        """As GraphQLService says; each call is a request of the ``caller``."""
        if self.limiter is not None:
            self.limiter.take_request(caller)
        return super().compiled_operation(request, caller)

    def run(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> Coroutine[Any, Any, ProjectedResult]:
        """As GraphQLService says."""
        if self.demand is None:
            return super().run(graph, compiled, request, caller, started)
        return self._run_admitted(self.demand, graph, compiled, request, caller, started)

    async def _run_admitted(
        self,
        demand: DemandControl,
        graph: Graph,
        compiled: CompiledOperation,
        request: GraphQLRequest,
        caller: Caller,
        started: float,
    ) -> ProjectedResult:
        refuse_subscription(compiled)
        admission = self._admit(demand, compiled, request, caller)
        result = await self.run_coerced(graph, compiled, admission.variables, request, caller, started)
        return demand.told(result, admission, caller)

    async def run_in_parts(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> DeferredAnswer | None:
        """As GraphQLService says. Nothing is executed before the answer is begun."""
        answer = await super().run_in_parts(graph, compiled, request, caller, started)
        if answer is not None and self.demand is not None:
            admission = self._admit(self.demand, compiled, request, caller)
            self._count_at_end(self.demand, answer, compiled, admission)
        return answer

    def subscribe(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller
    ) -> Subscriber:
        """As GraphQLService says; what is estimated is the cost of one event."""
        if self.demand is not None:
            admission = self._admit(self.demand, compiled, request, caller)
            compiled = _coerced(compiled, admission)
        return super().subscribe(graph, compiled, request, caller)

    def _admit(
        self, demand: DemandControl, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller
    ) -> Admission:
        admission = demand.admit(compiled, request.variables)
        if self.limiter is not None and self.limiter.counts_costs:
            self.limiter.take_cost(caller, admission.estimated.cost)
        return admission

    def _count_at_end(
        self, demand: DemandControl, answer: DeferredAnswer, compiled: CompiledOperation, admission: Admission
    ) -> None:
        actual = compiled.cost.actual if compiled.cost is not None else None
        if actual is not None:
            count = actual

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
    if demand is None and limiter is None:
        return kind
    bases = (MeteredService,) if kind is GraphQLService else (kind, MeteredService)
    return type(f"Metered{kind.__name__}", bases, {"demand": demand, "limiter": limiter})


def _coerced(compiled: CompiledOperation, admission: Admission) -> CompiledOperation:
    """``compiled`` with the variables that are coerced already."""
    variables = dict(admission.variables)
    return replace(compiled, coerce=lambda _: variables)
