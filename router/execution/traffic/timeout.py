"""Telling subgraphs how long the router will wait, so that nobody works on what nobody waits for."""

from __future__ import annotations

from router.execution.subgraph_client import Headers, SubgraphRequest


class TimeoutTelling:
    """The HeaderStep that adds the milliseconds that are left, as the header ``name``."""

    def __init__(self, name: bytes) -> None:
        self._name = name
        # Most requests have as many left as the one before.
        self._left_ms = 0
        self._told: Headers = ((name, b"0"),)

    def __call__(self, request: SubgraphRequest, _: Headers) -> Headers:
        """As HeaderStep says."""
        left_ms = int(request.timeout_s * 1000)
        if left_ms != self._left_ms:
            self._left_ms, self._told = left_ms, ((self._name, b"%d" % max(left_ms, 0)),)
        return self._told
