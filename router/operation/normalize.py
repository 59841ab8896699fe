"""Document -> :class:`router.operation.model.Operation`: validated, then made plain for planning and projection.

Before: ``{ ...F  user { name } }  fragment F on Query { user { id @include(if: true) } }``
After:  ``{ user { id name } }``

A fragment that restricts nothing disappears into its parent; one that can match nothing is dropped; one that restricts
the type or stands under a condition stays, joined with an equal one before it unless the same object has other fields
between. Selections of equal response key are merged as soon as they are collected, which is why fragments that spread
each other twice do not double at each level.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLCompositeType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_object_type,
    parse,
    parse_type,
    validate,
)

from router.errors import OperationError
from router.operation.document import with_code
from router.operation.limits import DEFAULT_LIMITS, OperationLimits
from router.operation.literals import LiftedDocument
from router.operation.model import Condition, Field, InlineFragment, Operation, OperationKind, Selection

VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
TOO_LARGE = "OPERATION_TOO_LARGE"
TOO_DEEP = "The operation is nested too deeply."

Conditions = tuple[Condition, ...]
INTROSPECTION_FIELDS = frozenset({"__typename", "__schema", "__type"})


def build_operation(
    api_schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None = None,
    limits: OperationLimits = DEFAULT_LIMITS,
) -> Operation:
    """Validate ``document``, choose its operation and normalise that.

    OperationError: GRAPHQL_VALIDATION_FAILED (one error for each violated rule), OPERATION_RESOLUTION_FAILURE (no
    operation, an unknown name, or several and no name), OPERATION_TOO_LARGE (over ``limits.max_fields``).
    """
    try:
        _validate(api_schema, document)
    except RecursionError:
        raise OperationError(TOO_LARGE, TOO_DEEP) from None
    return normalize_operation(api_schema, document, operation_name, limits)


def normalize_operation(
    api_schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None = None,
    limits: OperationLimits = DEFAULT_LIMITS,
) -> Operation:
    """As ``build_operation``, for a document that is known to be valid."""
    try:
        definition = _choose_definition(document, operation_name)
        return _Normalizer(api_schema, document, limits).normalize(definition)
    except RecursionError:
        raise OperationError(TOO_LARGE, TOO_DEEP) from None


def build_lifted_operation(
    api_schema: GraphQLSchema, document: DocumentNode, lifted: LiftedDocument, operation_name: str | None = None
) -> Operation:
    """As ``build_operation`` of ``document``, but with variables for its literals. Raises as that does."""
    try:
        _validate(api_schema, document)
        without = parse(lifted.text)
    except RecursionError:
        raise OperationError(TOO_LARGE, TOO_DEEP) from None
    operation = normalize_operation(api_schema, without, operation_name)
    definitions = tuple(
        VariableDefinitionNode(variable=VariableNode(name=NameNode(value=name)), type=parse_type(type_), directives=())
        for name, type_ in lifted.types.items()
    )
    return replace(operation, lifted_definitions=definitions)


def _validate(api_schema: GraphQLSchema, document: DocumentNode) -> None:
    errors = tuple(with_code(error, VALIDATION_FAILED) for error in validate(api_schema, document))
    if errors:
        raise OperationError(VALIDATION_FAILED, errors[0].message, errors)


def _choose_definition(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None:
        if len(operations) == 1:
            return operations[0]
        message = (
            "The document has several operations: say which one with operationName."
            if operations
            else "The document has no operation."
        )
        raise OperationError(RESOLUTION_FAILURE, message)
    for operation in operations:
        if operation.name is not None and operation.name.value == name:
            return operation
    raise OperationError(RESOLUTION_FAILURE, f'The document has no operation named "{name}".')


@dataclass(slots=True)
class _FieldGroup:
    """Field nodes that merge: one response key under one set of conditions."""

    node: FieldNode
    conditions: Conditions
    below: list[tuple[SelectionSetNode, Conditions]] = field(default_factory=list)


@dataclass(slots=True)
class _FragmentGroup:
    """Fragments that merge: one type condition under one set of conditions, with no other field of theirs between."""

    type: GraphQLCompositeType
    conditions: Conditions
    groups: list[_FieldGroup | _FragmentGroup] = field(default_factory=list)


@dataclass(slots=True)
class _Seen:
    """What was mentioned so far on objects of one type under one set of conditions, wherever at its level."""

    fields: dict[str, list[_FieldGroup]] = field(default_factory=dict)
    inline: dict[tuple[str, Conditions], _Seen] = field(default_factory=dict)
    visited: set[tuple[str, Conditions]] = field(default_factory=set)


class _Normalizer:
    """Carries what every level needs: the schema, the document's fragments, and how many fields there may be."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, limits: OperationLimits) -> None:
        self._schema = schema
        self._limits = limits
        self._fields_left = limits.max_fields
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }

    def normalize(self, definition: OperationDefinitionNode) -> Operation:
        kind = OperationKind(definition.operation.value)
        root = self._schema.get_root_type(definition.operation)
        assert root is not None  # noqa: S101 - validation has refused an operation without a root type
        return Operation(
            kind=kind,
            name=definition.name.value if definition.name else None,
            root_type=root.name,
            variable_definitions=tuple(definition.variable_definitions or ()),
            selections=self._selections(root, [(definition.selection_set, ())]),
        )

    def _selections(
        self, scope: GraphQLCompositeType, parts: Iterable[tuple[SelectionSetNode, Conditions]]
    ) -> tuple[Selection, ...]:
        """What ``parts`` select together on an object of type ``scope``, in the order of their first mention."""
        groups: list[_FieldGroup | _FragmentGroup] = []
        collector = _Collector(self._schema, self._fragments, scope, groups, _Seen())
        for selection_set, conditions in parts:
            collector.collect(selection_set, conditions)
        return self._finish(scope, groups)

    def _finish(
        self, scope: GraphQLCompositeType, groups: Iterable[_FieldGroup | _FragmentGroup]
    ) -> tuple[Selection, ...]:
        selections = (self._selection(scope, group) for group in groups)
        return tuple(selection for selection in selections if selection is not None)

    def _selection(self, scope: GraphQLCompositeType, group: _FieldGroup | _FragmentGroup) -> Selection | None:
        self._fields_left -= 1
        if self._fields_left < 0:
            message = f"The operation selects more than {self._limits.max_fields} fields: ask for less at once."
            raise OperationError(TOO_LARGE, message)
        if isinstance(group, _FragmentGroup):
            below = self._finish(group.type, group.groups)
            return InlineFragment(group.type.name, group.conditions, below) if below else None
        node = group.node
        below = ()
        if group.below:
            below = self._selections(self._type_of(scope, node.name.value), group.below)
        return Field(
            response_key=(node.alias or node.name).value,
            name=node.name.value,
            parent_type=scope.name,
            arguments=tuple((argument.name.value, argument.value) for argument in node.arguments or ()),
            conditions=group.conditions,
            selections=below,
        )

    def _type_of(self, scope: GraphQLCompositeType, name: str) -> GraphQLCompositeType:
        if name in INTROSPECTION_FIELDS:
            introspection = self._schema.type_map["__Schema" if name == "__schema" else "__Type"]
            assert isinstance(introspection, GraphQLObjectType)  # noqa: S101 - defined by the specification
            return introspection
        assert isinstance(scope, GraphQLObjectType | GraphQLInterfaceType)  # noqa: S101 - a union has no other field
        named = get_named_type(scope.fields[name].type)
        assert is_composite_type(named)  # noqa: S101 - validation has refused selections on leaves
        return named


class _Collector:
    """Collects one level: GraphQL's CollectFields, with conditions that are not known yet kept beside the fields."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: dict[str, FragmentDefinitionNode],
        scope: GraphQLCompositeType,
        groups: list[_FieldGroup | _FragmentGroup],
        seen: _Seen,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._scope = scope
        self._groups = groups
        self._seen = seen

    def collect(self, selection_set: SelectionSetNode, conditions: Conditions) -> None:
        """Add what ``selection_set`` selects where ``conditions`` hold."""
        for node in selection_set.selections:
            here = _conditions(node.directives, conditions)
            if here is None:
                continue
            if isinstance(node, FieldNode):
                self._add_field(node, here)
            elif isinstance(node, FragmentSpreadNode):
                self._add_spread(node, here)
            elif isinstance(node, InlineFragmentNode):
                name = node.type_condition.name.value if node.type_condition else self._scope.name
                self._add_fragment(name, node.selection_set, here)

    def _add_spread(self, node: FragmentSpreadNode, conditions: Conditions) -> None:
        name = node.name.value
        visited = self._seen.visited
        if (name, conditions) in visited or (name, ()) in visited:
            return
        visited.add((name, conditions))
        fragment = self._fragments[name]
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
                group = _FragmentGroup(condition_type, conditions)
                self._groups.append(group)
            seen = self._seen.inline.setdefault((type_name, conditions), _Seen())
            _Collector(self._schema, self._fragments, condition_type, group.groups, seen).collect(selection_set, ())

    def _joinable(self, type_: GraphQLCompositeType, conditions: Conditions) -> _FragmentGroup | None:
        """An equal fragment, with nothing after it that the same object could answer too."""
        for group in reversed(self._groups):
            if isinstance(group, _FieldGroup):
                return None
            if (group.type, group.conditions) == (type_, conditions):
                return group
            if self._possible(group.type) & self._possible(type_):
                return None
        return None

    def _add_field(self, node: FieldNode, conditions: Conditions) -> None:
        key = (node.alias or node.name).value
        groups = self._seen.fields.setdefault(key, [])
        for group in groups:
            # An earlier mention that is there whenever this one is takes it in; any other could change the order.
            if set(group.conditions) <= set(conditions):
                if node.selection_set:
                    rest = tuple(c for c in conditions if c not in group.conditions)
                    group.below.append((node.selection_set, rest))
                return
        group = _FieldGroup(node, conditions)
        if node.selection_set:
            group.below.append((node.selection_set, ()))
        groups.append(group)
        self._groups.append(group)

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


def _conditions(directives: Iterable[DirectiveNode] | None, outer: Conditions) -> Conditions | None:
    """``outer`` and the node's own ``@include``/``@skip``; None where they can never hold together."""
    if not directives:
        return outer
    conditions = list(outer)
    for directive in directives:
        if directive.name.value not in ("include", "skip"):
            continue
        include = directive.name.value == "include"
        value = directive.arguments[0].value if directive.arguments else None
        if isinstance(value, BooleanValueNode):
            if value.value is not include:
                return None
        elif isinstance(value, VariableNode):
            condition = Condition(value.name.value, include)
            if Condition(condition.variable, not include) in conditions:
                return None
            if condition not in conditions:
                conditions.append(condition)
    return tuple(sorted(conditions, key=lambda c: (c.variable, c.include)))
