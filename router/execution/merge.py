"""Deep merge of what subgraphs answer into one tree: by response key, lists by position; a later null erases nothing.

``{"a": {"x": 1}}`` and ``{"a": {"y": 2, "x": None}}`` make ``{"a": {"x": 1, "y": 2}}``.
"""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]


def merge_object(target: JsonObject, source: JsonObject) -> None:
    """Merge ``source`` into ``target``, which takes over the objects and lists of ``source``."""
    if target.keys().isdisjoint(source):
        target.update(source)
        return
    for key, value in source.items():
        present = target.get(key)
        target[key] = value if present is None else _merge_value(present, value)


def copy_value(value: Any) -> Any:
    """A copy of a JSON value that shares no object or list with it."""
    kind = type(value)
    if kind is dict:
        return {key: copy_value(member) for key, member in value.items()}
    if kind is list:
        return [copy_value(member) for member in value]
    return value


def copy_object(source: JsonObject) -> JsonObject:
    """A copy of an object that shares no object or list with it; cheap where all members are scalars."""
    copied = source.copy()
    for key, value in source.items():
        if type(value) is dict or type(value) is list:
            copied[key] = copy_value(value)
    return copied


def _merge_value(present: Any, value: Any) -> Any:
    if type(present) is dict and type(value) is dict:
        merge_object(present, value)
        return present
    if type(present) is list and type(value) is list and len(present) == len(value):
        return [_merge_value(old, new) if old is not None else new for old, new in zip(present, value, strict=True)]
    # Scalars, or shapes that contradict each other: the newer one, unless it says nothing.
    return present if value is None or type(present) in (dict, list) else value
