"""``on_operation``, ``on_plan`` and ``on_error``: the service with hooks around the steps of an operation."""

from __future__ import annotations

from functools import partial

from router.errors import OperationError
from router.field_error import FieldError
from router.response.projection import ProjectedResult
from router.server.access.caller import Caller
from router.server.deferred.answer import DeferredAnswer
from router.server.graphs.graph import Graph
from router.server.http.graphql_request import GraphQLRequest
from router.server.operations.compiled_operation import CompiledOperation
from router.server.plugins.hooks import failure_of
from router.server.plugins.plugin import CURRENT, Plugin, RequestContext
from router.server.service import GraphQLService


class HookedService(GraphQLService):
    """A GraphQLService whose operations the plugins of the request under way see, and may refuse."""

    def known_operation(self, request: GraphQLRequest, caller: Caller) -> tuple[Graph, CompiledOperation] | None:
        """As GraphQLService says: none, where plugins are to see the operation."""
        return None if CURRENT.get(None) is not None else super().known_operation(request, caller)

    async def compiled_operation(self, request: GraphQLRequest, caller: Caller) -> tuple[Graph, CompiledOperation]:
        """As GraphQLService says. OperationError with the plugin's code, or PLUGIN_FAILED, too."""
        context = CURRENT.get(None)
        if context is None:
            return await super().compiled_operation(request, caller)
        for plugin in context.hooks.on_operation:
            try:
                await plugin.on_operation(context, request)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a refusal, or masked
                raise _refusal(plugin, "on_operation", error) from None
        graph, compiled = await super().compiled_operation(request, caller)
        for plugin in context.hooks.on_plan:
            try:
                await plugin.on_plan(context, compiled.operation, compiled.plan)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a refusal, or masked
                raise _refusal(plugin, "on_plan", error) from None
        return graph, compiled

    async def run(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> ProjectedResult:
        """As GraphQLService says."""
        result = await super().run(graph, compiled, request, caller, started)
        context = CURRENT.get(None)
        if context is not None:
            for field_error in result.errors:
                await _tell(context, field_error)
        return result

    async def run_in_parts(
        self, graph: Graph, compiled: CompiledOperation, request: GraphQLRequest, caller: Caller, started: float
    ) -> DeferredAnswer | None:
        """As GraphQLService says; the plugins look at the errors of each part before it is delivered."""
        answer = await super().run_in_parts(graph, compiled, request, caller, started)
        context = CURRENT.get(None)
        if answer is not None and context is not None and context.hooks.on_error:
            answer.hear(partial(_tell, context))
        return answer

    async def tell(self, error: Exception | FieldError) -> None:
        """As GraphQLService says; the plugins of the request under way look at it."""
        context = CURRENT.get(None)
        if context is not None:
            await _tell(context, error)


async def _tell(context: RequestContext, error: Exception | FieldError) -> None:
    for plugin in context.hooks.on_error:
        try:
            await plugin.on_error(context, error)
        except Exception as failure:  # noqa: BLE001 - the answer is an error already
            failure_of(plugin, "on_error", failure)


def _refusal(plugin: Plugin, hook: str, error: Exception) -> OperationError:
    if isinstance(error, OperationError):
        return error
    told = failure_of(plugin, hook, error)
    return OperationError(told.code, told.message, http_status=told.status)
