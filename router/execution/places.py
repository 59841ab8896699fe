"""Walking the merged data to the objects at a path: without their client paths (every request), or with (errors only).

The path ``orders / lines / product`` over ``{"orders": [{"lines": [{"product": P}]}]}`` leads to ``P``, whose client
path is ``("orders", 0, "lines", 0, "product")``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from router.execution.merge import JsonObject
from router.field_error import ClientPath
from router.planning.query_plan import Path, PathStep

Collect = Callable[[JsonObject], list[JsonObject]]
_are_lists, _are_objects = frozenset({list}).issuperset, frozenset({dict}).issuperset
_flattened = itertools.chain.from_iterable
Place = tuple[ClientPath, JsonObject]


def compile_collect(path: Path) -> Collect:
    """A function from the merged data to the objects at ``path``, in document order.

    Values that are not objects are passed over: shapes are the projection's to complain of. Where all values of a step
    are objects, or all are lists of objects, the walk is one call in C.
    """
    steps = tuple((step.response_key, frozenset(step.types) if step.types is not None else None) for step in path)

    def collect(data: JsonObject) -> list[JsonObject]:
        level: list[JsonObject] = [data]
        for key, types in steps:
            found: list[Any] = [parent.get(key) for parent in level]
            if _are_lists(map(type, found)):
                found = list(_flattened(found))
            if not _are_objects(map(type, found)):
                values, found = found, []
                _flatten(values, found)
            level = found if types is None else [o for o in found if _typename(o) in types]
        return level

    return collect


def collect_chains(data: JsonObject, path: Path) -> list[tuple[JsonObject, ...]]:
    """For each object at ``path`` the objects that lead to it, one for each step: the root first, itself last."""
    level: list[tuple[JsonObject, ...]] = [(data,)]
    for step in path:
        found: list[tuple[JsonObject, ...]] = []
        for chain in level:
            places: list[Place] = []
            _locate_values((), chain[-1].get(step.response_key), places)
            found += ((*chain, o) for _, o in places if step.types is None or _typename(o) in step.types)
        level = found
    return level


def locate(data: JsonObject, path: Path) -> list[Place]:
    """The objects at ``path`` with their client paths, in document order."""
    level: list[Place] = [((), data)]
    for step in path:
        level = [place for at, parent in level for place in _locate_step(at, parent, step)]
    return level


def objects_at(data: Any, path: ClientPath) -> list[JsonObject]:
    """The object at a client path, or all those of the list there; none where nothing stands."""
    for step in path:
        if type(data) is dict:
            data = data.get(step)
        elif type(data) is list and type(step) is int and 0 <= step < len(data):
            data = data[step]
        else:
            return []
    found: list[JsonObject] = []
    _flatten([data], found)
    return found


def _typename(value: JsonObject) -> str | None:
    name = value.get("__typename")
    return name if type(name) is str else None


def _flatten(values: list[Any], found: list[JsonObject]) -> None:
    for value in values:
        if type(value) is dict:
            found.append(value)
        elif type(value) is list:
            _flatten(value, found)


def _locate_step(at: ClientPath, parent: JsonObject, step: PathStep) -> list[Place]:
    places: list[Place] = []
    _locate_values((*at, step.response_key), parent.get(step.response_key), places)
    return places if step.types is None else [place for place in places if _typename(place[1]) in step.types]


def _locate_values(at: ClientPath, value: Any, places: list[Place]) -> None:
    if type(value) is dict:
        places.append((at, value))
    elif type(value) is list:
        for index, member in enumerate(value):
            _locate_values((*at, index), member, places)
