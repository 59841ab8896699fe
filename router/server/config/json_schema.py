"""The JSON Schema of router.yaml, for editors and for checks before a deployment.

Where a value is not a text, ``${NAME}`` and ``${NAME:-default}`` are valid too: the schema is of the file as it is
written, before environment variables are expanded.
"""

from __future__ import annotations

from typing import Any

from router.server.config.router_config import RouterConfig

JsonSchema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE: JsonSchema = {"type": "string", "pattern": r"\$\{"}


def config_schema() -> JsonSchema:
    """The schema of a whole router.yaml."""
    schema = RouterConfig.model_json_schema()
    definitions = {name: _with_variables(section) for name, section in schema.pop("$defs").items()}
    return {"$schema": _DIALECT, "title": "router.yaml", **_with_variables(schema), "$defs": definitions}


def _with_variables(schema: JsonSchema) -> JsonSchema:
    """``schema`` of an object, whose members may be variables."""
    if "properties" not in schema:
        return schema
    return {**schema, "properties": {name: _or_variable(value) for name, value in schema["properties"].items()}}


def _or_variable(schema: JsonSchema) -> JsonSchema:
    kept = {key: value for key, value in schema.items() if key in ("title", "description", "default")}
    rest = {key: value for key, value in schema.items() if key not in kept}
    if "$ref" in rest:
        return schema
    if rest.get("type") == "array":
        return {**kept, **rest, "items": _or_variable(rest["items"])}
    if isinstance(rest.get("additionalProperties"), dict):
        return {**kept, **rest, "additionalProperties": _or_variable(rest["additionalProperties"])}
    return {**kept, "anyOf": [*rest.get("anyOf", [rest]), _VARIABLE]}
