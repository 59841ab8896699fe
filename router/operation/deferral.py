"""An operation with deferred fragments -> what is answered first, and the groups of fields that follow.

``{ product { name ... @defer { price dims { h } } dims { w } } }`` has first ``{ product { name dims { w } } }``, then
``price`` at ``product`` and ``h`` at ``product.dims``. A field is in the first answer if one mention of it is; else it
belongs to all the fragments that mention it, and is delivered once ("BuildExecutionPlan" of incremental delivery).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_object_type,
)

from router.errors import OperationError
from router.operation.limits import DEFAULT_LIMITS, TOO_LARGE, OperationLimits
from router.operation.model import DeferUsage, Field, InlineFragment, Operation, Selection

DeferUsages = tuple[DeferUsage, ...]
_INTROSPECTION = frozenset({"__schema", "__type"})
_Part = tuple[Selection, DeferUsage | None]


@dataclass(frozen=True, slots=True, eq=False)
class ExecutionGroup:
    """Fields of one object that are delivered together, when one of the deferred fragments ``usages`` is.

    ``path`` leads from the object of the group above, or the root, to this one: fields and type conditions, without
    what they select. ``type_name`` is the object's type as far as that says. ``groups`` stand at or below the object.
    """

    usages: DeferUsages
    path: tuple[Selection, ...]
    type_name: str
    selections: tuple[Selection, ...]
    groups: tuple[ExecutionGroup, ...]


@dataclass(frozen=True, slots=True)
class DeferredOperation:
    """An operation as it is answered in parts: ``first`` has nothing deferred, ``groups`` are those of its objects.

    ``marked`` is all of it, as it was normalised to defer.
    """

    marked: Operation
    first: Operation
    groups: tuple[ExecutionGroup, ...]


def split_deferred(
    api_schema: GraphQLSchema, operation: Operation, limits: OperationLimits = DEFAULT_LIMITS
) -> DeferredOperation | None:
    """The parts of an operation that was normalised to defer; None where nothing of it is deferred.

    OperationError: OPERATION_TOO_LARGE, where the parts together have more than ``limits.max_fields``.
    """
    first = _Group((), (), operation.root_type)
    splitter = _Splitter(api_schema, limits)
    selections = splitter.split(operation.root_type, [(one, None) for one in operation.selections], first, ())
    groups = tuple(group.finish() for group in first.groups)
    return DeferredOperation(operation, replace(operation, selections=selections), groups) if groups else None


def all_groups(groups: Iterable[ExecutionGroup]) -> Iterator[ExecutionGroup]:
    """``groups`` and all those below them, each after the one that it stands below."""
    for group in groups:
        yield group
        yield from all_groups(group.groups)


@dataclass(slots=True)
class _Group:
    """An execution group while its fields are collected."""

    usages: DeferUsages
    path: tuple[Selection, ...]
    type_name: str
    selections: list[Selection] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=list)

    def finish(self) -> ExecutionGroup:
        groups = tuple(group.finish() for group in self.groups)
        return ExecutionGroup(self.usages, self.path, self.type_name, tuple(self.selections), groups)


class _Splitter:
    """Walks all levels of an operation at once with the groups that its fields fall into."""

    def __init__(self, schema: GraphQLSchema, limits: OperationLimits) -> None:
        self._schema = schema
        self._limits = limits
        self._fields_left = limits.max_fields

    def split(
        self, scope: str, parts: Sequence[_Part], group: _Group, path: tuple[Selection, ...]
    ) -> tuple[Selection, ...]:
        """What of ``parts``, selected on ``scope``, belongs to ``group``; the rest goes to groups below it.

        ``path`` leads from the object of ``group`` to this one; with each part goes the fragment that defers it.
        """
        parts = [(one, one.deferred_by or usage) for one, usage in parts]
        if is_object_type(self._schema.type_map[scope]):
            # A field that is certain of its type here may be selected where it is not: on an interface.
            parts = list(self._applicable(scope, parts))
        if self._is_mixed(parts):
            return self._split_by_type(scope, parts, group, path)
        own: list[Selection] = []
        others: dict[DeferUsages, _Group] = {}
        for mentions in _by_response_key(parts):
            one, usage = mentions[0]
            if isinstance(one, InlineFragment):
                inner = [(below, usage) for below in one.selections]
                here = (*path, InlineFragment(one.type_condition))
                if below := self.split(one.type_condition, inner, group, here):
                    own.append(InlineFragment(one.type_condition, (), below))
            else:
                fields = [(mention, by) for mention, by in mentions if isinstance(mention, Field)]
                self._split_field(scope, fields, own, others, group, path)
        return tuple(own)

    def _split_field(
        self,
        scope: str,
        mentions: Sequence[tuple[Field, DeferUsage | None]],
        own: list[Selection],
        others: dict[DeferUsages, _Group],
        group: _Group,
        path: tuple[Selection, ...],
    ) -> None:
        self._fields_left -= 1
        if self._fields_left < 0:
            message = f"The operation selects more than {self._limits.max_fields} fields: ask for less at once."
            raise OperationError(TOO_LARGE, message)
        first = mentions[0][0]
        if first.name in _INTROSPECTION:
            own += (_whole(mention) for mention, _ in mentions)  # The router answers it alone: there is no wait for it.
            return
        shell = replace(first, selections=(), deferred_by=None)
        below = [(one, usage) for mention, usage in mentions for one in mention.selections]
        usages = _usages_of([usage for _, usage in mentions])
        if usages == group.usages:
            selections = self._below(scope, first, below, group, (*path, shell))
            own.append(replace(shell, selections=selections))
            return
        other = others.get(usages)
        if other is None:
            other = others[usages] = _Group(usages, path, scope)
            group.groups.append(other)
        selections = self._below(scope, first, below, other, (shell,))
        other.selections.append(replace(shell, selections=selections))

    def _below(
        self, scope: str, one: Field, parts: Sequence[_Part], group: _Group, path: tuple[Selection, ...]
    ) -> tuple[Selection, ...]:
        parent = self._schema.type_map[scope]
        if not parts or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return ()
        return self.split(get_named_type(parent.fields[one.name].type).name, parts, group, path)

    def _is_mixed(self, parts: Sequence[_Part]) -> bool:
        """Whether a field stands in several fragments by type (or beside one), not deferred alike in all of them."""
        if not any(isinstance(one, InlineFragment) for one, _ in parts):
            return False
        usages: dict[str, set[DeferUsage | None]] = {}
        for one, usage in _fields_within(parts):
            usages.setdefault(one.response_key, set()).add(usage)
        return any(len(found) > 1 for found in usages.values())

    def _split_by_type(
        self, scope: str, parts: Sequence[_Part], group: _Group, path: tuple[Selection, ...]
    ) -> tuple[Selection, ...]:
        own: list[Selection] = []
        kind = self._schema.type_map[scope]
        assert is_abstract_type(kind)  # noqa: S101 - objects of one type have no fragments left
        for possible in self._schema.get_possible_types(kind):
            applicable = list(self._applicable(possible.name, parts))
            here = (*path, InlineFragment(possible.name))
            if below := self.split(possible.name, applicable, group, here):
                own.append(InlineFragment(possible.name, (), below))
        return tuple(own)

    def _applicable(self, type_name: str, parts: Iterable[_Part]) -> Iterator[_Part]:
        """The fields that objects of ``type_name`` answer."""
        for one, usage in parts:
            if isinstance(one, Field):
                yield one, usage
            elif self._applies(type_name, one.type_condition):
                yield from self._applicable(
                    type_name, [(below, below.deferred_by or usage) for below in one.selections]
                )

    def _applies(self, type_name: str, condition: str) -> bool:
        abstract, kind = self._schema.type_map[condition], self._schema.type_map[type_name]
        if not is_abstract_type(abstract) or not is_object_type(kind):
            return type_name == condition
        return self._schema.is_sub_type(abstract, kind)


def _by_response_key(parts: Iterable[_Part]) -> list[list[_Part]]:
    """Mentions of one response key together, at the place of the first; fragments each for itself."""
    ordered: list[list[_Part]] = []
    fields: dict[str, list[_Part]] = {}
    for part in parts:
        one = part[0]
        if isinstance(one, Field) and one.response_key in fields:
            fields[one.response_key].append(part)
            continue
        ordered.append([part])
        if isinstance(one, Field):
            fields[one.response_key] = ordered[-1]
    return ordered


def _fields_within(parts: Iterable[_Part]) -> Iterator[tuple[Field, DeferUsage | None]]:
    for one, usage in parts:
        if isinstance(one, Field):
            yield one, usage
        else:
            yield from _fields_within((below, below.deferred_by or usage) for below in one.selections)


def _usages_of(mentioned: Sequence[DeferUsage | None]) -> DeferUsages:
    """The fragments that a field is delivered with; none, where one mention of it is not deferred."""
    found = {usage for usage in mentioned if usage is not None}
    if len(found) == 0 or None in mentioned:
        return ()
    kept = [usage for usage in found if not any(above in found for above in ancestors(usage))]
    return tuple(sorted(kept, key=lambda usage: usage.number))


def ancestors(usage: DeferUsage) -> Iterator[DeferUsage]:
    """The deferred fragments that ``usage`` is nested in, the nearest first."""
    above = usage.parent
    while above is not None:
        yield above
        above = above.parent


def _whole(selection: Selection) -> Selection:
    """The selection with nothing deferred."""
    below = tuple(_whole(one) for one in selection.selections)
    return replace(selection, selections=below, deferred_by=None)
