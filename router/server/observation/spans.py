"""OpenTelemetry spans of sampled requests, sent as OTLP; imported only where the settings name a collector.

Needs the extra ``galleria[otel]``. A request that is not sampled never comes here. No span holds a document, a
variable, a header, a token or a message of an error: names, sizes, times and codes alone.
"""

from __future__ import annotations

import threading
import time
from functools import cached_property

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
)
from opentelemetry.util.types import AttributeValue
from starlette.types import Scope

from router.execution.subgraph_client import Headers
from router.operation.model import Operation
from router.server.config.telemetry import TracingSettings
from router.server.observation.record import FetchRecord
from router.server.observation.request_trace import RequestTrace
from router.server.operations.stages import Stage

_MAX_BATCH = 512
_SCHEDULE_MS = 1000
_MAX_NAME = 100
_FAILED = Status(StatusCode.ERROR)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class _TraceIds(RandomIdGenerator):
    """Ids of spans at random; a trace that begins here has the id that the request has in every log."""

    def __init__(self) -> None:
        self.next_trace_id = 0

    def generate_trace_id(self) -> int:
        """The id of the request whose first span is about to begin."""
        return self.next_trace_id


class SpanExport:
    """The way of spans to the collector; it begins with the first sampled request, in the process that serves it."""

    def __init__(self, settings: TracingSettings) -> None:
        self._settings = settings
        self._ids = _TraceIds()
        self._is_open = False

    @cached_property
    def _provider(self) -> TracerProvider:
        settings = self._settings
        exporter = OTLPSpanExporter(
            endpoint=f"{(settings.endpoint or '').rstrip('/')}/v1/traces", timeout=settings.timeout_s
        )
        # What is not sampled never comes here, whatever OTEL_TRACES_SAMPLER says.
        provider = TracerProvider(
            ALWAYS_ON,
            Resource.create({"service.name": settings.service_name}),
            shutdown_on_exit=False,
            id_generator=self._ids,
        )
        size = min(_MAX_BATCH, settings.max_queue)
        provider.add_span_processor(BatchSpanProcessor(exporter, settings.max_queue, _SCHEDULE_MS, size))
        self._is_open = True
        return provider

    @cached_property
    def _tracer(self) -> Tracer:
        return self._provider.get_tracer("galleria")

    def begin(self, request: RequestTrace, scope: Scope) -> RequestSpans:
        """The spans of a request, or of an operation over WebSocket, that has just come; they must be ended."""
        self._ids.next_trace_id = int(request.trace_id, 16)
        method, path = scope["method"], scope["path"]
        is_http = scope["type"] == "http"
        told = {"http.request.method": method} if is_http else {"network.protocol.name": "websocket"}
        server = self._tracer.start_span(f"{method} {path}", _parent_of(request), SpanKind.SERVER, told)
        server.set_attribute("url.path", path)
        return RequestSpans(self._tracer, request, server, is_http=is_http)

    def begin_event(self, event: RequestTrace, operation: Operation, subscription: bytes | None) -> RequestSpans:
        """The spans of an event of ``operation``, linked to the ``subscription``'s trace context."""
        self._ids.next_trace_id = int(event.trace_id, 16)
        links = [_link_to(subscription)] if subscription is not None else []
        span = self._tracer.start_span("graphql.event", Context(), SpanKind.CONSUMER, links=links)
        spans = RequestSpans(self._tracer, event, span, is_http=False)
        spans.name_operation(operation)
        return spans

    def close(self) -> threading.Thread | None:
        """Begin to send what waits, in a thread that keeps no process alive; None where nothing was ever sent."""
        if not self._is_open:
            return None
        closing = threading.Thread(target=self._provider.shutdown, name="galleria-spans", daemon=True)
        closing.start()
        return closing


class RequestSpans:
    """The spans of one request, operation or event: that of its own, and those of its stages and fetches below it."""

    def __init__(self, tracer: Tracer, request: RequestTrace, server: Span, *, is_http: bool) -> None:
        self._tracer = tracer
        self._is_http = is_http
        self._passed_on = request.headers[1:]
        # One clock for all: spans are told in nanoseconds since 1970, stages in seconds of perf_counter.
        self._began_ns = time.time_ns() - int(time.perf_counter() * 1e9)
        self._server = server
        server.set_attribute("galleria.request_id", request.request_id.decode())
        self._below_server = trace.set_span_in_context(self._server, Context())
        self._below_execution = self._below_server
        self._execution: Span | None = None

    @property
    def headers(self) -> Headers:
        """What continues the trace below the request itself."""
        return self._headers_of(self._server)

    def add_stage(self, stage: Stage, started: float, ended: float) -> None:
        """A stage that has passed; ``execute`` has its span already."""
        if stage == "execute":
            return
        span = self._tracer.start_span(f"graphql.{stage}", self._below_server, start_time=self._ns(started))
        span.end(self._ns(ended))

    def name_operation(self, operation: Operation) -> None:
        """Tell what the request has asked for; of several operations, the last."""
        self._server.set_attribute("graphql.operation.type", operation.kind.value)
        if operation.name is not None:
            self._server.set_attribute("graphql.operation.name", operation.name[:_MAX_NAME])

    def begin_execution(self, started: float) -> Span:
        """The span under which fetches are from now on; it must be ended."""
        span = self._tracer.start_span("graphql.execute", self._below_server, start_time=self._ns(started))
        self._below_execution = trace.set_span_in_context(span, Context())
        return span

    def end_execution(self, span: Span, ended: float, errors: int) -> None:
        """The data is there, with so many errors."""
        if errors:
            span.set_attribute("galleria.errors", errors)
            span.set_status(_FAILED)
        span.end(self._ns(ended))
        self._below_execution = self._below_server

    def begin_fetch(self, fetch: FetchRecord) -> tuple[Span, Headers]:
        """The span of a fetch, which must be ended, and what the subgraph continues the trace by."""
        attributes: dict[str, AttributeValue] = {
            "galleria.subgraph": fetch.subgraph,
            "http.request.body.size": fetch.request_bytes,
        }
        if fetch.operation_name is not None:
            attributes["graphql.operation.name"] = fetch.operation_name[:_MAX_NAME]
        if fetch.representations is not None:
            attributes["galleria.representations"] = fetch.representations
        name = f"fetch {fetch.subgraph}"
        started = self._ns(fetch.started)
        span = self._tracer.start_span(name, self._below_execution, SpanKind.CLIENT, attributes, start_time=started)
        return span, self._headers_of(span)

    def end_fetch(self, span: Span, fetch: FetchRecord) -> None:
        """The fetch is over."""
        if fetch.status is not None:
            span.set_attribute("http.response.status_code", fetch.status)
            span.set_attribute("http.response.body.size", fetch.response_bytes)
        if fetch.code is not None:
            span.set_attribute("error.type", fetch.code)
        if fetch.code is not None or (fetch.status or 0) >= 400:
            span.set_status(_FAILED)
        span.end(self._ns(fetch.ended))

    def end(self, status: int) -> None:
        """The answer is sent, or was given up (status 0)."""
        if status and self._is_http:
            self._server.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._server.set_status(_FAILED)
        self._server.end()

    def end_event(self, errors: int) -> None:
        """The event is answered, with so many errors."""
        if errors:
            self._server.set_attribute("galleria.errors", errors)
            self._server.set_status(_FAILED)
        self._server.end()

    def _ns(self, seconds: float) -> int:
        return self._began_ns + int(seconds * 1e9)

    def _headers_of(self, span: Span) -> Headers:
        own = span.get_span_context()
        traceparent = f"00-{own.trace_id:032x}-{own.span_id:016x}-01".encode()
        return ((b"traceparent", traceparent), *self._passed_on)


def _parent_of(request: RequestTrace) -> Context:
    """The sender's span; an empty context where the trace begins here."""
    if request.parent_id is None:
        return Context()
    context = SpanContext(int(request.trace_id, 16), int(request.parent_id, 16), is_remote=True, trace_flags=_SAMPLED)
    return trace.set_span_in_context(NonRecordingSpan(context), Context())


def _link_to(traceparent: bytes) -> Link:
    """A link to the span that a trace context of the router's own names."""
    _, trace_id, span_id, flags = traceparent.split(b"-")
    return Link(
        SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(int(flags, 16)))
    )
