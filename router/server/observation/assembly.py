"""What of observation the settings ask for, put in its place once: what is off is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from router.errors import InputError
from router.server.access_log import AccessLog
from router.server.config import INVALID_CONFIG, RouterConfig
from router.server.observation.requests import ObservedRequests, TracedRequests
from router.server.observation.service import ObservedHookedService, ObservedService
from router.server.plugins.operation_hooks import HookedService
from router.server.request_trace import RequestTracer
from router.server.service import GraphQLService
from router.server.telemetry import Telemetry

if TYPE_CHECKING:
    from router.server.observation.spans import SpanExport


def kind_of_service(config: RouterConfig, has_operation_hooks: bool) -> type[GraphQLService]:
    """The service that does what is asked for, and nothing else."""
    if _observes(config):
        return ObservedHookedService if has_operation_hooks else ObservedService
    return HookedService if has_operation_hooks else GraphQLService


def observed_http(app: ASGIApp, config: RouterConfig, telemetry: Telemetry, spans: SpanExport | None) -> ASGIApp:
    """``app`` with the access log, the trace and the record that the settings ask for."""
    settings = config.telemetry
    if settings.access_log:
        app = AccessLog(app, settings)
    if spans is not None:
        return TracedRequests(app, settings, telemetry.stages, spans, explains=config.explains)
    if _observes(config):
        app = ObservedRequests(app, settings, telemetry.stages, explains=config.explains)
    return RequestTracer(app) if settings.trace_context else app


def observed_websocket(app: ASGIApp, config: RouterConfig, telemetry: Telemetry) -> ASGIApp:
    """``app`` with a record for each connection, where the settings ask for it."""
    if not _observes(config):
        return app
    return ObservedRequests(app, config.telemetry, telemetry.stages, explains=config.explains)


def span_export(config: RouterConfig, before: RouterConfig | None, kept: SpanExport | None) -> SpanExport | None:
    """The way of spans: that which was ``kept``, with what waits in it, where its settings ``before`` are the same.

    InputError: INVALID_CONFIG where the packages are not installed.
    """
    settings = config.telemetry.tracing
    if before is not None and settings == before.telemetry.tracing:
        return kept
    if settings.endpoint is None:
        return None
    try:
        from router.server.observation.spans import SpanExport
    except ImportError as error:
        missing = f"spans need the extra galleria[otel]; it is not installed ({error.name})."
        raise InputError(INVALID_CONFIG, f"telemetry.tracing.endpoint: {missing}") from None
    return SpanExport(settings)


def _observes(config: RouterConfig) -> bool:
    """Whether something is noted of each request beyond its status and time."""
    settings = config.telemetry
    return settings.tracing.endpoint is not None or settings.metrics.operations or config.explains
