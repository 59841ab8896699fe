"""Telling subgraphs how long the router will wait, so that nobody works on what nobody waits for."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from router.execution.subgraph_client import SubgraphClient, SubgraphRequest, SubgraphResponse, with_headers


class TimeoutTellingClient:
    """A SubgraphClient that sends by ``inner`` with the milliseconds that are left, in the header ``name``."""

    def __init__(self, inner: SubgraphClient, name: bytes) -> None:
        self._inner = inner
        self._name = name

    def send(self, request: SubgraphRequest) -> Coroutine[Any, Any, SubgraphResponse]:
        """As the protocol says."""
        left = (self._name, b"%d" % max(request.timeout_s * 1000, 0))
        return self._inner.send(with_headers(request, (*request.headers, left)))

    async def close(self) -> None:
        """As the protocol says."""
        await self._inner.close()
