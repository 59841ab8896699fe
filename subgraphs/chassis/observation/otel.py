"""OpenTelemetry spans, exported over OTLP; imported only where OTEL_EXPORTER_OTLP_ENDPOINT is set.

Needs the extra ``galleria[otel]``. Without it, and without the variable, nothing of this costs anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from subgraphs.chassis.observation.tracing import CURRENT, Kind, Span, current

# What opens a connection, in whichever request is the first to find all others in use.
OF_A_CONNECTION = frozenset({"saslStart", "saslContinue", "authenticate"})
KINDS: Mapping[Kind, SpanKind] = {"server": SpanKind.SERVER, "consumer": SpanKind.CONSUMER}


def otlp_tracer(service: str, endpoint: str) -> OtelTracer:
    """A tracer that sends to the collector at ``endpoint``, such as ``http://collector:4318``."""
    return OtelTracer(service, OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))


class OtelTracer:
    """Implements :class:`subgraphs.chassis.observation.tracing.Tracer`."""

    def __init__(self, service: str, exporter: SpanExporter) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self._provider.get_tracer("galleria")

    @contextmanager
    def span(self, name: str, kind: Kind, parent: Span | None, attributes: Mapping[str, str]) -> Iterator[Span]:
        """See :class:`Tracer`; an exception that leaves the span marks it as failed."""
        with self.tracer.start_as_current_span(
            name, context_of(parent), KINDS[kind], attributes, record_exception=False
        ) as otel:
            context = otel.get_span_context()
            span = Span(f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags.sampled)
            with current(span):
                yield span

    def close(self) -> None:
        """See :class:`Tracer`."""
        self._provider.shutdown()


class MongoSpans(CommandListener):
    """A span for each database command that a request or a handler sends; called from the driver's threads."""

    def __init__(self, tracer: OtelTracer) -> None:
        self._tracer = tracer.tracer
        self._open: dict[int, trace.Span] = {}

    def started(self, event: CommandStartedEvent) -> None:
        """Begin a span, without the command's values, which may be anyone's data."""
        parent = CURRENT.get()
        if parent is None or event.command_name in OF_A_CONNECTION:
            return
        attributes = {"db.system.name": "mongodb", "db.namespace": event.database_name}
        name = f"mongodb {event.command_name}"
        self._open[event.request_id] = self._tracer.start_span(name, context_of(parent), SpanKind.CLIENT, attributes)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """End the span."""
        self._end(event.request_id, StatusCode.UNSET)

    def failed(self, event: CommandFailedEvent) -> None:
        """End the span as failed."""
        self._end(event.request_id, StatusCode.ERROR)

    def _end(self, request_id: int, code: StatusCode) -> None:
        span = self._open.pop(request_id, None)
        if span is not None:
            span.set_status(Status(code))
            span.end()


def context_of(parent: Span | None) -> Context:
    """``parent`` as OpenTelemetry's context; an empty one begins a trace."""
    if parent is None:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT)
    context = SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(context), Context())
