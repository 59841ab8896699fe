"""The event schemas that are committed beside each service, and the smallest and largest events that they allow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

Json = dict[str, Any]
SUBGRAPHS = Path(__file__).parent.parent.parent / "subgraphs"
FORMATS = FormatChecker(formats=())


@FormatChecker.checks(FORMATS, "date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    """Whether a string is a time with a zone."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def event_schemas() -> dict[str, tuple[str, Json]]:
    """(publishing service, schema) by event type."""
    files = sorted(SUBGRAPHS.glob("*/events/*.json"))
    return {
        file.name.removesuffix(".v1.json"): (file.parent.parent.name, json.loads(file.read_text())) for file in files
    }


def problems(schema: Json, cloud_event: object) -> list[str]:
    """Where an event is not as its schema says, or says more in its data than the schema tells of."""
    closed = {**schema, "properties": {**schema["properties"], "data": _closed(schema["properties"]["data"])}}
    closed["$defs"] = _closed(schema.get("$defs", {}))
    errors = Draft202012Validator(closed, format_checker=FORMATS).iter_errors(cloud_event)
    return [f"{error.json_path}: {error.message}" for error in errors]


def example(schema: Json, *, full: bool) -> Json:
    """An event that fits: with all that its schema tells of where ``full``, otherwise with what is required alone."""
    event: Json = _example(schema, schema.get("$defs", {}), full=full)
    return event


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    return {**closed, "additionalProperties": False} if node.get("type") == "object" else closed


def _example(node: Json, defs: Mapping[str, Json], *, full: bool) -> Any:
    node = _resolve(node, defs)
    if "const" in node:
        return node["const"]
    match node["type"]:
        case "object":
            names = node["properties"] if full else node["required"]
            return {name: _example(node["properties"][name], defs, full=full) for name in names}
        case "array":
            return [_example(node["items"], defs, full=full)]
        case "string":
            return _example_string(node)
        case "integer":
            return node.get("minimum", 0)
        case _:
            return True


def _example_string(node: Json) -> str:
    if node.get("format") == "date-time":
        return "2026-03-14T15:09:26.535Z"
    chosen: str = [*node.get("examples", ()), *node.get("enum", ()), "x"][0]
    return chosen


def _resolve(node: Json, defs: Mapping[str, Json]) -> Json:
    return defs[node["$ref"].removeprefix("#/$defs/")] if "$ref" in node else node
