"""The service of observed requests: it tells how long an operation was executed and projected, and what it fetched."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace

from router.execution.merge import JsonObject
from router.field_error import FieldError
from router.response.projection import ProjectedResult
from router.server.access.caller import Caller
from router.server.compiled_operation import CompiledOperation
from router.server.deferred.answer import DeferredAnswer
from router.server.graph import Graph
from router.server.graphql_request import GraphQLRequest
from router.server.observation.fetches import RecordingClient
from router.server.observation.record import RECORD, RequestRecord
from router.server.plugins.operation_hooks import HookedService
from router.server.service import GraphQLService
from router.server.stages import stage

# When the operation that runs in this task began to be projected: its execution had ended then.
_PROJECTED_AT: ContextVar[float] = ContextVar("galleria_projected_at")


class ObservedService(GraphQLService):
    """A GraphQLService that finds in RECORD what is to be noted; what has no record is run as ever."""

    async def compiled_operation(self, request: GraphQLRequest, caller: Caller) -> tuple[Graph, CompiledOperation]:
        """As GraphQLService says."""
        graph, compiled = await super().compiled_operation(request, caller)
        record = RECORD.get()
        if record is not None and record.spans is not None:
            record.spans.name_operation(compiled.operation)
        return graph, compiled

    async def run(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> ProjectedResult:
        """As GraphQLService says."""
        record = RECORD.get()
        if record is None:
            return await super().run(graph, compiled, request, caller, started)
        began = time.perf_counter()
        _PROJECTED_AT.set(0.0)
        spans = record.spans
        if spans is None:
            try:
                return await super().run(graph, compiled, request, caller, started)
            finally:
                record.passed("execute", began, _PROJECTED_AT.get() or time.perf_counter())
        span = spans.begin_execution(began)
        errors = 1
        try:
            result = await super().run(_recorded(graph, record), compiled, request, caller, started)
            errors = len(result.errors)
            return result
        finally:
            ended = _PROJECTED_AT.get() or time.perf_counter()
            spans.end_execution(span, ended, errors)
            record.passed("execute", began, ended)

    def project(
        self,
        compiled: CompiledOperation,
        data: JsonObject,
        errors: Sequence[FieldError],
        variables: Mapping[str, object],
    ) -> ProjectedResult:
        """As GraphQLService says."""
        _PROJECTED_AT.set(time.perf_counter())
        with stage("project"):
            return super().project(compiled, data, errors, variables)

    async def run_in_parts(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> DeferredAnswer | None:
        """As GraphQLService says; how long a part takes to be executed is not measured."""
        record = RECORD.get()
        if record is not None and record.spans is not None:
            graph = _recorded(graph, record)
        return await super().run_in_parts(graph, compiled, request, caller, started)


class ObservedHookedService(HookedService, ObservedService):
    """An ObservedService whose operations plugins see: what they take is no part of what is measured."""


def _recorded(graph: Graph, record: RequestRecord) -> Graph:
    """``graph``, whose client notes what is fetched for one operation."""
    return replace(graph, client=RecordingClient(graph.client, record.spans))
