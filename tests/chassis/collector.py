"""An OTLP collector over HTTP: takes traces as the protocol's protobuf, and keeps the spans."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TRACES = ("/v1/traces", "application/x-protobuf")


@dataclass
class Collector:
    """Where it listens, the (path, content type) of each request, and (service, span) of each span that came."""

    endpoint: str
    requests: list[tuple[str, str]] = field(default_factory=list)
    spans: list[tuple[str, Span]] = field(default_factory=list)

    def take(self, path: str, content_type: str, body: bytes) -> None:
        """Keep what a request brings; raises DecodeError for a body that is no ExportTraceServiceRequest."""
        self.requests.append((path, content_type))
        for traces in ExportTraceServiceRequest.FromString(body).resource_spans:
            attributes = {each.key: each.value.string_value for each in traces.resource.attributes}
            spans = (span for scope in traces.scope_spans for span in scope.spans)
            self.spans += [(attributes["service.name"], span) for span in spans]


@contextmanager
def running_collector() -> Iterator[Collector]:
    """A collector on a free port, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.take(self.path, self.headers["content-type"], body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        yield collector
        server.shutdown()
