"""The service of observed requests: it tells how long an operation was executed and projected, and what it fetched."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from msgspec import structs

from router.execution.execute import ExecutionResult
from router.response.projection import ProjectedResult
from router.server.access.caller import Caller
from router.server.config import RouterConfig
from router.server.deferred.answer import DeferredAnswer
from router.server.graphs.graph import Graph
from router.server.http.graphql_request import GraphQLRequest
from router.server.metrics.telemetry import Telemetry
from router.server.observation.explanation import explain
from router.server.observation.fetches import RecordingClient
from router.server.observation.record import RECORD
from router.server.operations.compiled_operation import CompiledOperation
from router.server.persisted_documents.documents import PersistedDocuments
from router.server.plugins.operation_hooks import HookedService
from router.server.service import GraphQLService
from router.server.subscriptions.hub import SubscriptionHub


class ObservedService(GraphQLService):
    """A GraphQLService that finds in RECORD what is to be noted; what has no record is run as ever."""

    def __init__(
        self,
        config: RouterConfig,
        telemetry: Telemetry,
        subscriptions: SubscriptionHub,
        graph: Graph | None = None,
        documents: PersistedDocuments | None = None,
    ) -> None:
        """As GraphQLService says."""
        super().__init__(config, telemetry, subscriptions, graph, documents)
        self._explains, self._is_open = config.explains, config.has_explorer
        self._stages = telemetry.stages
        self._operations = telemetry.operations if config.telemetry.metrics.operations else None

    def known_operation(self, request: GraphQLRequest, caller: Caller) -> tuple[Graph, CompiledOperation] | None:
        """As GraphQLService says."""
        found = super().known_operation(request, caller)
        if found is not None:
            self._note(found[1])
        return found

    async def compiled_operation(self, request: GraphQLRequest, caller: Caller) -> tuple[Graph, CompiledOperation]:
        """As GraphQLService says."""
        graph, compiled = await super().compiled_operation(request, caller)
        self._note(compiled)
        return graph, compiled

    def _note(self, compiled: CompiledOperation) -> None:
        """A valid operation came, and was found where those are that are compiled, unless the record says otherwise."""
        record, operations = RECORD.get(), self._operations
        if record is None:
            return
        if operations is not None:
            operations.hits += not record.has_missed
            record.has_missed = False
            operations.receive(compiled.operation.name, record.client)
        if record.spans is not None:
            record.spans.name_operation(compiled.operation)

    async def run(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> ProjectedResult:
        """As GraphQLService says."""
        record = RECORD.get()
        if record is None:
            return await super().run(graph, compiled, request, caller, started)
        began = time.perf_counter()
        spans, span, errors = record.spans, None, 1
        client: RecordingClient | None = None
        explains = record.asks_for_fetches and self._may_see_fetches(caller)
        if spans is not None or explains:
            client = RecordingClient(graph.client, spans)
            graph = replace(graph, client=client)
        if spans is not None:
            span = spans.begin_execution(began)
        try:
            result = await super().run(graph, compiled, request, caller, started)
            errors = len(result.errors)
            if client is not None and explains:
                told = explain(compiled.plan, client.fetches, began, record.projected_at)
                result = structs.replace(result, extensions={**(result.extensions or {}), **told})
            return result
        finally:
            over = time.perf_counter()
            executed, record.projected_at = record.projected_at or over, 0.0
            if spans is not None and span is not None:
                spans.end_execution(span, executed, errors)
            if self._operations is None:
                self._stages.ran([(executed - began, over - began)])
            else:
                operation = compiled.operation.name, record.client
                self._operations.execute((*operation, executed - began, over - began, compiled.plan, errors > 0))

    def project(
        self, compiled: CompiledOperation, result: ExecutionResult, variables: Mapping[str, object]
    ) -> ProjectedResult:
        """As GraphQLService says. From here to the end of ``run`` nothing waits, so no other operation of the record,
        as of a batch, is projected meanwhile."""
        record = RECORD.get()
        if record is None:
            return super().project(compiled, result, variables)
        record.projected_at = began = time.perf_counter()
        try:
            return super().project(compiled, result, variables)
        finally:
            if record.spans is not None:
                record.spans.add_stage("project", began, time.perf_counter())

    async def run_in_parts(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> DeferredAnswer | None:
        """As GraphQLService says; how long a part takes to be executed is not measured."""
        record = RECORD.get()
        if record is not None and record.spans is not None:
            graph = replace(graph, client=RecordingClient(graph.client, record.spans))
        return await super().run_in_parts(graph, compiled, request, caller, started)

    def _may_see_fetches(self, caller: Caller) -> bool:
        return self._explains and (self._is_open or self._inspection_scope in caller.requester.scopes)

    def missed(self) -> None:
        """As GraphQLService says."""
        record = RECORD.get()
        if self._operations is not None and record is not None:
            record.has_missed = True
            self._operations.misses += 1


class ObservedHookedService(HookedService, ObservedService):
    """An ObservedService whose operations plugins see: what they take is no part of what is measured."""
