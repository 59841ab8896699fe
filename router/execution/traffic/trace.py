"""Telling subgraphs to which request a fetch belongs.

The headers are those of the request under way in this task, and no part of what makes two queries the same: a fetch
that several requests share bears those of the first.
"""

from __future__ import annotations

from contextvars import ContextVar

from router.execution.subgraph_client import Headers, SubgraphRequest

# The headers that belong to a trace.
TRACE_NAMES = frozenset({b"traceparent", b"tracestate", b"x-request-id"})
TRACE_HEADERS: ContextVar[Headers] = ContextVar("trace_headers", default=())


def tell_trace(_: SubgraphRequest, __: Headers) -> Headers:
    """The HeaderStep that adds the trace's headers."""
    return TRACE_HEADERS.get()
