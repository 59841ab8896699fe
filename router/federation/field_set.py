"""Field sets: the selections of ``@key``, ``@requires``, ``@provides`` and ``@fromContext``, parsed and printed.

``"id org { id }"`` reads as two :class:`Selection` values; printing joins them in the same form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    parse,
    print_ast,
)

from router.errors import GalleriaError
from router.federation.literals import Literal, literal_from_node, print_arguments


class FieldSetError(GalleriaError):
    """The text is not a field set; the message is the reason without its place."""


@dataclass(frozen=True, slots=True)
class FieldSelection:
    """A field with its arguments and what is selected under it."""

    name: str
    arguments: Mapping[str, Literal] = field(default_factory=dict)
    selections: tuple[Selection, ...] = ()
    alias: str | None = None
    directives: tuple[str, ...] = ()
    has_braces: bool = False


@dataclass(frozen=True, slots=True)
class FragmentSelection:
    """An inline fragment; ``type_condition`` is None where it has none."""

    type_condition: str | None
    selections: tuple[Selection, ...]
    directives: tuple[str, ...] = ()


Selection = FieldSelection | FragmentSelection


def parse_field_set(text: str) -> tuple[Selection, ...]:
    """Read a field set, with or without its outer braces; raises FieldSetError (code ``SYNTAX``)."""
    body = text.strip()
    source = body if body.startswith("{") else f"{{{text}}}"
    try:
        document: DocumentNode = parse(Source(source, "field set"), no_location=True)
    except GraphQLSyntaxError as error:
        raise FieldSetError("SYNTAX", error.message) from None
    except RecursionError:
        raise FieldSetError("SYNTAX", "The field set is nested too deeply") from None
    definition = document.definitions[0]
    if len(document.definitions) != 1 or not isinstance(definition, OperationDefinitionNode):
        raise FieldSetError("SYNTAX", "A field set is one selection of fields")
    selections = _selections(definition.selection_set)
    if not selections:
        raise FieldSetError("SYNTAX", "The field set is empty")
    return selections


def _selections(node: SelectionSetNode | None) -> tuple[Selection, ...]:
    selections: list[Selection] = []
    for selection in node.selections if node else ():
        if isinstance(selection, FieldNode):
            selections.append(_field(selection))
        elif isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition.name.value if selection.type_condition else None
            directives = tuple(print_ast(directive) for directive in selection.directives or ())
            selections.append(FragmentSelection(condition, _selections(selection.selection_set), directives))
        elif isinstance(selection, FragmentSpreadNode):
            raise FieldSetError("SYNTAX", f'Unknown fragment "{selection.name.value}" in the field set')
    return tuple(selections)


def _field(node: FieldNode) -> FieldSelection:
    return FieldSelection(
        node.name.value,
        {argument.name.value: literal_from_node(argument.value) for argument in node.arguments or ()},
        _selections(node.selection_set),
        node.alias.value if node.alias else None,
        tuple(print_ast(directive) for directive in node.directives or ()),
        node.selection_set is not None,
    )


def print_field_set(selections: tuple[Selection, ...]) -> str:
    """Write a field set on one line without its outer braces."""
    return " ".join(map(_print_selection, selections))


def _print_selection(selection: Selection) -> str:
    inner = f" {{ {print_field_set(selection.selections)} }}" if selection.selections else ""
    if isinstance(selection, FragmentSelection):
        return f"... on {selection.type_condition}{inner}" if selection.type_condition else f"...{inner}"
    arguments = f"({print_arguments(selection.arguments)})" if selection.arguments else ""
    alias = f"{selection.alias}: " if selection.alias else ""
    return f"{alias}{selection.name}{arguments}{inner}"
