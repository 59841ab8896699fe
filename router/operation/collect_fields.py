"""One level of an operation: GraphQL's CollectFields, with conditions that are not known yet kept beside the fields.

Selections of equal response key are merged as soon as they are collected, which is why fragments that spread each other
twice do not double at each level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLCompositeType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    is_composite_type,
    is_object_type,
)

from router.errors import OperationError
from router.operation.limits import TOO_LARGE
from router.operation.model import DeferUsage
from router.operation.selection_conditions import ConditionReader, Conditions, DeferringPlace, innermost


@dataclass(slots=True)
class FieldGroup:
    """Field nodes that merge: one response key under one set of conditions."""

    node: FieldNode
    conditions: Conditions
    below: list[tuple[SelectionSetNode, Conditions]] = field(default_factory=list)


@dataclass(slots=True)
class FragmentGroup:
    """Fragments that merge: one type condition under one set of conditions, with no other field of theirs between."""

    type: GraphQLCompositeType
    conditions: Conditions
    groups: list[FieldGroup | FragmentGroup] = field(default_factory=list)


@dataclass(slots=True)
class Seen:
    """What was mentioned so far on objects of one type under one set of conditions, wherever at its level."""

    fields: dict[str, list[FieldGroup]] = field(default_factory=dict)
    inline: dict[tuple[str, Conditions], Seen] = field(default_factory=dict)
    visited: set[tuple[str, Conditions]] = field(default_factory=set)


@dataclass(slots=True)
class Level(DeferringPlace):
    """One selection set of the answer; ``latest`` is the last mention of each response key, in whatever fragment."""

    latest: dict[str, FieldGroup] = field(default_factory=dict)


@dataclass(slots=True)
class ReadingBudget:
    """How much may still be read, in selections and the conditions that each stands under.

    A fragment is read anew under every other set of conditions, and of those there are many to few variables.
    """

    left: int

    def take(self, conditions: Conditions) -> None:
        """Read one selection under ``conditions``; OperationError(OPERATION_TOO_LARGE) where too little is left."""
        self.left -= 1 + len(conditions)
        if self.left < 0:
            message = "The operation spreads its fragments under too many conditions: select each field once."
            raise OperationError(TOO_LARGE, message)


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What every level of one operation shares: the schema, the document's fragments, the reader of directives, and
    how much may be read."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    directives: ConditionReader
    budget: ReadingBudget


class Collector:
    """Collects one level into ``groups``: what selects on objects of type ``scope``, in the order of first mention."""

    def __init__(
        self,
        document: ReadDocument,
        scope: GraphQLCompositeType,
        groups: list[FieldGroup | FragmentGroup],
        seen: Seen,
        level: Level,
        outer: DeferUsage | None,
    ) -> None:
        self._document = document
        self._schema = document.schema
        self._scope = scope
        self._groups = groups
        self._seen = seen
        self._level = level
        self._outer = outer

    def collect(self, selection_set: SelectionSetNode, conditions: Conditions) -> None:
        """Add what ``selection_set`` selects where ``conditions`` hold."""
        for node in selection_set.selections:
            self._document.budget.take(conditions)
            here = self._document.directives.conditions(node.directives, conditions)
            if here is None:
                continue
            if isinstance(node, FieldNode):
                self._add_field(node, here)
                continue
            here = self._document.directives.deferred(node, here, self._outer, self._level)
            if isinstance(node, FragmentSpreadNode):
                self._add_spread(node, here)
            elif isinstance(node, InlineFragmentNode):
                name = node.type_condition.name.value if node.type_condition else self._scope.name
                self._add_fragment(name, node.selection_set, here)

    def _add_spread(self, node: FragmentSpreadNode, conditions: Conditions) -> None:
        name = node.name.value
        visited = self._seen.visited
        if (name, conditions) in visited or ((name, ()) in visited and innermost(conditions) is None):
            return
        visited.add((name, conditions))
        fragment = self._document.fragments[name]
        self._add_fragment(fragment.type_condition.name.value, fragment.selection_set, conditions)

    def _add_fragment(self, type_name: str, selection_set: SelectionSetNode, conditions: Conditions) -> None:
        condition_type = self._schema.type_map[type_name]
        assert is_composite_type(condition_type)  # noqa: S101 - validated
        if self._restricts_nothing(condition_type):
            self.collect(selection_set, conditions)
        elif self._can_match(condition_type):
            # A fragment after other fields stands for itself, since its fields come after theirs; but what an equal
            # one has selected before it is not selected again.
            group = self._joinable(condition_type, conditions)
            if group is None:
                group = FragmentGroup(condition_type, conditions)
                self._groups.append(group)
            seen = self._seen.inline.setdefault((type_name, conditions), Seen())
            outer = innermost(conditions) or self._outer
            inner = Collector(self._document, condition_type, group.groups, seen, self._level, outer)
            inner.collect(selection_set, ())

    def _joinable(self, type_: GraphQLCompositeType, conditions: Conditions) -> FragmentGroup | None:
        """An equal fragment, with nothing after it that the same object could answer too."""
        for group in reversed(self._groups):
            if isinstance(group, FieldGroup):
                return None
            if (group.type, group.conditions) == (type_, conditions):
                return group
            if self._possible(group.type) & self._possible(type_):
                return None
        return None

    def _add_field(self, node: FieldNode, conditions: Conditions) -> None:
        key = (node.alias or node.name).value
        groups = self._seen.fields.setdefault(key, [])
        # An earlier mention that is there whenever this one is takes it in; any other could change the order.
        covering = [group for group in groups if set(group.conditions) <= set(conditions)]
        selected = node.selection_set
        for group in covering:
            rest = tuple(c for c in conditions if c not in group.conditions)
            if selected:
                if not self._can_take(group, key, selected):
                    continue
                group.below.append((selected, rest))
            elif innermost(rest) is not None:
                continue  # A deferred fragment keeps its leaves: some clients want it whole.
            return
        group = FieldGroup(node, conditions)
        if selected:
            group.below.append((selected, ()))
        groups.append(group)
        self._groups.append(group)
        self._level.latest[key] = group

    def _can_take(self, group: FieldGroup, key: str, selected: SelectionSetNode) -> bool:
        """Whether the ``selected`` fields come right after those of ``group``, or are among them already.

        A mention between the two, in whatever fragment, has fields that stand before them.
        """
        return self._level.latest[key] is group or any(known is selected for known, _ in group.below)

    def _restricts_nothing(self, condition: GraphQLCompositeType) -> bool:
        if condition is self._scope:
            return True
        if isinstance(self._scope, GraphQLObjectType):
            return not is_object_type(condition) and self._schema.is_sub_type(_abstract(condition), self._scope)
        interfaces = self._scope.interfaces if isinstance(self._scope, GraphQLInterfaceType) else ()
        return condition in interfaces

    def _can_match(self, condition: GraphQLCompositeType) -> bool:
        mine, theirs = self._possible(self._scope), self._possible(condition)
        return any(name in mine for name in theirs)

    def _possible(self, type_: GraphQLCompositeType) -> set[str]:
        if isinstance(type_, GraphQLObjectType):
            return {type_.name}
        return {possible.name for possible in self._schema.get_possible_types(type_)}


def _abstract(type_: GraphQLCompositeType) -> GraphQLAbstractType:
    assert not isinstance(type_, GraphQLObjectType)  # noqa: S101 - asked before the call
    return type_
