"""The service with a meter before each operation: what it may cost, and who has how much of the router."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import cast

from router.response.completion import JsonObject
from router.response.projection import ProjectedResult
from router.server.access.caller import Caller
from router.server.compiled_operation import CompiledOperation
from router.server.deferred.answer import DeferredAnswer
from router.server.demand.control import Admission, DemandControl
from router.server.graph import Graph
from router.server.graphql_request import GraphQLRequest
from router.server.service import GraphQLService
from router.server.subscriptions.subscriber import Subscriber


class MeteredService(GraphQLService):
    """A GraphQLService that runs nothing which its ``meter`` does not admit. OperationError as the meter says, too."""

    meter: DemandControl

    def one_batch(self) -> AbstractContextManager[None]:
        """As GraphQLService says."""
        return self.meter.one_batch()

    async def run(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> ProjectedResult:
        """As GraphQLService says."""
        admission = self.meter.admit(compiled, request.variables)
        result = await super().run(graph, _coerced(compiled, admission), request, caller, started)
        return self.meter.told(result, admission, caller)

    async def run_in_parts(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> DeferredAnswer | None:
        """As GraphQLService says. Nothing is executed before the answer is begun."""
        answer = await super().run_in_parts(graph, compiled, request, caller, started)
        if answer is not None:
            admission = self.meter.admit(compiled, request.variables)
            actual = compiled.cost.actual if compiled.cost is not None else None
            if actual is not None:
                count = actual

                def counted(data: JsonObject) -> None:
                    self.meter.counted(admission, count(data, admission.variables))

                answer.at_end(counted)
        return answer

    def subscribe(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller
    ) -> Subscriber:
        """As GraphQLService says; what is estimated is the cost of one event."""
        admission = self.meter.admit(compiled, request.variables)
        return super().subscribe(graph, _coerced(compiled, admission), request, caller)


def metered_kind(kind: type[GraphQLService]) -> type[MeteredService]:
    """The service ``kind`` with a meter, which comes after whatever ``kind`` does around a GraphQLService: plugins see
    operations before the meter does, and hear of what it refuses."""
    if kind is GraphQLService:
        return MeteredService
    return cast("type[MeteredService]", type(f"Metered{kind.__name__}", (kind, MeteredService), {}))


def _coerced(compiled: CompiledOperation, admission: Admission) -> CompiledOperation:
    """``compiled`` with the variables that are coerced already."""
    variables = dict(admission.variables)
    return replace(compiled, coerce=lambda _: variables)
