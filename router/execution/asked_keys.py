"""Seeing that every key that was asked for is in a subgraph's answer, before what is absent could pass for null.

``{ products { id name @include(if: $named) ... on Book { pages } } }`` asks each object for ``id``, for ``name`` where
``$named`` is true, and for ``pages`` where its ``__typename`` is ``Book``. An answer that has all of it is passed over
by a few calls in C for each selection set. What is absent from another becomes null, with an error at its path as the
subgraph would have told it itself.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    VariableNode,
    parse,
)

from router.execution.errors import INVALID_RESPONSE
from router.execution.merge import JsonObject
from router.field_error import ClientPath

# How many combinations of a document's conditions are kept.
MAX_KEPT = 16

_CONDITION = re.compile(r"@(?:include|skip)\(if: \$(\w+)\)")
_HERE = None  # Marks where a path ends in a tree of paths.
_Told = Mapping[object, Any]
_NOTHING_TOLD: _Told = {}
TypesAt = Callable[[int], Container[str | None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """The keys that one selection set asks for in one request: ``leaves``, and ``below`` objects or lists of some.

    ``read`` reads all leaves. ``by_type`` are the fragments, by type condition. ``__typename`` is not among the keys:
    projection tells where an object of an abstract type is without.
    """

    leaves: tuple[str, ...]
    read: Callable[[JsonObject], object] | None
    below: Mapping[str, Asked]
    by_type: tuple[tuple[str, Asked], ...]


@dataclass(frozen=True, slots=True)
class AskedKeys:
    """What a fetch's ``document`` asks for, read when the first answer comes: by the values of its ``conditions``."""

    document: str
    conditions: tuple[str, ...]
    kept: dict[tuple[bool, ...], Asked] = field(default_factory=dict, compare=False)

    def of_request(self, variables: Mapping[str, object]) -> Asked:
        """What is asked for with these variables."""
        values = tuple([bool(variables.get(name)) for name in self.conditions]) if self.conditions else ()
        asked = self.kept.get(values)
        if asked is None:
            asked = _read_document(self.document, dict(zip(self.conditions, values, strict=True)))
            if len(self.kept) < MAX_KEPT:
                self.kept[values] = asked
        return asked


def compile_asked_keys(document: str) -> AskedKeys:
    """The keys that the planner's own ``document`` asks for."""
    return AskedKeys(document, tuple(dict.fromkeys(_CONDITION.findall(document))))


def is_complete(objects: Sequence[JsonObject], asked: Asked) -> bool:
    """Whether every object has all that was asked of it; what is not an object where one belongs is passed over."""
    try:
        if asked.read is not None:
            deque(map(asked.read, objects), 0)
        for key, below in asked.below.items():
            found: list[Any] = [one[key] for one in objects]
            inner = objects_among(found)
            if inner and not is_complete(inner, below):
                return False
    except KeyError:
        return False
    return all(
        is_complete([one for one in objects if one.get("__typename") == name], below) for name, below in asked.by_type
    )


def objects_among(values: list[Any]) -> list[JsonObject]:
    """The objects among ``values``, and in lists among them, in any order."""
    found: list[JsonObject] = []
    left = [values]
    while left:
        for value in left.pop():
            if type(value) is dict:
                found.append(value)
            elif type(value) is list:
                left.append(value)
    return found


def absent_from_roots(asked: Asked, data: JsonObject, errors: Sequence[object]) -> list[JsonObject]:
    """Put null wherever root fields, or what is below them, lack a key; an error for each, unless ``errors`` tell."""
    if is_complete([data], asked):
        return []
    absent: list[ClientPath] = []
    _take_for_null(data, asked, (), _paths_told(errors), absent)
    return _errors_at(absent)


def absent_from_entities(
    asked: Asked,
    alias: str,
    entities: list[Any],
    types_at: Callable[[int], Container[str | None]],
    errors: Sequence[object],
) -> list[JsonObject]:
    """As ``absent_from_roots``, for the ``entities`` of the lookup ``alias``.

    ``types_at`` tells the names that the entity at an index was sent by: the answer need not repeat them.
    """
    by_type = asked.below[alias].by_type
    absent: list[ClientPath] = []
    for name, one in by_type:
        alike = entities
        if len(by_type) > 1:
            alike = [entity if name in types_at(index) else None for index, entity in enumerate(entities)]
        if not is_complete(objects_among(alike), one):
            objects = [entity if type(entity) is dict else None for entity in alike]
            _take_for_null({alias: objects}, Asked((), None, {alias: one}, ()), (), _paths_told(errors), absent)
    return _errors_at(absent)


def _take_for_null(value: Any, asked: Asked, at: ClientPath, told: _Told, absent: list[ClientPath]) -> None:
    """Put null where an object in ``value``, at the path ``at``, lacks a key, and add its path to ``absent``."""
    for path, told_there, one in _objects(value, at, told):
        for key in (*asked.leaves, *asked.below):
            if key not in one and key not in told_there:
                one[key] = None
                absent.append((*path, key))
        for key, below in asked.below.items():
            _take_for_null(one.get(key), below, (*path, key), told_there.get(key, _NOTHING_TOLD), absent)
        for name, below in asked.by_type:
            if one.get("__typename") == name:
                _take_for_null(one, below, path, told_there, absent)


def _objects(value: Any, at: ClientPath, told: _Told) -> Iterator[tuple[ClientPath, _Told, JsonObject]]:
    """The object ``value``, or those in lists there, in document order, that no error tells of; however deep they are
    nested."""
    left = [(at, told, value)]
    while left:
        path, told_there, one = left.pop()
        if _HERE in told_there:
            continue
        if type(one) is dict:
            yield path, told_there, one
        elif type(one) is list:
            inside = [((*path, i), told_there.get(i, _NOTHING_TOLD), member) for i, member in enumerate(one)]
            left += reversed(inside)


def _paths_told(errors: Iterable[object]) -> _Told:
    """The paths of a subgraph's ``errors`` as a tree; one without a usable path tells of all that is missing."""
    told: dict[object, Any] = {}
    for error in errors:
        path = error.get("path") if type(error) is dict else None
        is_usable = type(path) is list and all(type(step) in (str, int) for step in path)
        below = told
        for step in path if is_usable and path is not None else ():
            below = below.setdefault(step, {})
        below[_HERE] = _NOTHING_TOLD
    return told


def _errors_at(absent: Iterable[ClientPath]) -> list[JsonObject]:
    """An error for each path, as the subgraph would have told it."""
    message = "The subgraph's answer lacks a field that was asked for."
    return [{"message": message, "path": list(path), "extensions": {"code": INVALID_RESPONSE}} for path in absent]


def _read_document(document: str, values: Mapping[str, bool]) -> Asked:
    operation = parse(document, no_location=True).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)  # noqa: S101 - the planner's own document
    return _asked(operation.selection_set.selections, values)


def _asked(selections: Iterable[SelectionNode], values: Mapping[str, bool]) -> Asked:
    leaves: dict[str, None] = {}
    below: dict[str, Asked] = {}
    by_type: list[tuple[str, Asked]] = []
    for node in _selected(selections, values):
        if isinstance(node, InlineFragmentNode) and node.type_condition is not None:
            by_type.append((node.type_condition.name.value, _asked(node.selection_set.selections, values)))
        elif isinstance(node, FieldNode):
            key = node.alias.value if node.alias else node.name.value
            if node.selection_set is not None:
                below[key] = _joined(below.get(key), _asked(node.selection_set.selections, values))
            elif node.name.value != "__typename":
                leaves[key] = None
    return Asked(tuple(leaves), itemgetter(*leaves) if leaves else None, below, tuple(by_type))


def _joined(one: Asked | None, other: Asked) -> Asked:
    """What two mentions of a field ask for together."""
    if one is None:
        return other
    leaves = tuple(dict.fromkeys((*one.leaves, *other.leaves)))
    below = {**one.below, **{key: _joined(one.below.get(key), asked) for key, asked in other.below.items()}}
    return Asked(leaves, itemgetter(*leaves) if leaves else None, below, (*one.by_type, *other.by_type))


def _selected(selections: Iterable[SelectionNode], values: Mapping[str, bool]) -> Iterator[SelectionNode]:
    """The selections whose conditions hold; of a fragment without a type condition what is in it."""
    for node in selections:
        if not all(_holds(directive, values) for directive in node.directives or ()):
            continue
        if isinstance(node, InlineFragmentNode) and node.type_condition is None:
            yield from _selected(node.selection_set.selections, values)
        else:
            yield node


def _holds(directive: DirectiveNode, values: Mapping[str, bool]) -> bool:
    (argument,) = directive.arguments or ()
    assert isinstance(argument.value, VariableNode)  # noqa: S101 - the planner folds constants
    return values[argument.value.name.value] is (directive.name.value == "include")
