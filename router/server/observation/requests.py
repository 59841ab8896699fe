"""An ASGI app around that which answers: it begins the record, and the spans, of each request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.execution.traffic.trace import TRACE_HEADERS
from router.server.config.telemetry import TelemetrySettings, TracingSettings
from router.server.observation.record import RECORD, RequestRecord
from router.server.observation.stage_durations import StageDurations
from router.server.request_trace import RequestTrace, begin_trace
from router.server.stages import OBSERVER

if TYPE_CHECKING:
    from router.server.observation.spans import SpanExport

FETCHES_HEADER = b"x-galleria-fetches"
_RATIO_ONE = 1 << 64


class ObservedRequests:
    """Lets ``app`` answer; its service finds the request's record in RECORD, and compilation in OBSERVER."""

    def __init__(self, app: ASGIApp, settings: TelemetrySettings, stages: StageDurations) -> None:
        self._app = app
        self._client_header = settings.client_name_header.encode()
        self._stages = stages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        record = self._record_of(scope["headers"])
        token, observer = RECORD.set(record), OBSERVER.set(record)
        try:
            await self.answer(record, scope, receive, send)
        finally:
            RECORD.reset(token)
            OBSERVER.reset(observer)

    async def answer(self, record: RequestRecord, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._app(scope, receive, send)

    def _record_of(self, headers: Iterable[tuple[bytes, bytes]]) -> RequestRecord:
        client, asks_for_fetches = b"", False
        for name, value in headers:
            if name == self._client_header:
                client = value
            elif name == FETCHES_HEADER:
                asks_for_fetches = value == b"1"
        return RequestRecord(client, asks_for_fetches, self._stages)


class TracedRequests(ObservedRequests):
    """ObservedRequests that have a trace, as RequestTracer gives them one; of those that are sampled, with spans."""

    def __init__(self, app: ASGIApp, settings: TelemetrySettings, stages: StageDurations, export: SpanExport) -> None:
        super().__init__(app, settings, stages)
        self._export = export
        self._sampler = Sampler(settings.tracing)

    async def answer(self, record: RequestRecord, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; its trace is in the scope's state as ``trace``."""
        trace = begin_trace(scope["headers"])
        if self._sampler.samples(trace):
            spans = record.spans = self._export.begin(trace, scope)
            headers = spans.headers
        else:
            spans, headers = None, trace.unsampled().headers
        scope.setdefault("state", {})["trace"] = trace
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"x-request-id", trace.request_id)]}
            await send(message)

        token = TRACE_HEADERS.set(headers)
        try:
            await self._app(scope, receive, send_on)
        finally:
            TRACE_HEADERS.reset(token)
            if spans is not None:
                spans.end(status)


class Sampler:
    """Decides of which traces spans are kept, from their ids alone: every router decides alike."""

    def __init__(self, settings: TracingSettings) -> None:
        self._parent_based = settings.parent_based
        self._bound = round(settings.ratio * _RATIO_ONE)

    def samples(self, trace: RequestTrace) -> bool:
        """Whether spans of ``trace`` are kept."""
        if self._parent_based and trace.parent_id is not None:
            return trace.is_sampled
        # As OpenTelemetry's TraceIdRatioBased sampler does: by the last 64 bits, which are random.
        return int(trace.trace_id[16:], 16) < self._bound
