"""Events of subscriptions: each is a trace of its own with a link to the subscription's, whose request id it keeps.

A subscription may last for days, and each of its events is executed once for all who follow it: as spans of the first
subscriber's request they would be a trace without an end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from router.execution.subgraph_client import SubgraphClient
from router.execution.traffic.trace import TRACE_HEADERS
from router.operation.model import Operation
from router.server.config.telemetry import TracingSettings
from router.server.observation.fetches import RecordingClient
from router.server.observation.request_trace import begin_trace
from router.server.observation.tracing import Sampler

if TYPE_CHECKING:
    from router.server.observation.spans import SpanExport


class ObservedEvent:
    """An event that is executed by ``client``, with so many ``errors`` in its answer."""

    __slots__ = ("client", "errors")

    def __init__(self, client: SubgraphClient) -> None:
        self.client = client
        self.errors = 0


class ObservedEvents:
    """Gives each event a trace; of those that are sampled, with spans, where there is an ``export``."""

    def __init__(self, settings: TracingSettings, export: SpanExport | None) -> None:
        self._export = export
        self._samples = Sampler(settings).samples if export is not None else None

    @contextmanager
    def event(self, operation: Operation, client: SubgraphClient) -> Iterator[ObservedEvent]:
        """While it is entered, an event of the subscription ``operation`` is answered; ``client`` is the way to fetch.

        To be entered in the subscription's task, which knows the trace that it was begun in.
        """
        subscription = dict(TRACE_HEADERS.get())
        request_id = subscription.get(b"x-request-id")
        trace = begin_trace({b"x-request-id": request_id} if request_id is not None else {}, self._samples)
        event, spans, headers = ObservedEvent(client), None, trace.headers
        if self._export is not None and trace.is_sampled:
            spans = self._export.begin_event(trace, operation, subscription.get(b"traceparent"))
            event.client, headers = RecordingClient(client, spans), spans.headers
        token = TRACE_HEADERS.set(headers)
        try:
            yield event
        finally:
            TRACE_HEADERS.reset(token)
            if spans is not None:
                spans.end_event(event.errors)
