"""Constant GraphQL values (defaults and directive arguments) as plain, hashable Python values.

``{a: [1, RED]}`` reads as ``ObjectLiteral((("a", (1, EnumLiteral("RED"))),))``. Lists are tuples; null is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
)
from graphql.language.print_string import print_string


@dataclass(frozen=True, slots=True)
class EnumLiteral:
    """An enum value by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class ObjectLiteral:
    """An input object's fields in the order written."""

    fields: tuple[tuple[str, Literal], ...]

    def get(self, name: str) -> Literal:
        """The value of field ``name``, or None where it is absent or null."""
        return dict(self.fields).get(name)


Literal: TypeAlias = (
    "bool | int | float | str | EnumLiteral | tuple[Literal, ...] | ObjectLiteral | None"  # recursive: a string
)


def literal_from_node(node: ValueNode) -> Literal:
    """Read a constant value; a variable, which schemas cannot contain, reads as null."""
    match node:
        case IntValueNode(value=text):
            return int(text)
        case FloatValueNode(value=text):
            return float(text)
        case StringValueNode(value=text):
            return text
        case BooleanValueNode(value=flag):
            return flag
        case EnumValueNode(value=text):
            return EnumLiteral(text)
        case ListValueNode(values=values):
            return tuple(literal_from_node(value) for value in values)
        case ObjectValueNode(fields=fields):
            return ObjectLiteral(tuple((field.name.value, literal_from_node(field.value)) for field in fields))
    return None


def print_literal(value: Literal) -> str:
    """Write a constant value as GraphQL; equal texts are equal values."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return print_string(value)
        case EnumLiteral(name=name):
            return name
        case tuple():
            return f"[{', '.join(map(print_literal, value))}]"
        case ObjectLiteral(fields=fields):
            return f"{{{print_arguments(dict(fields))}}}"


def print_arguments(arguments: Mapping[str, Literal]) -> str:
    """Write ``name: value`` pairs with commas between them."""
    return ", ".join(f"{name}: {print_literal(value)}" for name, value in arguments.items())
