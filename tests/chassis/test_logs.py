"""A traceback in the log says where it broke, and not what the variables held."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging, structlog
from subgraphs.chassis.logs import configure_logs

def deliver(address):
    raise ValueError("no such street")

configure_logs({form!r}, "notes")
try:
    deliver("12 St James's Square")
except ValueError:
    structlog.get_logger().exception("not_delivered")
    logging.getLogger("library").exception("not delivered either")
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_has_no_values(form: str) -> None:
    command = [sys.executable, "-c", PROGRAM.format(form=form)]
    log = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr
    assert log.count("no such street") >= 2
    assert log.count("deliver") >= 2
    assert "St James" not in log
    if form == "json":
        lines = [json.loads(line) for line in log.splitlines()]
        assert [line["exception"][0]["exc_value"] for line in lines] == ["no such street", "no such street"]
