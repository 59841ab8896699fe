"""A query plan as JSON for tools: the dataclasses of :mod:`router.planning.query_plan`, field by field."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from router.planning.query_plan import QueryPlan


def plan_to_json(plan: QueryPlan) -> dict[str, Any]:
    """``{"kind": "query", "fetches": [{"id": 0, "subgraph": ...}]}``; absent and empty parts are left out."""
    return {"kind": plan.kind.value, "fetches": [_plain(fetch) for fetch in plan.fetches]}


def _plain(value: object) -> Any:
    if is_dataclass(value):
        named = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {_camel(name): _plain(item) for name, item in named if item is not None and item != ()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
