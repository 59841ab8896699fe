"""What of observation the settings ask for, put in its place once: what is off is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.errors import InputError
from router.server.config import INVALID_CONFIG, RouterConfig
from router.server.http.exchange import Step
from router.server.metrics.telemetry import Telemetry
from router.server.observation.access_log import AccessLog
from router.server.observation.events import ObservedEvents
from router.server.observation.operations import ObservedOperations
from router.server.observation.requests import Recording
from router.server.observation.service import ObservedHookedService, ObservedService
from router.server.observation.tracing import SampledTracing, Tracing
from router.server.plugins.operation_hooks import HookedService
from router.server.service import GraphQLService

if TYPE_CHECKING:
    from router.server.observation.spans import SpanExport


def kind_of_service(config: RouterConfig, has_operation_hooks: bool) -> type[GraphQLService]:
    """The service that does what is asked for, and nothing else."""
    if _observes(config):
        return ObservedHookedService if has_operation_hooks else ObservedService
    return HookedService if has_operation_hooks else GraphQLService


def observing(config: RouterConfig, telemetry: Telemetry, spans: SpanExport | None) -> list[Step]:
    """The trace, the record and the access log of requests, as far as the settings ask for them."""
    settings = config.telemetry
    steps: list[Step] = []
    if spans is not None:
        steps.append(SampledTracing(settings.tracing, spans))
    elif settings.trace_context:
        steps.append(Tracing())
    if _observes(config):
        steps.append(Recording(settings, telemetry.stages, explains=config.explains))
    if settings.access_log:
        steps.append(AccessLog(settings))
    return steps


def observed_operations(
    config: RouterConfig, telemetry: Telemetry, spans: SpanExport | None
) -> ObservedOperations | None:
    """What takes note of operations over WebSocket; None where the settings ask for nothing."""
    steps = observing(config, telemetry, spans)
    return ObservedOperations(steps) if steps else None


def observed_events(config: RouterConfig, spans: SpanExport | None) -> ObservedEvents | None:
    """What gives events of subscriptions their traces; None where requests have none."""
    return ObservedEvents(config.telemetry.tracing, spans) if config.telemetry.has_trace else None


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
