"""Telling subgraphs how long the router will wait, so that nobody works on what nobody waits for."""

from __future__ import annotations

from router.execution.subgraph_client import Headers, SubgraphRequest


class TimeoutTelling:
    """The HeaderStep that adds the milliseconds that are left, as the header ``name``."""

    def __init__(self, name: bytes) -> None:
        self._name = name

    def __call__(self, request: SubgraphRequest, _: Headers) -> Headers:
        """As HeaderStep says."""
        left_ms = int(request.timeout_s * 1000)
        return ((self._name, b"%d" % (left_ms if left_ms > 0 else 0)),)
