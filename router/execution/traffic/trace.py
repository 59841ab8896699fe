"""Telling subgraphs to which request a fetch belongs.

The headers are those of the request under way in this task, and no part of what makes two queries the same: a fetch
that several requests share bears those of the first.
"""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

from router.execution.subgraph_client import Headers, SubgraphClient, SubgraphRequest, SubgraphResponse, with_headers

TRACE_HEADERS: ContextVar[Headers] = ContextVar("trace_headers", default=())


class TracingClient:
    """A SubgraphClient that adds the trace's headers to what it sends by ``inner``."""

    def __init__(self, inner: SubgraphClient) -> None:
        self._inner = inner

    def send(self, request: SubgraphRequest) -> Coroutine[Any, Any, SubgraphResponse]:
        """As the protocol says."""
        return self._inner.send(with_headers(request, request.headers + TRACE_HEADERS.get()))

    async def close(self) -> None:
        """As the protocol says."""
        await self._inner.close()
