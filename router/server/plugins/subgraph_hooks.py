"""``on_subgraph_request`` and ``on_subgraph_response``: a SubgraphClient around the way to the subgraphs.

It is outside of sharing, so that requests that a plugin made different are not sent once for all.
"""

from __future__ import annotations

from router.execution.errors import SubgraphFailure
from router.execution.subgraph_client import SubgraphClient, SubgraphRequest, SubgraphResponse
from router.server.plugins.hooks import failure_of
from router.server.plugins.plugin import CURRENT, Plugin


class HookedClient:
    """Sends by ``inner`` what the plugins of the request under way make of it."""

    def __init__(self, inner: SubgraphClient) -> None:
        self._inner = inner

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """As the protocol says. A plugin's refusal, or its failure (PLUGIN_FAILED), costs the fields of the fetch."""
        context = CURRENT.get(None)
        if context is None:
            return await self._inner.send(request)
        for plugin in context.hooks.on_subgraph_request:
            try:
                request = await plugin.on_subgraph_request(context, request)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a refusal, or masked
                raise _failure(plugin, "on_subgraph_request", error) from None
        response = await self._inner.send(request)
        for plugin in context.hooks.on_subgraph_response:
            try:
                response = await plugin.on_subgraph_response(context, request, response)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a refusal, or masked
                raise _failure(plugin, "on_subgraph_response", error) from None
        return response

    async def close(self) -> None:
        """As the protocol says."""
        await self._inner.close()


def _failure(plugin: Plugin, hook: str, error: Exception) -> SubgraphFailure:
    told = failure_of(plugin, hook, error)
    return SubgraphFailure(told.code, told.message)
