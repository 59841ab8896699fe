"""``{ pet { __typename: name } }``: a client's name for a field that is the one under which we need to know its type.

The field is read under another name, ``_typename``, and the answer gets the client's back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from graphql import DocumentNode, FieldNode, Visitor, visit

from router.field_error import ClientPath
from router.operation.model import Field, Selection

TYPENAME = "__typename"


def free_response_key(document: DocumentNode) -> str:
    """A response key that stands nowhere in ``document``."""
    reader = _KeyReader()
    visit(document, reader)
    key = "_typename"
    while key in reader.keys:
        key = f"{key}_"
    return key


def restore_names(value: Any, selections: Sequence[Selection], stand_in: str) -> Any:
    """What ``selections`` are answered with, where ``stand_in`` is ``__typename`` again."""
    if type(value) is list:
        return [restore_names(item, selections, stand_in) for item in value]
    if type(value) is not dict or not selections:
        return value
    below: dict[str, list[Selection]] = {}
    for field in _fields(selections):
        below.setdefault(field.response_key, []).extend(field.selections)
    return {
        TYPENAME if key == stand_in else key: restore_names(item, below.get(key, ()), stand_in)
        for key, item in value.items()
    }


def restore_path(path: ClientPath, stand_in: str) -> ClientPath:
    """``path`` as the client names it."""
    return tuple(TYPENAME if step == stand_in else step for step in path)


class _KeyReader(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.keys.add((node.alias or node.name).value)


def _fields(selections: Iterable[Selection]) -> Iterator[Field]:
    for selection in selections:
        if isinstance(selection, Field):
            yield selection
        else:
            yield from _fields(selection.selections)
