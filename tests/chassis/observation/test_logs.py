"""A traceback in the log says where it broke, and not what the variables held."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from graphql import GraphQLError, OperationDefinitionNode, parse
from structlog.testing import capture_logs

from subgraphs.chassis.graphql.error_policy import present_error

PROGRAM = """
import logging, structlog, sys
from subgraphs.chassis.observation.logs import configure_logs

def deliver(address):
    raise ValueError("no such street")

configure_logs({form!r}, "notes")
try:
    deliver(sys.argv[1])
except ValueError:
    structlog.get_logger().exception("not_delivered")
    logging.getLogger("library").exception("not delivered either")
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_has_no_values(form: str) -> None:
    command = [sys.executable, "-c", PROGRAM.format(form=form), "12 St James's Square"]
    log = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr
    assert log.count("no such street") >= 2
    assert log.count("deliver") >= 2
    assert "St James" not in log
    if form == "json":
        lines = [json.loads(line) for line in log.splitlines()]
        assert [line["exception"][0]["exc_value"] for line in lines] == ["no such street", "no such street"]


def test_an_error_of_ours_is_logged_without_the_document() -> None:
    document = parse('{ me(password: "hunter2") }')
    definition = document.definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    nodes = definition.selection_set.selections
    error = GraphQLError("Cannot return null for non-nullable field Query.me.", nodes=list(nodes), path=["me"])
    assert "hunter2" in str(error)
    with capture_logs() as lines:
        told = present_error(error, executed=True)
    assert [line["error"] for line in lines] == ["Cannot return null for non-nullable field Query.me."]
    assert "hunter2" not in told.message
