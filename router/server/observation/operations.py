"""Operations over WebSocket: what is noted of each is what is noted of a request over HTTP, by the same steps.

Each begins a trace of its own, or continues that of ``traceparent`` in the ``extensions`` of its payload: a connection
may last for days, and would be one trace without an end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.types import Scope

from router.server.http.exchange import Exchange, Heads, Step
from router.server.http.header_section import HeaderSections

METHOD = "WEBSOCKET"
_OF_THE_TRACE = ("traceparent", "tracestate", "x-request-id")
# What is longer was not made by who traces. It would be kept for as long as the operation lasts.
_MAX_VALUE_LENGTH = 1000
_NAMES = frozenset(name.encode() for name in _OF_THE_TRACE)


class ObservedOperations:
    """Calls the ``steps`` at the beginning of each operation and at its end, both in the operation's own task."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)
        self._heads, self._sections = Heads(), HeaderSections()

    def begin(self, scope: Scope, payload: Mapping[str, Any]) -> Exchange:
        """An operation with this ``payload`` has come, on the connection of ``scope``."""
        own = [header for header in scope["headers"] if header[0] not in _NAMES]
        headers = [*own, *_trace_in(payload.get("extensions"))]
        exchange = Exchange({**scope, "method": METHOD, "headers": headers}, _nowhere, self._heads, self._sections)
        for step in self._steps:
            step.begin(exchange)
        return exchange

    def end(self, exchange: Exchange) -> None:
        """Its last result has left, or it was given up."""
        for step in self._steps:
            step.end(exchange)


def _trace_in(extensions: object) -> list[tuple[bytes, bytes]]:
    if not isinstance(extensions, Mapping):
        return []
    said = [(name, extensions.get(name)) for name in _OF_THE_TRACE]
    return [(name.encode(), value.encode()) for name, value in said if isinstance(value, str) and _is_told(value)]


def _is_told(value: str) -> bool:
    return len(value) <= _MAX_VALUE_LENGTH and value.isascii()


async def _nowhere(_: object) -> None:
    """Messages of a WebSocket go their own way."""
