"""A line of the router's log, which nobody else can begin: what is told in it may be what a client wrote.

An error of a subgraph often repeats a value of the request. A line break in it would be the next line of the log, and
an escape sequence a command to the terminal of who reads it (CWE-117).
"""

from __future__ import annotations

import logging
import re

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_LINE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class LogLine(logging.Formatter):
    """Time, level, name and message in one line; the lines of a traceback behind it are indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line, with control characters as they are written in Python."""
        return _CONTROL.sub(_escaped, super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        """The traceback, whose last line is the message of the error."""
        text = _CONTROL_IN_LINE.sub(_escaped, super().formatException(ei))  # type: ignore[arg-type]  # logging's own
        return "  " + text.replace("\n", "\n  ")


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
