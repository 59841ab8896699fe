"""Document -> :class:`router.operation.model.Operation`: validated, then made plain for planning and projection.

Before: ``{ ...F  user { name } }  fragment F on Query { user { id @include(if: true) } }``
After:  ``{ user { id name } }``

A fragment that restricts nothing disappears into its parent; one that can match nothing is dropped; one that restricts
the type or stands under a condition stays, joined with an equal one before it unless the same object has other fields
between. :mod:`router.operation.collect_fields` does that for one level.

Where ``@defer`` is to be honoured, every condition is folded by the values of the request's variables, and a deferred
fragment takes the place of conditions: what it selects is marked with it (:mod:`router.operation.deferral` goes on).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLCompositeType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    parse,
    parse_type,
)

from router.errors import OperationError
from router.operation.collect_fields import (
    Collector,
    FieldGroup,
    FragmentGroup,
    Level,
    ReadDocument,
    ReadingBudget,
    Seen,
)
from router.operation.defer_directives import deferral_variables
from router.operation.document import without_token_chain
from router.operation.limits import DEFAULT_LIMITS, TOO_LARGE, OperationLimits, check_limits
from router.operation.literals import LiftedDocument
from router.operation.model import Condition, DeferUsage, Field, InlineFragment, Operation, OperationKind, Selection
from router.operation.selection_conditions import ConditionReader, Conditions, Values, innermost
from router.operation.typename_alias import TYPENAME, free_response_key
from router.operation.validate import validate_document

RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
TOO_DEEP = "The operation is nested too deeply."

# Mentions of a field that merge into one, and fragments around it: what is read for each field that comes of it.
_READINGS_OF_A_FIELD = 3

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
        validate_document(api_schema, document, hide_suggestions=limits.hide_suggestions)
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
    deferring_with: Values | None = None,
) -> Operation:
    """As ``build_operation`` of ``document``, but with variables for its literals. Raises as that does."""
    try:
        validate_document(api_schema, document, hide_suggestions=limits.hide_suggestions)
        without = without_token_chain(parse(lifted.text))
    except RecursionError:
        raise OperationError(TOO_LARGE, TOO_DEEP) from None
    operation = normalize_operation(api_schema, without, operation_name, limits, deferring_with)
    definitions = tuple(
        VariableDefinitionNode(variable=VariableNode(name=NameNode(value=name)), type=parse_type(type_), directives=())
        for name, type_ in lifted.types.items()
    )
    return replace(operation, lifted_definitions=definitions)


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


class _Normalizer:
    """Finishes what is collected, level by level, and counts the fields."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, limits: OperationLimits, deferring_with: Values | None
    ) -> None:
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        directives = ConditionReader(deferring_with, limits.max_deferred)
        budget = ReadingBudget(_READINGS_OF_A_FIELD * limits.max_fields)
        self._read = ReadDocument(schema, fragments, directives, budget)
        self._document = document
        self._limits = limits
        self._fields_left = limits.max_fields
        self._stand_in: str | None = None

    def normalize(self, definition: OperationDefinitionNode) -> Operation:
        kind = OperationKind(definition.operation.value)
        root = self._read.schema.get_root_type(definition.operation)
        assert root is not None  # noqa: S101 - validation has refused an operation without a root type
        selections = self._selections(root, [(definition.selection_set, ())], Level(()), None)
        return Operation(
            kind=kind,
            name=definition.name.value if definition.name else None,
            root_type=root.name,
            variable_definitions=tuple(definition.variable_definitions or ()),
            selections=selections,
            # Parts of an answer are written without restoring names: all of it comes at once then.
            deferral_variables=deferral_variables(self._document) if self._stand_in is None else None,
            typename_stand_in=self._stand_in,
        )

    def _selections(
        self,
        scope: GraphQLCompositeType,
        parts: Iterable[tuple[SelectionSetNode, Conditions]],
        level: Level,
        outer: DeferUsage | None,
    ) -> tuple[Selection, ...]:
        """What ``parts`` select together on an object of type ``scope``, in the order of their first mention."""
        groups: list[FieldGroup | FragmentGroup] = []
        collector = Collector(self._read, scope, groups, Seen(), level, outer)
        for selection_set, conditions in parts:
            collector.collect(selection_set, conditions)
        return self._finish(scope, groups, level, outer)

    def _finish(
        self,
        scope: GraphQLCompositeType,
        groups: Iterable[FieldGroup | FragmentGroup],
        level: Level,
        outer: DeferUsage | None,
    ) -> tuple[Selection, ...]:
        selections = (self._selection(scope, group, level, outer) for group in groups)
        return tuple(selection for selection in selections if selection is not None)

    def _selection(
        self, scope: GraphQLCompositeType, group: FieldGroup | FragmentGroup, level: Level, outer: DeferUsage | None
    ) -> Selection | None:
        self._fields_left -= 1
        if self._fields_left < 0:
            message = f"The operation selects more than {self._limits.max_fields} fields: ask for less at once."
            raise OperationError(TOO_LARGE, message)
        deferred_by = innermost(group.conditions)
        conditions = tuple(condition for condition in group.conditions if isinstance(condition, Condition))
        if isinstance(group, FragmentGroup):
            below = self._finish(group.type, group.groups, level, deferred_by or outer)
            return InlineFragment(group.type.name, conditions, below, deferred_by) if below else None
        node = group.node
        response_key = (node.alias or node.name).value
        if response_key == TYPENAME != node.name.value:
            response_key = self._stand_in = self._stand_in or free_response_key(self._document)
        below = ()
        if group.below:
            inner = Level((*level.path, response_key))
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
            introspection = self._read.schema.type_map["__Schema" if name == "__schema" else "__Type"]
            assert isinstance(introspection, GraphQLObjectType)  # noqa: S101 - defined by the specification
            return introspection
        assert isinstance(scope, GraphQLObjectType | GraphQLInterfaceType)  # noqa: S101 - a union has no other field
        named = get_named_type(scope.fields[name].type)
        assert is_composite_type(named)  # noqa: S101 - validation has refused selections on leaves
        return named
