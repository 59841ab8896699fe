"""Where spans go: to an OTLP collector where the settings name one, else nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.monitoring import CommandListener

from subgraphs.chassis.errors import SettingsError
from subgraphs.chassis.observation.tracing import IdTracer, Tracer
from subgraphs.chassis.settings import ServiceSettings


def open_tracer(settings: ServiceSettings, service: str) -> tuple[Tracer, Sequence[CommandListener]]:
    """The tracer, and what listens to the database for it.

    Raises SettingsError where spans are asked for and the packages that export them are not installed.
    """
    endpoint = settings.otel_exporter_otlp_endpoint
    if not endpoint:
        return IdTracer(), ()
    try:
        from subgraphs.chassis.observation import otel
    except ImportError as error:
        raise SettingsError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT: traces need the extra galleria[otel]; it is not installed ({error.name})"
        ) from None
    tracer = otel.otlp_tracer(service, endpoint)
    return tracer, (otel.MongoSpans(tracer),)
