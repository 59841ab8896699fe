"""One line of JSON for each GraphQL request: who asks how it went finds it by id, without what was asked or answered.

Operations, variables, tokens and bodies are never written: they hold what is nobody else's business.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import IO

from router.execution.json_numbers import encode
from router.server.config.telemetry import TelemetrySettings
from router.server.http.exchange import Exchange, Step

_MAX_NAME_BYTES = 100
_MOST_WAITING = 1000
_LINE = b'{"time":"%b","status":%d,"ms":%.2f,"bytes":%d,%b'
_IDS = b',"request":"%b","trace":"%b"}'

logger = logging.getLogger("galleria.access")
errors = logging.getLogger("galleria.router")


def open_access_log() -> None:
    """Write the lines to stdout, as they are; other logs stay where they are."""
    logger.handlers = [LinesToStdout(sys.stdout.buffer)]
    logger.propagate = False
    logger.setLevel(logging.INFO)


class LinesToStdout(logging.Handler):
    """Writes lines in their order, those of one round of the event loop at once.

    A system call for each line costs as much as making it, and ``logging`` twice as much. Lines are made when they are
    written, all in a row, which takes less than between all else that a request does. What waits when the process ends
    is written then, as logging.shutdown asks for it.
    """

    def __init__(self, stdout: IO[bytes]) -> None:
        super().__init__()
        self._stdout = stdout
        self._waiting: list[Callable[[], bytes]] = []
        self._is_broken = False

    def write(self, line: Callable[[], bytes]) -> None:
        """Write what ``line`` gives, by the end of this round of the loop."""
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
            self._stdout.write(b"\n".join([*[line() for line in lines], b""]))
            self._stdout.flush()
        except (OSError, ValueError) as error:
            if not self._is_broken:
                errors.error("the access log cannot be written: %s", error)
            self._is_broken = True

    def emit(self, record: logging.LogRecord) -> None:
        """Write what comes by way of the logger."""
        self.write(record.getMessage().encode)


class AccessLog(Step):
    """A step that writes a line for each request when its answer has ended."""

    def __init__(self, settings: TelemetrySettings) -> None:
        self._name_header = settings.client_name_header.encode()
        self._version_header = settings.client_version_header.encode()

    def begin(self, exchange: Exchange) -> None:
        """Remember when it came."""
        exchange.began = time.perf_counter()

    def end(self, exchange: Exchange) -> None:
        """Write the line."""
        exchange.ended = time.perf_counter()
        line = partial(self._line, exchange)
        for handler in logger.handlers:
            if type(handler) is LinesToStdout:
                handler.write(line)
                return
        logger.info(line().decode())  # The host's log, which has handlers of its own.

    def _line(self, exchange: Exchange) -> bytes:
        # The clock of the day is read when the line is made, which is a little later.
        ended_at = time.time() - (time.perf_counter() - exchange.ended)
        fields, trace = exchange.fields, exchange.trace
        told = _told_by_client(
            exchange.scope["method"],
            fields.get(self._name_header, b"")[:_MAX_NAME_BYTES],
            fields.get(self._version_header, b"")[:_MAX_NAME_BYTES],
        )
        line = _LINE % (
            written_time(ended_at),
            exchange.status,
            (exchange.ended - exchange.began) * 1000,
            exchange.sent_bytes,
            told,
        )
        # Ids hold nothing that JSON would escape: a client's are taken where they have that shape alone.
        return line + (_IDS % (trace.request_id, trace.trace_id) if trace is not None else b"}")


def written_time(seconds: float) -> bytes:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond below: ``2026-01-02T03:04:05.006+00:00``."""
    second, milliseconds = divmod(int(seconds * 1000), 1000)
    return b"%b.%03d+00:00" % (_written_second(second), milliseconds)


@lru_cache(maxsize=1)
def _written_second(second: int) -> bytes:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


@lru_cache(maxsize=256)
def _told_by_client(method: str, client: bytes, version: bytes) -> bytes:
    """The members of a line that few requests differ in: its method, and which client asks, as it says itself."""
    names = {"client": client, "client_version": version}
    told = {name: value.decode("ascii", "replace") for name, value in names.items() if value}
    return encode({"method": method, **told})[1:-1]
