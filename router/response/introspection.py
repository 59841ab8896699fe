"""Answering ``__schema`` and ``__type`` from the API schema, whatever other root fields stand beside them.

The root fields concerned are written back as a document of their own, which graphql-core executes.
"""

from __future__ import annotations

from collections.abc import Mapping

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    execute_sync,
)

from router.operation.model import Condition, Field, Operation, Selection
from router.response.projection_source import INTROSPECTION_FIELDS


def introspection_document(operation: Operation) -> DocumentNode | None:
    """A document of the operation's introspection fields alone; None where it has none."""
    selections = _introspection_selections(operation.selections)
    if not selections:
        return None
    definition = OperationDefinitionNode(
        operation=OperationType.QUERY,
        variable_definitions=operation.variable_definitions,
        directives=(),
        selection_set=_selection_set(selections),
    )
    return DocumentNode(definitions=(definition,))


def introspect(
    api_schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, object]
) -> Mapping[str, object]:
    """The introspection fields' values by response key; ``variables`` are coerced ones."""
    return execute_sync(api_schema, document, variable_values=dict(variables)).data or {}


def _introspection_selections(selections: tuple[Selection, ...]) -> tuple[SelectionNode, ...]:
    nodes: list[SelectionNode] = []
    for selection in selections:
        if isinstance(selection, Field):
            if selection.name in INTROSPECTION_FIELDS:
                nodes.append(_write(selection))
        elif below := _introspection_selections(selection.selections):
            nodes.append(_fragment(selection.type_condition, selection.conditions, below))
    return tuple(nodes)


def _write(selection: Selection) -> SelectionNode:
    below = tuple(_write(one) for one in selection.selections)
    if not isinstance(selection, Field):
        return _fragment(selection.type_condition, selection.conditions, below)
    return FieldNode(
        alias=_name(selection.response_key),
        name=_name(selection.name),
        arguments=tuple(ArgumentNode(name=_name(name), value=value) for name, value in selection.arguments),
        directives=_directives(selection.conditions),
        selection_set=_selection_set(below) if below else None,
    )


def _fragment(
    type_condition: str, conditions: tuple[Condition, ...], below: tuple[SelectionNode, ...]
) -> InlineFragmentNode:
    return InlineFragmentNode(
        type_condition=NamedTypeNode(name=_name(type_condition)),
        directives=_directives(conditions),
        selection_set=_selection_set(below),
    )


def _directives(conditions: tuple[Condition, ...]) -> tuple[DirectiveNode, ...]:
    return tuple(
        DirectiveNode(
            name=_name("include" if condition.include else "skip"),
            arguments=(ArgumentNode(name=_name("if"), value=VariableNode(name=_name(condition.variable))),),
        )
        for condition in conditions
    )


def _selection_set(selections: tuple[SelectionNode, ...]) -> SelectionSetNode:
    return SelectionSetNode(selections=selections)


def _name(value: str) -> NameNode:
    return NameNode(value=value)
