"""One line of JSON for each GraphQL request: who asks how it went finds it by id, without what was asked or answered.

Operations, variables, tokens and bodies are never written: they hold what is nobody else's business.
"""

from __future__ import annotations

import logging
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.execution.json_numbers import encode
from router.server.config.telemetry import TelemetrySettings
from router.server.request_trace import RequestTrace

_MAX_NAME_BYTES = 100

logger = logging.getLogger("galleria.access")


def open_access_log() -> None:
    """Write the lines to stdout, as they are; other logs stay where they are."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)


class AccessLog:
    """An ASGI app that writes a line for each request of ``app`` when its answer has ended."""

    def __init__(self, app: ASGIApp, settings: TelemetrySettings) -> None:
        self._app = app
        self._client_headers = {
            settings.client_name_header.encode(): "client",
            settings.client_version_header.encode(): "client_version",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        started = time.perf_counter()
        status = 0
        sent_bytes = 0

        async def send_on(message: Message) -> None:
            nonlocal status, sent_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                sent_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        finally:
            line: dict[str, object] = {
                "time": written_time(time.time()),
                "method": scope["method"],
                "status": status,
                "ms": round((time.perf_counter() - started) * 1000, 2),
                "bytes": sent_bytes,
                **self._client(scope),
            }
            trace = scope.get("state", {}).get("trace")
            if isinstance(trace, RequestTrace):
                line |= {"request": trace.request_id.decode(), "trace": trace.trace_id.decode()}
            _write(encode(line).decode())

    def _client(self, scope: Scope) -> dict[str, str]:
        """Which client asks, as it says itself."""
        return {
            self._client_headers[name]: value[:_MAX_NAME_BYTES].decode("ascii", "replace")
            for name, value in scope["headers"]
            if name in self._client_headers
        }


def written_time(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond below: ``2026-01-02T03:04:05.006+00:00``."""
    whole, fraction = divmod(seconds, 1)
    return f"{_written_second(int(whole))}.{int(fraction * 1000):03d}+00:00"


@lru_cache(maxsize=1)
def _written_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _write(line: str) -> None:
    """As ``logger.info``, without looking for the place in the code, which no line tells."""
    if logger.isEnabledFor(logging.INFO):
        logger.handle(logger.makeRecord(logger.name, logging.INFO, __file__, 0, line, (), None))
