"""A query plan as JSON for tools: the dataclasses of :mod:`router.planning.query_plan`, field by field."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from router.planning.query_plan import DeferredPart, Fetch, QueryPlan


def plan_to_json(plan: QueryPlan) -> dict[str, Any]:
    """``{"kind": "query", "fetches": [{"id": 0, "subgraph": ...}]}``; absent and empty parts are left out,
    and so is what would be asked if inputs failed (``by_need``).

    Where fragments are deferred, ``primary`` and each of ``deferred`` name the fetches of their part by id.
    """
    written: dict[str, Any] = {"kind": plan.kind.value, "fetches": [_fetch(fetch) for fetch in plan.fetches]}
    if plan.deferred:
        written["primary"] = {"fetches": _ids(plan, 0)}
        written["deferred"] = [_deferred(plan, part) for part in plan.deferred]
    return written


def _fetch(fetch: Fetch) -> dict[str, Any]:
    return {name: value for name, value in _plain(fetch).items() if name != "part"}


def _deferred(plan: QueryPlan, part: DeferredPart) -> dict[str, Any]:
    fragments = [{"label": usage.label, "path": list(usage.path)} for usage in part.usages]
    return {"part": part.number, "fragments": fragments, "after": list(part.after), "fetches": _ids(plan, part.number)}


def _ids(plan: QueryPlan, part: int) -> list[int]:
    return [fetch.id for fetch in plan.fetches if fetch.part == part]


def _plain(value: object) -> Any:
    if is_dataclass(value):
        named = ((field.name, getattr(value, field.name)) for field in fields(value) if field.name != "by_need")
        return {_camel(name): _plain(item) for name, item in named if item is not None and item != ()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
