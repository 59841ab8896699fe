"""Document -> :class:`router.operation.model.Operation`: validated, then made plain for planning and projection.

Before: ``{ ...F  user { name } }  fragment F on Query { user { id @include(if: true) } }``
After:  ``{ user { id name } }``

A fragment that restricts nothing disappears into its parent; one that can match nothing is dropped; one that restricts
the type or stands under a condition stays, joined with an equal one before it unless the same object has other fields
between. Selections of equal response key are merged as soon as they are collected, which is why fragments that spread
each other twice do not double at each level.

Where ``@defer`` is to be honoured, every condition is folded by the values of the request's variables, and a deferred
fragment takes the place of conditions: what it selects is marked with it (:mod:`router.operation.deferral` goes on).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
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
from router.operation.defer_directives import defer_directive, deferral_variables
from router.operation.document import with_code, without_token_chain
from router.operation.limits import DEFAULT_LIMITS, TOO_LARGE, OperationLimits, check_limits
from router.operation.literals import LiftedDocument
from router.operation.model import Condition, DeferUsage, Field, InlineFragment, Operation, OperationKind, Selection

VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
TOO_DEEP = "The operation is nested too deeply."

Conditions = tuple[Condition | DeferUsage, ...]
Values = Mapping[str, object]
INTROSPECTION_FIELDS = frozenset({"__typename", "__schema", "__type"})


def build_operation(
    api_schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None = None,
    limits: OperationLimits = DEFAULT_LIMITS,
    deferring_with: Values | None = None,
) -> Operation:
    """Validate ``document``, choose its operation and normalise that.

    ``@defer`` is honoured where ``deferring_with`` gives the values of ``deferral_variables`` (those that the request
    left out are not there); it has no meaning where it is None. OperationError: as check_limits,
    GRAPHQL_VALIDATION_FAILED (one error for each violated rule), OPERATION_RESOLUTION_FAILURE (no operation, an unknown
    name, or several and no name), OPERATION_TOO_LARGE (over ``limits.max_fields`` or ``limits.max_deferred``).
    """
    try:
        check_limits(document, limits)
        _validate(api_schema, document, hide_suggestions=limits.hide_suggestions)
    except RecursionError:
        raise OperationError(TOO_LARGE, TOO_DEEP) from None
    return normalize_operation(api_schema, document, operation_name, limits, deferring_with)


def normalize_operation(
    api_schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None = None,
    limits: OperationLimits = DEFAULT_LIMITS,
    deferring_with: Values | None = None,
) -> Operation:
    """As ``build_operation``, for a document that is known to be valid."""
    try:
        definition = _choose_definition(document, operation_name)
        return _Normalizer(api_schema, document, limits, deferring_with).normalize(definition)
    except RecursionError:
        raise OperationError(TOO_LARGE, TOO_DEEP) from None


def build_lifted_operation(
    api_schema: GraphQLSchema,
    document: DocumentNode,
    lifted: LiftedDocument,
    operation_name: str | None = None,
    limits: OperationLimits = DEFAULT_LIMITS,
) -> Operation:
    """As ``build_operation`` of ``document``, but with variables for its literals. Raises as that does."""
    try:
        _validate(api_schema, document, hide_suggestions=limits.hide_suggestions)
        without = without_token_chain(parse(lifted.text))
    except RecursionError:
        raise OperationError(TOO_LARGE, TOO_DEEP) from None
    operation = normalize_operation(api_schema, without, operation_name, limits)
    definitions = tuple(
        VariableDefinitionNode(variable=VariableNode(name=NameNode(value=name)), type=parse_type(type_), directives=())
        for name, type_ in lifted.types.items()
    )
    return replace(operation, lifted_definitions=definitions)


def _validate(api_schema: GraphQLSchema, document: DocumentNode, *, hide_suggestions: bool) -> None:
    found = validate(api_schema, document, hide_suggestions=hide_suggestions)
    errors = tuple(with_code(error, VALIDATION_FAILED) for error in found)
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


@dataclass(slots=True)
class _Level:
    """One selection set of the answer: the response keys that lead there, and its deferred fragments so far.

    ``latest`` is the last mention of each response key, in whatever fragment.
    """

    path: tuple[str, ...]
    latest: dict[str, _FieldGroup] = field(default_factory=dict)
    usages: dict[tuple[int, DeferUsage | None], DeferUsage] = field(default_factory=dict)


class _Normalizer:
    """Carries what every level needs: the schema, the document's fragments, and how many fields there may be."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, limits: OperationLimits, deferring_with: Values | None
    ) -> None:
        self.schema = schema
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._document = document
        self._limits = limits
        self._values = deferring_with
        self._fields_left = limits.max_fields
        self._usages = 0

    def normalize(self, definition: OperationDefinitionNode) -> Operation:
        kind = OperationKind(definition.operation.value)
        root = self.schema.get_root_type(definition.operation)
        assert root is not None  # noqa: S101 - validation has refused an operation without a root type
        return Operation(
            kind=kind,
            name=definition.name.value if definition.name else None,
            root_type=root.name,
            variable_definitions=tuple(definition.variable_definitions or ()),
            selections=self._selections(root, [(definition.selection_set, ())], _Level(()), None),
            deferral_variables=deferral_variables(self._document),
        )

    def conditions(self, directives: Iterable[DirectiveNode] | None, outer: Conditions) -> Conditions | None:
        """``outer`` and the node's own ``@include``/``@skip``; None where they can never hold together."""
        if not directives:
            return outer
        return _conditions(directives, outer, self._values)

    def deferred(
        self, node: SelectionNode, conditions: Conditions, outer: DeferUsage | None, level: _Level
    ) -> Conditions:
        """``conditions``, and the fragment itself where it is deferred in this request."""
        directive = defer_directive(node.directives, self._values) if self._values is not None else None
        if directive is None:
            return conditions
        parent = innermost(conditions) or outer
        key = (id(directive), parent)
        usage = level.usages.get(key)
        if usage is None:
            usage = level.usages[key] = DeferUsage(self._usages, _label(directive), level.path, parent)
            self._usages += 1
            if self._usages > self._limits.max_deferred:
                message = f"The operation defers more than {self._limits.max_deferred} fragments: defer larger ones."
                raise OperationError(TOO_LARGE, message)
        return (*conditions, usage)

    def _selections(
        self,
        scope: GraphQLCompositeType,
        parts: Iterable[tuple[SelectionSetNode, Conditions]],
        level: _Level,
        outer: DeferUsage | None,
    ) -> tuple[Selection, ...]:
        """What ``parts`` select together on an object of type ``scope``, in the order of their first mention."""
        groups: list[_FieldGroup | _FragmentGroup] = []
        collector = _Collector(self, scope, groups, _Seen(), level, outer)
        for selection_set, conditions in parts:
            collector.collect(selection_set, conditions)
        return self._finish(scope, groups, level, outer)

    def _finish(
        self,
        scope: GraphQLCompositeType,
        groups: Iterable[_FieldGroup | _FragmentGroup],
        level: _Level,
        outer: DeferUsage | None,
    ) -> tuple[Selection, ...]:
        selections = (self._selection(scope, group, level, outer) for group in groups)
        return tuple(selection for selection in selections if selection is not None)

    def _selection(
        self, scope: GraphQLCompositeType, group: _FieldGroup | _FragmentGroup, level: _Level, outer: DeferUsage | None
    ) -> Selection | None:
        self._fields_left -= 1
        if self._fields_left < 0:
            message = f"The operation selects more than {self._limits.max_fields} fields: ask for less at once."
            raise OperationError(TOO_LARGE, message)
        deferred_by = innermost(group.conditions)
        conditions = tuple(condition for condition in group.conditions if isinstance(condition, Condition))
        if isinstance(group, _FragmentGroup):
            below = self._finish(group.type, group.groups, level, deferred_by or outer)
            return InlineFragment(group.type.name, conditions, below, deferred_by) if below else None
        node = group.node
        response_key = (node.alias or node.name).value
        below = ()
        if group.below:
            inner = _Level((*level.path, response_key))
            kind = self._type_of(scope, node.name.value)
            below = self._selections(kind, group.below, inner, deferred_by or outer)
        return Field(
            response_key=response_key,
            name=node.name.value,
            parent_type=scope.name,
            arguments=tuple((argument.name.value, argument.value) for argument in node.arguments or ()),
            conditions=conditions,
            selections=below,
            deferred_by=deferred_by,
        )

    def _type_of(self, scope: GraphQLCompositeType, name: str) -> GraphQLCompositeType:
        if name in INTROSPECTION_FIELDS:
            introspection = self.schema.type_map["__Schema" if name == "__schema" else "__Type"]
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
        normalizer: _Normalizer,
        scope: GraphQLCompositeType,
        groups: list[_FieldGroup | _FragmentGroup],
        seen: _Seen,
        level: _Level,
        outer: DeferUsage | None,
    ) -> None:
        self._normalizer = normalizer
        self._schema = normalizer.schema
        self._scope = scope
        self._groups = groups
        self._seen = seen
        self._level = level
        self._outer = outer

    def collect(self, selection_set: SelectionSetNode, conditions: Conditions) -> None:
        """Add what ``selection_set`` selects where ``conditions`` hold."""
        for node in selection_set.selections:
            here = self._normalizer.conditions(node.directives, conditions)
            if here is None:
                continue
            if isinstance(node, FieldNode):
                self._add_field(node, here)
                continue
            here = self._normalizer.deferred(node, here, self._outer, self._level)
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
        fragment = self._normalizer.fragments[name]
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
            outer = innermost(conditions) or self._outer
            inner = _Collector(self._normalizer, condition_type, group.groups, seen, self._level, outer)
            inner.collect(selection_set, ())

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
        group = _FieldGroup(node, conditions)
        if selected:
            group.below.append((selected, ()))
        groups.append(group)
        self._groups.append(group)
        self._level.latest[key] = group

    def _can_take(self, group: _FieldGroup, key: str, selected: SelectionSetNode) -> bool:
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


def innermost(conditions: Conditions) -> DeferUsage | None:
    """The innermost deferred fragment among ``conditions``, which hold outer ones before inner ones."""
    return next((condition for condition in reversed(conditions) if isinstance(condition, DeferUsage)), None)


def _label(directive: DirectiveNode) -> str | None:
    values = (argument.value for argument in directive.arguments or () if argument.name.value == "label")
    return next((value.value for value in values if isinstance(value, StringValueNode)), None)


def _conditions(directives: Iterable[DirectiveNode], outer: Conditions, values: Values | None) -> Conditions | None:
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
            if values is not None:
                if not condition.holds(values):
                    return None
                continue
            if Condition(condition.variable, not include) in conditions:
                return None
            if condition not in conditions:
                conditions.append(condition)
    return outer if values is not None else tuple(sorted(conditions, key=_order))


def _order(condition: Condition | DeferUsage) -> tuple[str, bool]:
    assert isinstance(condition, Condition)  # noqa: S101 - where fragments are deferred, conditions are folded
    return condition.variable, condition.include
