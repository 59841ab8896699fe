"""Nothing that is told in a line of the log begins another one, or speaks to the terminal of who reads it."""

from __future__ import annotations

import logging
import sys

import pytest

from router.server.processes.log_line import LogLine


def line(message: str, *args: object, exc_info: bool = False) -> str:
    error = sys.exc_info() if exc_info else None
    record = logging.LogRecord("galleria.router", logging.WARNING, "", 0, message, args, error)
    return LogLine().format(record).partition(" WARNING ")[2]


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ("two\nlines", r"two\nlines"),
        ("a\r\nb", r"a\r\nb"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("\x9b2J", r"\x9b2J"),
        ("a\u2028b\x85c", r"a\u2028b\x85c"),
        ("tab\tand ä", "tab\tand ä"),
    ],
)
def test_control_characters_are_written_out(told: str, written: str) -> None:
    assert line("error of %s", told) == f"galleria.router: error of {written}"


def test_a_traceback_keeps_its_lines_and_none_begins_at_the_margin() -> None:
    try:
        raise ValueError("x\n2026-01-01 00:00:00,000 INFO galleria.router: all is well\x1b[2J")
    except ValueError:
        first, *others = line("internal error", exc_info=True).split("\n")
    assert first == "galleria.router: internal error"
    assert others[0] == "  Traceback (most recent call last):"
    assert others[-2:] == [
        "  ValueError: x",
        r"  2026-01-01 00:00:00,000 INFO galleria.router: all is well\x1b[2J",
    ]
    assert all(one.startswith("  ") for one in others)
