"""An error as a subgraph tells it, whatever it makes of the form that the GraphQL specification gives errors.

``{"message": "no", "path": ["price"], "extensions": {"code": "NO_PRICE"}}`` of the subgraph ``prices`` becomes the
error ``no`` with these extensions and ``"service": "prices"``, and the path ``("price",)``.
"""

from __future__ import annotations

from typing import Any

from router.execution.errors import SUBGRAPH_ERROR
from router.field_error import ClientPath, FieldError

DEEPEST_EXTENSIONS = 100
"""So many levels of an error's extensions are passed on: an answer has 254, and no error is to cost all of it."""


def read_error(raw: object, subgraph: str) -> tuple[FieldError, ClientPath]:
    """The error (without a path) and the path that ``subgraph`` gave; an error that is none is told as such.

    Extensions that are nested too deeply are left out, but for the code.
    """
    if not isinstance(raw, dict):
        raw = {}
    message = raw.get("message")
    extensions = raw.get("extensions")
    path = raw.get("path")
    own: dict[str, Any] = extensions if isinstance(extensions, dict) else {}
    code = own.get("code")
    if _is_deeper(own, DEEPEST_EXTENSIONS):
        own = {}
    told = {**own, "code": code if isinstance(code, str) else SUBGRAPH_ERROR, "service": subgraph}
    usable = isinstance(path, list) and all(type(step) is str or (type(step) is int and step >= 0) for step in path)
    text = message if isinstance(message, str) else f"Subgraph '{subgraph}' reported an error without a message."
    return FieldError((), text, told, subgraph=subgraph), tuple(path) if usable and isinstance(path, list) else ()


def _is_deeper(value: object, levels: int) -> bool:
    """Whether objects and lists are nested in ``value`` by more than so many levels."""
    level = [value]
    for _ in range(levels + 1):
        level = [member for one in level for member in _members(one)]
        if not level:
            return False
    return True


def _members(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
