"""The GraphQL service that every transport uses: one graph, and operations run on it."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from router.errors import OperationError
from router.execution.execute import ExecutionContext, ExecutionResult, execute
from router.execution.in_parts import Deliver, execute_in_parts
from router.field_error import FieldError
from router.operation.authorization import NOTHING_DENIED
from router.operation.model import OperationKind
from router.planning.query_plan import QueryPlan
from router.response.projection import ProjectedResult
from router.server.access.caller import Caller
from router.server.access.gate import Gate
from router.server.config import RouterConfig
from router.server.deferred.answer import DeferredAnswer
from router.server.deferred.compiled import CompiledDeferral, DeferralKey
from router.server.graphs.graph import Graph
from router.server.http.graphql_request import GraphQLRequest
from router.server.metrics.telemetry import Telemetry
from router.server.observation.operations import ObservedOperations
from router.server.operations.compiled_operation import CompiledOperation
from router.server.persisted_documents.documents import PersistedDocuments
from router.server.request_error import RequestError
from router.server.subscriptions.hub import SubscriptionHub
from router.server.subscriptions.subscriber import Subscriber
from router.server.to_subgraphs.header_rules import claim_headers

# A member looked up in its enum takes nine times as long as a name of the module (CPython 3.11).
_MUTATION = OperationKind.MUTATION
_SUBSCRIPTION = OperationKind.SUBSCRIPTION


class GraphQLService:
    """Runs operations on ``graph`` by one set of settings; None while there is no graph yet.

    ``documents`` are those that requests may name instead of sending them; None where the settings allow it to none.

    ``claim_headers`` are those by which subgraphs are told what a token says.

    ``observed`` takes note of the operations over WebSocket; None where the settings ask for nothing of the kind.

    ``mutations`` grows with each mutation that is answered, with each part of one where it is answered in parts.
    """

    def __init__(
        self,
        config: RouterConfig,
        telemetry: Telemetry,
        subscriptions: SubscriptionHub,
        graph: Graph | None = None,
        documents: PersistedDocuments | None = None,
    ) -> None:
        """InputError as Gate."""
        self.graph = graph
        self.documents = documents
        self.subscriptions = subscriptions
        self.mutations = 0
        self.observed: ObservedOperations | None = None
        self.claim_headers = claim_headers(config)
        self._timeout_s = config.graphql.timeout_s
        self.gate = Gate(config, telemetry)
        self._has_introspection = config.has_introspection
        self._inspection_scope = config.authorization.inspection_scope
        self._defers = config.defer.enabled
        self._telemetry = telemetry

    def one_batch(self) -> AbstractContextManager[None]:
        """While it is entered, the operations that are run are those of one batch."""
        return nullcontext()

    def served_graph(self) -> Graph:
        """The graph that is served now. RequestError: NOT_READY."""
        if self.graph is None:
            raise RequestError(503, "NOT_READY", "No supergraph is loaded yet. Try again.", {"retry-after": "1"})
        return self.graph

    def known_operation(self, request: GraphQLRequest, caller: Caller) -> tuple[Graph, CompiledOperation] | None:
        """As ``compiled_operation``, at once, where it is compiled and the same for everybody; None where it is not."""
        graph = self.graph
        if graph is None:
            return None
        active_labels, known = graph.active_labels, graph.operations.known
        compiled = known((request.query, request.operation_name, active_labels(), None))
        if type(compiled) is not CompiledOperation or compiled.projection.introspection is not None:
            return None
        return graph, compiled

    async def compiled_operation(self, request: GraphQLRequest, caller: Caller) -> tuple[Graph, CompiledOperation]:
        """The graph that is served now, and the operation compiled for it and for who sent it.

        RequestError: NOT_READY. OperationError: INTROSPECTION_DISABLED, UNAUTHORIZED_FIELD_OR_TYPE, and where it cannot
        be compiled.
        """
        graph = self.served_graph()
        compiled = graph.operations.known((request.query, request.operation_name, graph.active_labels(), None))
        if type(compiled) is not CompiledOperation:
            if compiled is None:
                self.missed()
            compiled = await self.gate.open(graph, request.query, request.operation_name, caller.requester)
        if (
            compiled.projection.introspection is not None
            and not self._has_introspection
            and self._inspection_scope not in caller.requester.scopes
        ):
            message = "Introspection is disabled. Set graphql.introspection in router.yaml to allow it."
            raise OperationError("INTROSPECTION_DISABLED", message)
        return graph, compiled

    def run(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> Coroutine[Any, Any, ProjectedResult]:
        """The result of a query or mutation that was received at ``started``. OperationError: BAD_USER_INPUT.

        A subscription is refused with SUBSCRIPTIONS_NOT_SUPPORTED: it has more than one result.
        """
        refuse_subscription(compiled)
        return self.run_coerced(graph, compiled, compiled.coerce(request.variables), request, caller, started)

    async def run_coerced(
        self,
        graph: Graph,
        compiled: CompiledOperation,
        variables: Mapping[str, object],
        request: GraphQLRequest,
        caller: Caller,
        started: float,
    ) -> ProjectedResult:
        """The result of an operation that may run, with its coerced ``variables``."""
        context = self._context(graph, request, caller, started)
        try:
            result = await execute(compiled.executable, variables, context)
        finally:
            if compiled.operation.kind is _MUTATION:
                self.mutations += 1
        if graph.errors is not None:
            result = graph.errors.in_result(result)
        return self.project(compiled, result, variables)

    def project(
        self, compiled: CompiledOperation, result: ExecutionResult, variables: Mapping[str, object]
    ) -> ProjectedResult:
        """What the client gets of what execution has merged."""
        return compiled.projection(result.data, result.errors, variables, result.look_for_absent)

    def missed(self) -> None:
        """An operation is about to be compiled: nobody here counts it."""

    async def tell(self, error: Exception | FieldError) -> None:
        """An error is about to be answered, in place of a result or in one: nobody here looks at it."""

    def _context(self, graph: Graph, request: GraphQLRequest, caller: Caller, started: float) -> ExecutionContext:
        # By position, in the order of the class: by name it takes almost twice as long.
        return ExecutionContext(
            graph.client,
            caller.headers,
            started + self._timeout_s,
            graph.timeouts_s,
            graph.decode,
            self._telemetry,
            request.has_files,
        )

    async def run_in_parts(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> DeferredAnswer | None:
        """The parts of the answer to a request that was received at ``started``; None where nothing is deferred in it.

        OperationError: BAD_USER_INPUT, and where it cannot be planned so.
        """
        if not self._may_defer(compiled):
            return None
        variables = compiled.coerce(request.variables)
        deferral = await self._deferral(graph, compiled, request, variables)
        if deferral is None:
            return None
        context = self._context(graph, request, caller, started)

        async def execute_and_count(deliver: Deliver) -> None:
            def delivered(part: int, result: ExecutionResult) -> None:
                self.mutations += compiled.operation.kind is _MUTATION
                deliver(part, result)

            await execute_in_parts(deferral.executable, variables, context, delivered)

        run = execute_and_count if graph.errors is None else graph.errors.presenting(execute_and_count)
        return DeferredAnswer(deferral, variables, run)

    async def plan(self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest) -> QueryPlan:
        """The plan by which ``request`` is answered, in parts where it may be.

        OperationError: BAD_USER_INPUT where variables decide what is deferred, and where it cannot be planned so.
        """
        if not self._may_defer(compiled):
            return compiled.plan
        variables = compiled.coerce(request.variables) if compiled.operation.deferral_variables else {}
        deferral = await self._deferral(graph, compiled, request, variables)
        return deferral.plan if deferral is not None else compiled.plan

    def _may_defer(self, compiled: CompiledOperation) -> bool:
        """Whether the operation has deferred fragments that count."""
        if compiled.operation.deferral_variables is None or compiled.operation.kind is _SUBSCRIPTION:
            return False
        return self._defers

    async def _deferral(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, variables: Mapping[str, object]
    ) -> CompiledDeferral | None:
        names = compiled.operation.deferral_variables or ()
        values = tuple((name, variables[name]) for name in names if name in variables)
        labels, denied = graph.active_labels(), compiled.denied or NOTHING_DENIED
        key = DeferralKey(request.query, request.operation_name, labels, values, denied)
        deferral = await graph.deferrals.compiled(key)
        return deferral if isinstance(deferral, CompiledDeferral) else None

    def subscribe(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller
    ) -> Subscriber:
        """The results of a subscription; the subscriber must be closed afterwards. OperationError as the hub says."""
        return self.subscriptions.subscribe(graph, request, compiled, caller)


def refuse_subscription(compiled: CompiledOperation) -> None:
    """OperationError (SUBSCRIPTIONS_NOT_SUPPORTED) for what has more than one result."""
    if compiled.operation.kind is _SUBSCRIPTION:
        message = (
            "A subscription is answered with a stream: send it with the header 'accept: text/event-stream' "
            "or 'accept: multipart/mixed;subscriptionSpec=1.0', or over a WebSocket."
        )
        raise OperationError("SUBSCRIPTIONS_NOT_SUPPORTED", message)
