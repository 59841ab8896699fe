"""Section ``telemetry``: what the router tells of each request."""

from __future__ import annotations

from router.server.config.section import Section


class TelemetrySettings(Section):
    """``trace_context``: each request has an id and a W3C trace context, which its fetches bear too.

    ``access_log``: a line of JSON on stdout for each request; it has the ids where ``trace_context`` is on.
    """

    trace_context: bool = False
    access_log: bool = False
