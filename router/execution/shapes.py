"""Checking the shape of objects that more than one fetch needs, before a wrong one can cost what others brought.

With ``ExpectedShape(("shop", "address"), 0)`` the answer ``{"shop": {"address": [1]}}`` becomes ``{"shop": {"address":
None}}``, with an error at that path as the subgraph would have told it itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from router.execution.errors import INVALID_RESPONSE
from router.execution.merge import JsonObject
from router.field_error import ClientPath
from router.planning.query_plan import ExpectedShape

ShapeCheck = Callable[[JsonObject, ClientPath], list[JsonObject]]
_Wrong = list[ClientPath]


def compile_shape_check(shapes: Sequence[ExpectedShape]) -> ShapeCheck | None:
    """A function that nulls what is misshapen in an object at a path of the answer, and gives an error for each."""
    if not shapes:
        return None

    def check(root: JsonObject, at: ClientPath) -> list[JsonObject]:
        wrong: _Wrong = []
        for shape in shapes:
            *above, key = shape.path
            for path, holder in _objects(root, at, above):
                if holder.get(key) is not None:
                    holder[key] = _sound(holder[key], shape, shape.lists, (*path, key), wrong)
        return [_error(path) for path in wrong]

    return check


def _sound(value: Any, shape: ExpectedShape, lists: int, at: ClientPath, wrong: _Wrong) -> Any:
    """``value`` without its misshapen parts, which are added to ``wrong``."""
    if value is None or (lists == 0 and type(value) is dict and _is_of_type(value, shape)):
        return value
    if lists == 0 or type(value) is not list:
        wrong.append(at)
        return None
    return [_sound(member, shape, lists - 1, (*at, index), wrong) for index, member in enumerate(value)]


def _is_of_type(value: JsonObject, shape: ExpectedShape) -> bool:
    """Whether the object says a type that it can have; one that was not asked for its type says none."""
    return shape.types is None or "__typename" not in value or value["__typename"] in shape.types


def _objects(value: Any, at: ClientPath, path: Sequence[str]) -> Iterator[tuple[ClientPath, JsonObject]]:
    """Every object at ``path`` below ``value``, through lists."""
    if type(value) is list:
        for index, member in enumerate(value):
            yield from _objects(member, (*at, index), path)
    elif type(value) is dict:
        if not path:
            yield at, value
        else:
            yield from _objects(value.get(path[0]), (*at, path[0]), path[1:])


def _error(path: ClientPath) -> JsonObject:
    message = "The subgraph answered with something of another shape than was asked for."
    return {"message": message, "path": list(path), "extensions": {"code": INVALID_RESPONSE}}
