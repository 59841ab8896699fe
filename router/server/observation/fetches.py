"""The fetches of one observed operation: a SubgraphClient that notes each, and sends it with a span of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from router.execution.errors import SubgraphFailure
from router.execution.json_numbers import decode
from router.execution.subgraph_client import SubgraphClient, SubgraphRequest, SubgraphResponse
from router.execution.traffic.trace import TRACE_HEADERS
from router.server.observation.record import FetchRecord

if TYPE_CHECKING:
    from router.server.observation.spans import RequestSpans

GIVEN_UP = "GIVEN_UP"


class RecordingClient:
    """Sends by ``inner``; ``fetches`` are those of one operation, in the order in which they began."""

    def __init__(self, inner: SubgraphClient, spans: RequestSpans | None) -> None:
        self._inner = inner
        self._spans = spans
        self.fetches: list[FetchRecord] = []

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """As the protocol says."""
        fetch = _begun(request)
        self.fetches.append(fetch)
        if self._spans is None:
            return await self._send(request, fetch)
        span, headers = self._spans.begin_fetch(fetch)
        token = TRACE_HEADERS.set(headers)
        try:
            return await self._send(request, fetch)
        finally:
            TRACE_HEADERS.reset(token)
            self._spans.end_fetch(span, fetch)

    async def close(self) -> None:
        """As the protocol says."""
        await self._inner.close()

    async def _send(self, request: SubgraphRequest, fetch: FetchRecord) -> SubgraphResponse:
        fetch.code = GIVEN_UP
        try:
            response = await self._inner.send(request)
        except SubgraphFailure as failure:
            fetch.code = failure.code
            raise
        else:
            fetch.status, fetch.response_bytes, fetch.code = response.status, len(response.body), None
            return response
        finally:
            fetch.end()


def _begun(request: SubgraphRequest) -> FetchRecord:
    """What the body says of the fetch; it is one that the router has written."""
    sent = decode(request.body)
    return FetchRecord(
        subgraph=request.subgraph,
        document=sent["query"],
        operation_name=sent.get("operationName"),
        representations=_representations_in(sent.get("variables") or {}),
        request_bytes=len(request.body),
        started=time.perf_counter(),
    )


def _representations_in(variables: Mapping[str, Any]) -> int | None:
    """How many entities the lists of representations hold; None where there is no such list."""
    lists = [value for value in variables.values() if _is_representations(value)]
    return sum(map(len, lists)) if lists else None


def _is_representations(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "__typename" in value[0]
