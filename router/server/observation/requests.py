"""An ASGI app around that which answers: it begins the record, and the spans, of each request."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.execution.traffic.trace import TRACE_HEADERS
from router.server.config.telemetry import TelemetrySettings, TracingSettings
from router.server.observation.record import RECORD, RequestRecord
from router.server.observation.stage_durations import StageDurations
from router.server.request_trace import RequestTrace, begin_trace
from router.server.stages import OBSERVER

if TYPE_CHECKING:
    from router.server.observation.spans import RequestSpans, SpanExport

FETCHES_HEADER = b"x-galleria-fetches"
_RATIO_ONE = 1 << 64


class ObservedRequests:
    """Lets ``app`` answer; its service finds the request's record in RECORD, and compilation in OBSERVER.

    A request of which nothing is to be noted has no record, and costs no more than finding that out.
    """

    def __init__(self, app: ASGIApp, settings: TelemetrySettings, stages: StageDurations, *, explains: bool) -> None:
        self._app = app
        self._client_header = settings.client_name_header.encode()
        self._stages = stages
        self._notes_all = settings.metrics.operations
        self._reads_headers = self._notes_all or explains

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        await self.answer(self.record_of(scope["headers"]), scope, receive, send)

    async def answer(self, record: RequestRecord | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with its record."""
        if record is None:
            await self._app(scope, receive, send)
            return
        token, observer = RECORD.set(record), OBSERVER.set(record)
        try:
            await self._app(scope, receive, send)
        finally:
            RECORD.reset(token)
            OBSERVER.reset(observer)

    def record_of(
        self, headers: Iterable[tuple[bytes, bytes]], spans: RequestSpans | None = None
    ) -> RequestRecord | None:
        """The record of a request with these ``headers``; None where nothing is to be noted."""
        client, asks_for_fetches = b"", False
        for name, value in headers if self._reads_headers else ():
            if name == self._client_header:
                client = value
            elif name == FETCHES_HEADER:
                asks_for_fetches = value == b"1"
        if not (self._notes_all or asks_for_fetches or spans is not None):
            return None
        return RequestRecord(client, asks_for_fetches, self._stages, spans)


class TracedRequests(ObservedRequests):
    """ObservedRequests that have a trace, as RequestTracer gives them one; of those that are sampled, with spans."""

    def __init__(
        self, app: ASGIApp, settings: TelemetrySettings, stages: StageDurations, export: SpanExport, *, explains: bool
    ) -> None:
        super().__init__(app, settings, stages, explains=explains)
        self._export = export
        self._sampler = Sampler(settings.tracing)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says; the trace is in the scope's state as ``trace``."""
        trace = begin_trace(scope["headers"])
        spans = self._export.begin(trace, scope) if self._sampler.samples(trace) else None
        scope.setdefault("state", {})["trace"] = trace
        own_header = (b"x-request-id", trace.request_id)
        status = 0

        def send_on(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], own_header]}
            return send(message)

        token = TRACE_HEADERS.set(spans.headers if spans is not None else trace.unsampled_headers())
        try:
            await self.answer(self.record_of(scope["headers"], spans), scope, receive, send_on)
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
