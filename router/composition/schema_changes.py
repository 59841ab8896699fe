"""What changes between two API schemas, and which stored operations each change breaks.

graphql-core finds the changes; here each is matched with what the operations use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from graphql import GraphQLSchema, specified_scalar_types
from graphql.utilities import BreakingChange, DangerousChange, find_schema_changes
from graphql.utilities.find_schema_changes import SchemaChange

from router.composition.stored_operations import StoredOperation

_COORDINATE = re.compile(r"@\w+(?:\(\w+:\))?|\w+\.\w+(?:\(\w+:\))?")
_WORD = re.compile(r"\w+")
_WHERE_INVALID = frozenset(
    {
        "TYPE_REMOVED_FROM_UNION",
        "IMPLEMENTED_INTERFACE_REMOVED",
        "ARG_CHANGED_KIND",
        "DIRECTIVE_REPEATABLE_REMOVED",
        "DIRECTIVE_LOCATION_REMOVED",
    }
)
"""Changes that break some uses only: the operation must be refused by the new schema as well."""


class Severity(IntEnum):
    """What a change may do to clients."""

    SAFE = 0
    DANGEROUS = 1
    BREAKING = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; ``kind`` is graphql-core's name for it, ``breaks`` the labels of operations."""

    severity: Severity
    kind: str
    message: str
    coordinate: str
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes, the gravest first, and the ``broken`` operations with what the new schema says of each.

    ``outdated`` are operations that the old schema does not answer either: nothing here breaks them.
    """

    changes: tuple[Change, ...]
    checked: int
    broken: Mapping[str, tuple[str, ...]]
    outdated: tuple[str, ...] = ()

    def count(self, severity: Severity) -> int:
        """How many changes are of one severity."""
        return sum(change.severity is severity for change in self.changes)


def compare_schemas(old: GraphQLSchema, new: GraphQLSchema, operations: Sequence[StoredOperation] = ()) -> Comparison:
    """Find the changes from ``old`` to ``new``, and what they mean for ``operations``."""
    outdated = tuple(operation.label for operation in operations if operation.faults(old))
    alive = [operation for operation in operations if operation.label not in outdated]
    used = {operation.label: operation.coordinates(old) for operation in alive}
    faults = {operation.label: tuple(operation.faults(new)) for operation in alive}
    changes = [_change(found, used, faults) for found in find_schema_changes(old, new)]
    # Every server has the built-in scalars; graphql-core tells of them when their last use comes or goes.
    changes = [change for change in changes if change.coordinate not in specified_scalar_types]
    changes.sort(key=lambda change: (-change.severity, change.coordinate, change.kind))
    explained = {label for change in changes for label in change.breaks}
    broken = {label: messages for label, messages in faults.items() if messages or label in explained}
    return Comparison(tuple(changes), len(operations), broken, outdated)


def _change(found: SchemaChange, used: Mapping[str, frozenset[str]], faults: Mapping[str, tuple[str, ...]]) -> Change:
    kind, message = found.type.name, found.description
    coordinate, needed = _coordinates(kind, message)
    if not isinstance(found, BreakingChange):
        severity = Severity.DANGEROUS if isinstance(found, DangerousChange) else Severity.SAFE
        return Change(severity, kind, message, coordinate)
    breaks = tuple(
        label
        for label, coordinates in used.items()
        if needed <= coordinates and (faults[label] or kind not in _WHERE_INVALID)
    )
    return Change(Severity.BREAKING, kind, message, coordinate, breaks)


def _coordinates(kind: str, message: str) -> tuple[str, frozenset[str]]:
    """What a change is about, and what an operation must use to be touched by it, from graphql-core's sentence."""
    match = _COORDINATE.search(message)
    words = _WORD.findall(message.removeprefix("Standard scalar ").removeprefix("Description of "))
    if match is None:
        both = kind in ("TYPE_REMOVED_FROM_UNION", "IMPLEMENTED_INTERFACE_REMOVED")
        return words[0], frozenset({words[0], words[-1]} if both else {words[0]})
    coordinate = match[0]
    if kind in ("REQUIRED_INPUT_FIELD_ADDED", "REQUIRED_DIRECTIVE_ARG_ADDED"):
        return coordinate, frozenset({re.split(r"[.(]", coordinate)[0]})
    if kind in ("REQUIRED_ARG_ADDED", "ARG_CHANGED_KIND"):
        return coordinate, frozenset({coordinate.partition("(")[0]})
    return coordinate, frozenset({coordinate})
