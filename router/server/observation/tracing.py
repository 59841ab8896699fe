"""Steps that give each request a trace; of those that are sampled, with spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.execution.traffic.trace import TRACE_HEADERS
from router.server.config.telemetry import TracingSettings
from router.server.http.exchange import Exchange, Header, Step
from router.server.observation.request_trace import begin_trace

if TYPE_CHECKING:
    from router.server.observation.spans import SpanExport

_RATIO_ONE = 1 << 64
_AFTER_ALL_DIGITS = b"g"


class Tracing(Step):
    """Gives each request a trace, and its answer the header ``x-request-id``."""

    adds_own = True

    def begin(self, exchange: Exchange) -> None:
        """Begin the trace, or continue the sender's."""
        trace = exchange.trace = begin_trace(exchange.fields)
        TRACE_HEADERS.set(trace.headers)

    def head(self, exchange: Exchange, headers: list[Header]) -> None:
        """Tell the client the request's id."""
        if exchange.trace is not None:
            headers.append((b"x-request-id", exchange.trace.request_id))


class SampledTracing(Tracing):
    """Tracing with spans of those requests that are sampled; the others come to know no more than that they are not."""

    def __init__(self, settings: TracingSettings, export: SpanExport) -> None:
        self._export = export
        self._samples = Sampler(settings).samples

    def begin(self, exchange: Exchange) -> None:
        """Begin the trace, and its spans, or continue the sender's."""
        trace = exchange.trace = begin_trace(exchange.fields, self._samples)
        if trace.is_sampled:
            exchange.spans = self._export.begin(trace, exchange.scope)
            TRACE_HEADERS.set(exchange.spans.headers)
        else:
            TRACE_HEADERS.set(trace.headers)

    def end(self, exchange: Exchange) -> None:
        """End the spans."""
        if exchange.spans is not None:
            exchange.spans.end(exchange.status)


class Sampler:
    """Decides of which traces spans are kept, from their ids alone: every router decides alike."""

    def __init__(self, settings: TracingSettings) -> None:
        self._parent_based = settings.parent_based
        bound = round(settings.ratio * _RATIO_ONE)
        self._bound = b"%016x" % bound if bound < _RATIO_ONE else _AFTER_ALL_DIGITS

    def samples(self, trace_id: bytes, said: bool | None) -> bool:
        """Whether spans of a trace are kept; what its sender ``said`` of it, None where it begins here."""
        if said is not None and self._parent_based:
            return said
        # As OpenTelemetry's TraceIdRatioBased sampler does: by the last 64 bits, which are random. Of numbers that are
        # written alike, in lower case and so many digits, the text says which is less.
        return trace_id[16:] < self._bound
