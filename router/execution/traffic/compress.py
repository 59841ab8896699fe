"""Requests to subgraphs that are compressed, for those that take them so."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any

from msgspec import structs

from router.content_coding import Coding, encode_content
from router.execution.subgraph_client import SubgraphClient, SubgraphRequest, SubgraphResponse


class CompressingClient:
    """A SubgraphClient that sends bodies of ``min_bytes`` or more by ``inner`` in the coding of their subgraph."""

    def __init__(self, inner: SubgraphClient, codings: Mapping[str, Coding], min_bytes: int, level: int) -> None:
        self._inner = inner
        self._codings = codings
        self._min_bytes = min_bytes
        self._level = level

    def send(self, request: SubgraphRequest) -> Coroutine[Any, Any, SubgraphResponse]:
        """As the protocol says."""
        coding = self._codings.get(request.subgraph)
        if coding is None or len(request.body) < self._min_bytes or request.files:
            return self._inner.send(request)
        body = encode_content(coding, request.body, self._level)
        headers = (*request.headers, (b"content-encoding", coding.encode()))
        return self._inner.send(structs.replace(request, body=body, headers=headers))

    async def close(self) -> None:
        """As the protocol says."""
        await self._inner.close()
