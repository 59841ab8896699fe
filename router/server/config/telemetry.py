"""Section ``telemetry``: what the router tells of each request."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from router.server.config.bearer_secret import BearerSecret
from router.server.config.section import Section

Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
# Empty where the variable that it is taken from is not set.
Endpoint = Annotated[Url | None, BeforeValidator(lambda value: value or None)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$", to_lower=True)]


class TracingSettings(Section):
    """Spans, sent as OTLP over HTTP to the collector at ``endpoint``; without it there are none.

    Of the traces that begin here, ``ratio`` are sampled. With ``parent_based`` the sender of a trace context decides
    for its own. Beyond ``max_queue`` spans that wait to be sent, new ones are dropped.
    """

    endpoint: Endpoint = None
    service_name: str = Field("galleria-router", min_length=1)
    ratio: float = Field(1.0, ge=0, le=1)
    parent_based: bool = True
    max_queue: int = Field(2048, ge=1)
    timeout_s: float = Field(5.0, gt=0)


class MetricsSettings(Section):
    """``operations``: operations are counted by name and client, and the stages that they pass are measured.

    ``max_operations`` and ``max_clients`` are how many names have figures of their own; all others are one. With a
    ``secret`` they are told to whoever says it, else to everybody.
    """

    operations: bool = False
    max_operations: int = Field(50, ge=1, le=1000)
    max_clients: int = Field(10, ge=1, le=1000)
    secret: BearerSecret | None = Field(None, repr=False)


class TelemetrySettings(Section):
    """``trace_context``: each request has an id and a W3C trace context, which its fetches bear too.

    ``access_log``: a line of JSON on stdout for each request; it has the ids where ``trace_context`` is on. Clients say
    their names in ``client_name_header``.

    ``explain``: who may inspect is told the plan and the fetches of an answer, when they ask. Left out: where anybody
    may inspect.
    """

    trace_context: bool = False
    access_log: bool = False
    explain: bool | None = None
    client_name_header: HeaderName = "apollographql-client-name"
    client_version_header: HeaderName = "apollographql-client-version"
    tracing: TracingSettings = TracingSettings()
    metrics: MetricsSettings = MetricsSettings()

    @property
    def has_trace(self) -> bool:
        """Whether requests have a trace context: where they are traced too."""
        return self.trace_context or self.tracing.endpoint is not None
