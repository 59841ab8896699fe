"""Lines of the access log reach stdout in their order, in few writes, and none is lost at the end."""

from __future__ import annotations

import asyncio
import io
import logging
from functools import partial

import pytest

from router.server.access_log import LinesToStdout


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
