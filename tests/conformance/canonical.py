"""An order-insensitive normal form of a supergraph's SDL, so that the outputs of two composers can be compared."""

from __future__ import annotations

import re
from typing import Any

from graphql import (
    GraphQLError,
    parse,
)
from graphql.utilities import ast_to_dict

_SETS = {"import", "graphs", "usedOverridden", "locations"}
_FIELD_SETS = {"requires", "provides", "key", "fields"}
_GRAPH = re.compile(r'^\s+(\w+) @join__graph\(name: "([^"]*)"', re.MULTILINE)
_MACHINERY = re.compile(r"(join__|link__|federation__)")


def canonical(sdl: str) -> str:
    """The whole document in normal form."""
    return "\n".join(sorted(map(_definition, _document(sdl)["definitions"])))


def body(sdl: str) -> str:
    """The normal form without schema definition, directive definitions and machinery types; graphs by subgraph name."""
    definitions = _document(_with_graph_names(sdl))["definitions"]
    kept = [
        d
        for d in definitions
        if d["kind"] not in {"directive_definition", "schema_definition"}
        and (d["name"]["value"] == "join__Graph" or not _MACHINERY.match(d["name"]["value"]))
    ]
    return "\n".join(sorted(map(_definition, kept)))


def _document(sdl: str) -> dict[str, Any]:
    document: dict[str, Any] = ast_to_dict(parse(sdl, no_location=True))
    return document


def _with_graph_names(sdl: str) -> str:
    """Rename the values of ``join__Graph`` after the subgraph that each stands for."""
    names = {value: "g_" + re.sub(r"\W", lambda m: f"_{ord(m[0]):x}", name) for value, name in _GRAPH.findall(sdl)}
    pattern = re.compile(r"(graph: |[\[ ,]|^  )(" + "|".join(map(re.escape, names)) + r")(?=[,)\] ])", re.MULTILINE)
    return pattern.sub(lambda m: m[1] + names[m[2]], sdl) if names else sdl


def _definition(node: dict[str, Any]) -> str:
    return repr(_normal(node))


def _normal(node: Any, argument: str = "", directive: str = "") -> Any:
    if isinstance(node, list):
        return [_normal(item) for item in node]
    if not isinstance(node, dict):
        return node
    kind = node["kind"]
    if kind == "string_value":
        text = node["value"]
        if directive.startswith("join__") and argument in _FIELD_SETS:
            text = _selection(text)
        return ("string", text)
    if kind == "list_value":
        values = [_normal(value) for value in node["values"]]
        return ("list", sorted(values, key=repr) if argument in _SETS else values)
    if kind == "object_value":
        return ("object", sorted(((f["name"]["value"], _normal(f["value"])) for f in node["fields"]), key=repr))
    if kind == "directive":
        name = node["name"]["value"]
        arguments = [
            (a["name"]["value"], _normal(a["value"], a["name"]["value"], name))
            for a in node["arguments"] or ()
            if not (name.startswith("join__") and a["value"]["kind"] == "null_value")
        ]
        return ("directive", name, sorted(arguments, key=repr))
    result = {}
    for key, value in node.items():
        if key == "description":
            result[key] = value["value"].strip() if value else None
        elif key in {
            "directives",
            "fields",
            "values",
            "arguments",
            "interfaces",
            "types",
            "operation_types",
            "locations",
        }:
            result[key] = sorted((_normal(item) for item in value or ()), key=repr)
        else:
            result[key] = _normal(value)
    return sorted(result.items())


def _selection(text: str) -> str:
    try:
        document = parse(f"{{{text}}}", no_location=True)
    except GraphQLError:
        return text
    return repr(_sorted_selections(ast_to_dict(document)["definitions"][0]["selection_set"]))


def _sorted_selections(node: dict[str, Any] | None) -> Any:
    if node is None:
        return None
    return sorted(
        (
            {
                **{k: v for k, v in selection.items() if k != "selection_set"},
                "selection_set": _sorted_selections(selection["selection_set"]),
            }
            for selection in node["selections"]
        ),
        key=repr,
    )
