"""Argument values as text, and the variables in them."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import ListValueNode, ObjectValueNode, ValueNode, VariableNode, print_ast


def print_arguments(arguments: tuple[tuple[str, ValueNode], ...]) -> str:
    """``(first: 10, after: $cursor)``, or nothing where there are no arguments."""
    if not arguments:
        return ""
    return f"({', '.join(f'{name}: {print_ast(value)}' for name, value in arguments)})"


def variables_in(value: ValueNode) -> Iterator[str]:
    """The names of the variables used in ``value``, at any depth."""
    if isinstance(value, VariableNode):
        yield value.name.value
    elif isinstance(value, ListValueNode):
        for item in value.values:
            yield from variables_in(item)
    elif isinstance(value, ObjectValueNode):
        for field in value.fields:
            yield from variables_in(field.value)
