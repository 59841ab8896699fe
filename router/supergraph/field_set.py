"""Field sets of ``@key``, ``@requires`` and ``@provides``, parsed: what a jump or a computed field needs.

``"id owner { id }"`` becomes two :class:`FieldSetField`, the second with selections of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphql import FieldNode, InlineFragmentNode, OperationDefinitionNode, SelectionSetNode, ValueNode, parse


@dataclass(frozen=True, slots=True)
class FieldSetField:
    """One field of a field set; ``selections`` is empty for leaves."""

    name: str
    arguments: tuple[tuple[str, ValueNode], ...] = ()
    selections: FieldSet = ()


@dataclass(frozen=True, slots=True)
class FieldSetFragment:
    """``... on type_condition { selections }`` in a field set."""

    type_condition: str
    selections: FieldSet


FieldSet = tuple[FieldSetField | FieldSetFragment, ...]


def parse_field_set(text: str) -> FieldSet:
    """The field set written as ``text``, with or without its outer braces; GraphQLSyntaxError if it is not one."""
    braced = text if text.lstrip().startswith("{") else "{" + text + "}"
    definition = parse(braced, no_location=True).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)  # noqa: S101 - a document that starts with a brace
    return _read(definition.selection_set)


def _read(selection_set: SelectionSetNode) -> FieldSet:
    selections: list[FieldSetField | FieldSetFragment] = []
    for node in selection_set.selections:
        if isinstance(node, FieldNode):
            arguments = tuple((argument.name.value, argument.value) for argument in node.arguments or ())
            below = _read(node.selection_set) if node.selection_set else ()
            selections.append(FieldSetField(node.name.value, arguments, below))
        elif isinstance(node, InlineFragmentNode):
            below = _read(node.selection_set)
            if node.type_condition is None:
                selections.extend(below)
            else:
                selections.append(FieldSetFragment(node.type_condition.name.value, below))
    return tuple(selections)
