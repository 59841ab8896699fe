"""One line of JSON for each GraphQL request: who asks how it went finds it by id, without what was asked or answered.

Operations, variables, tokens and bodies are never written: they hold what is nobody else's business.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO

from router.execution.json_numbers import encode
from router.server.config.telemetry import TelemetrySettings
from router.server.exchange import Exchange, Step

_MAX_NAME_BYTES = 100
_MOST_WAITING = 1000

logger = logging.getLogger("galleria.access")
errors = logging.getLogger("galleria.router")


def open_access_log() -> None:
    """Write the lines to stdout, as they are; other logs stay where they are."""
    logger.handlers = [LinesToStdout(sys.stdout.buffer)]
    logger.propagate = False
    logger.setLevel(logging.INFO)


class LinesToStdout(logging.Handler):
    """Writes lines in their order, those of one round of the event loop at once.

    A system call for each line costs as much as making it, and ``logging`` twice as much. What waits when the process
    ends is written then, as logging.shutdown asks for it.
    """

    def __init__(self, stdout: IO[bytes]) -> None:
        super().__init__()
        self._stdout = stdout
        self._waiting: list[bytes] = []
        self._is_broken = False

    def write(self, line: bytes) -> None:
        """Write ``line`` by the end of this round of the loop."""
        waiting = self._waiting
        if not waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        waiting.append(line)
        if len(waiting) >= _MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what waits. Where nobody takes it, it is dropped; the router's log is told so once."""
        lines, self._waiting = self._waiting, []
        if not lines:
            return
        try:
            self._stdout.write(b"\n".join([*lines, b""]))
            self._stdout.flush()
        except (OSError, ValueError) as error:
            if not self._is_broken:
                errors.error("the access log cannot be written: %s", error)
            self._is_broken = True

    def emit(self, record: logging.LogRecord) -> None:
        """Write what comes by way of the logger."""
        self.write(record.getMessage().encode())


class AccessLog(Step):
    """A step that writes a line for each request when its answer has ended."""

    def __init__(self, settings: TelemetrySettings) -> None:
        self._client_headers = (
            (settings.client_name_header.encode(), "client"),
            (settings.client_version_header.encode(), "client_version"),
        )

    def begin(self, exchange: Exchange) -> None:
        """Remember when it came."""
        exchange.began = time.perf_counter()

    def end(self, exchange: Exchange) -> None:
        """Write the line."""
        line: dict[str, object] = {
            "time": written_time(time.time()),
            "method": exchange.scope["method"],
            "status": exchange.status,
            "ms": round((time.perf_counter() - exchange.began) * 1000, 2),
            "bytes": exchange.sent_bytes,
        }
        for header, name in self._client_headers:
            value = exchange.fields.get(header)
            if value is not None:
                # Which client asks, as it says itself.
                line[name] = value[:_MAX_NAME_BYTES].decode("ascii", "replace")
        trace = exchange.trace
        if trace is not None:
            line["request"], line["trace"] = trace.request_id.decode(), trace.trace_id.decode()
        _write(encode(line))


def written_time(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond below: ``2026-01-02T03:04:05.006+00:00``."""
    second, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{_written_second(second)}.{milliseconds:03d}+00:00"


@lru_cache(maxsize=1)
def _written_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _write(line: bytes) -> None:
    for handler in logger.handlers:
        if isinstance(handler, LinesToStdout):
            handler.write(line)
            return
    logger.info(line.decode())  # The host's log, which has handlers of its own.
