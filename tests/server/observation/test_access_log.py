"""Lines of the access log reach stdout in their order, in few writes, and none is lost at the end."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from router.server.config.telemetry import TelemetrySettings
from router.server.http.exchange import Exchange, Heads
from router.server.http.header_section import HeaderSections
from router.server.observation.access_log import AccessLog, LinesToStdout, logger
from router.server.observation.request_trace import begin_trace


class Pipe(io.BytesIO):
    """A stdout that counts its writes, and takes none once it is ``gone``."""

    writes = 0
    gone = False

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if self.gone:
            raise BrokenPipeError("nobody reads")
        self.writes += 1
        return super().write(data)


@pytest.mark.asyncio
async def test_lines_of_one_round_are_written_at_once_and_in_order() -> None:
    pipe = Pipe()
    lines = LinesToStdout(pipe)
    for number in range(3):
        lines.write(partial(bytes.__mod__, b"%d", number))
    assert pipe.getvalue() == b""
    await asyncio.sleep(0)
    assert (pipe.getvalue(), pipe.writes) == (b"0\n1\n2\n", 1)
    lines.write(lambda: b"3")
    await asyncio.sleep(0)
    assert pipe.getvalue() == b"0\n1\n2\n3\n"


@pytest.mark.asyncio
async def test_no_more_than_a_thousand_lines_wait() -> None:
    pipe = Pipe()
    lines = LinesToStdout(pipe)
    for number in range(1500):
        lines.write(partial(bytes.__mod__, b"%d", number))
    assert (pipe.writes, pipe.getvalue().count(b"\n")) == (1, 1000)
    await asyncio.sleep(0)
    assert pipe.getvalue() == b"".join(b"%d\n" % number for number in range(1500))


@pytest.mark.asyncio
async def test_what_waits_when_the_process_ends_is_written_then() -> None:
    pipe = Pipe()
    lines = LinesToStdout(pipe)
    lines.write(lambda: b"last")
    lines.flush()
    assert pipe.getvalue() == b"last\n"


@pytest.mark.asyncio
async def test_a_stdout_that_nobody_reads_stops_no_request_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    pipe = Pipe()
    lines = LinesToStdout(pipe)
    pipe.gone = True
    with caplog.at_level(logging.ERROR, "galleria.router"):
        for _ in range(2):
            lines.write(lambda: b"lost")
            await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records] == ["the access log cannot be written: nobody reads"]
    pipe.gone = False
    lines.write(lambda: b"found")
    await asyncio.sleep(0)
    assert pipe.getvalue() == b"found\n"


def line_of(headers: list[tuple[bytes, bytes]], caplog: pytest.LogCaptureFixture) -> dict[str, object]:
    """The line of a request with these headers, as it is told to a host's own log."""
    log = AccessLog(TelemetrySettings(access_log=True))
    exchange = Exchange({"type": "http", "method": "POST", "headers": headers}, nowhere, Heads(), HeaderSections())
    with caplog.at_level(logging.INFO, "galleria.access"):
        log.begin(exchange)
        exchange.trace = begin_trace(exchange.fields)
        exchange.status, exchange.sent_bytes = 200, 12
        log.end(exchange)
    line: dict[str, object] = json.loads(caplog.records[-1].getMessage())
    return line


async def nowhere(_: object) -> None:
    """Nothing is sent here."""


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"shop-web", "shop-web"),
        (b'a"b\\c\x01', 'a"b\\c\x01'),
        (b'x","status":500,"y":"', 'x","status":500,"y":"'),
        (b"w\xc3\xa9b", "w\ufffd\ufffdb"),
        (b"%s %d", "%s %d"),
        (b"n" * 300, "n" * 100),
    ],
)
def test_whatever_a_client_calls_itself_is_text_of_its_own_member(
    sent: bytes, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    line = line_of(
        [(b"apollographql-client-name", sent), (b"apollographql-client-version", sent), (b"x-request-id", sent)], caplog
    )
    assert (line["client"], line["client_version"], line["status"], line["bytes"]) == (told, told, 200, 12)
    assert line["request"] == "shop-web" if sent == b"shop-web" else re.fullmatch("[0-9a-f]{16}", str(line["request"]))


def test_a_line_has_the_members_that_there_is_something_to_say_of(caplog: pytest.LogCaptureFixture) -> None:
    line = line_of([(b"apollographql-client-name", b"")], caplog)
    assert line.keys() == {"time", "method", "status", "ms", "bytes", "request", "trace"}


def test_a_line_tells_when_the_answer_ended_and_not_when_it_is_written() -> None:
    log = AccessLog(TelemetrySettings(access_log=True))
    exchange = Exchange({"type": "http", "method": "POST", "headers": []}, nowhere, Heads(), HeaderSections())
    pipe = io.BytesIO()
    lines = LinesToStdout(pipe)
    logger.addHandler(lines)
    try:
        asyncio.run(ended(log, exchange, lines))
    finally:
        logger.removeHandler(lines)
    line = json.loads(pipe.getvalue())
    assert 1000 <= line["ms"] < 1100
    assert datetime.fromisoformat(line["time"]) < datetime.now(UTC) - timedelta(seconds=4.9)


async def ended(log: AccessLog, exchange: Exchange, lines: LinesToStdout) -> None:
    """A request that took a second, and ended five seconds before its line is written."""
    log.begin(exchange)
    exchange.began -= 1.0
    log.end(exchange)
    exchange.began -= 5.0
    exchange.ended -= 5.0
    lines.flush()
