"""``galleria config schema``: the JSON Schema takes what the router takes, and refuses what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from router.commands.main import galleria

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def schema() -> Any:
    result = CliRunner().invoke(galleria, ["config", "schema"])
    assert result.exit_code == 0
    return json.loads(result.stdout)


def places(schema: Any, text: str) -> list[str]:
    """Where ``text`` is wrong."""
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(yaml.safe_load(text))]


def test_it_is_a_json_schema(schema: Any) -> None:
    Draft202012Validator.check_schema(schema)


def test_the_malls_own_configuration_is_valid_as_it_is_written(schema: Any) -> None:
    assert places(schema, (ROOT / "router.yaml").read_text()) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("explorers: {}", "$"),
        ("explorer: {enabeld: true}", "$.explorer"),
        ("server: {port: 70000}", "$.server.port"),
        ("server: {port: many}", "$.server.port"),
        ("subgraphs: {timeouts: {stock: soon}}", "$.subgraphs.timeouts.stock"),
        ("subgraphs: {subscriptions: {stock: {protocl: sse}}}", "$.subgraphs.subscriptions.stock"),
    ],
)
def test_what_the_router_refuses_is_no_instance(schema: Any, text: str, place: str) -> None:
    assert places(schema, text) == [place]


@pytest.mark.parametrize(
    "text",
    [
        "server: {port: '${PORT:-4000}'}",
        "batching: {enabled: '${BATCH}'}",
        "subgraphs: {timeouts: {stock: '${T}'}}",
        "environment: ${GALLERIA_ENV:-development}",
    ],
)
def test_a_variable_may_stand_for_any_value(schema: Any, text: str) -> None:
    assert places(schema, text) == []
