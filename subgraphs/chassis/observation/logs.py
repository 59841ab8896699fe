"""Structured logs on stderr: coloured text for people, JSON lines for machines."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

PROCESSORS: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def configure_logs(form: Literal["text", "json"], service: str, level: str = "info") -> None:
    """Send the logs of this process and its libraries to stderr in ``form``; every line names ``service``.

    ``level`` debug has a line for each request and each event; a request's lines have its ``request`` and ``trace``,
    an event's its ``event`` and the ``trace`` of the request that caused it.
    """
    structlog.contextvars.bind_contextvars(service=service)
    # Tracebacks without the values of variables: those are customers' addresses, and tokens.
    plain = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    last: list[Processor] = [plain]
    if form == "json":
        last = [TRACEBACKS, structlog.processors.JSONRenderer(serializer=_to_json)]
    structlog.configure(
        processors=[*PROCESSORS, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[_drop_record, *last], foreign_pre_chain=PROCESSORS)
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("opentelemetry.util.re").addFilter(_without_values)


def _without_values(record: logging.LogRecord) -> bool:
    """OpenTelemetry tells of a header in OTEL_EXPORTER_OTLP_HEADERS that is none: without it, which is a key."""
    record.args = ("(not told)",)
    return True


def _drop_record(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, name, event)


def _to_json(event: EventDict, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()
