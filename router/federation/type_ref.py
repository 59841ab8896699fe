"""References to types: ``[Product!]!`` as nested frozen values, compared by structure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, parse_type


@dataclass(frozen=True, slots=True)
class NamedRef:
    """A type by its name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListRef:
    """A list of another type."""

    of: TypeRef

    def __str__(self) -> str:
        return f"[{self.of}]"


@dataclass(frozen=True, slots=True)
class NonNullRef:
    """Another type without null."""

    of: NamedRef | ListRef

    def __str__(self) -> str:
        return f"{self.of}!"


TypeRef: TypeAlias = NamedRef | ListRef | NonNullRef


def type_ref_from_node(node: TypeNode) -> TypeRef:
    """Read a type reference of an SDL document."""
    if isinstance(node, NonNullTypeNode):
        inner = type_ref_from_node(node.type)
        return inner if isinstance(inner, NonNullRef) else NonNullRef(inner)
    if isinstance(node, ListTypeNode):
        return ListRef(type_ref_from_node(node.type))
    if isinstance(node, NamedTypeNode):
        return NamedRef(node.name.value)
    raise TypeError(f"not a type reference: {node!r}")


@lru_cache(maxsize=1024)
def type_ref(text: str) -> TypeRef:
    """Read a type reference from its text, as in ``type_ref("[Int!]")``."""
    return type_ref_from_node(parse_type(text, no_location=True))


def named_type(ref: TypeRef) -> str:
    """The name of the innermost type."""
    while not isinstance(ref, NamedRef):
        ref = ref.of
    return ref.name


def nullable(ref: TypeRef) -> NamedRef | ListRef:
    """``ref`` without its outermost ``!``, if it has one."""
    return ref.of if isinstance(ref, NonNullRef) else ref


def with_named_type(ref: TypeRef, name: str) -> TypeRef:
    """``ref`` with its innermost type replaced by ``name``."""
    if isinstance(ref, NamedRef):
        return NamedRef(name)
    if isinstance(ref, ListRef):
        return ListRef(with_named_type(ref.of, name))
    inner = with_named_type(ref.of, name)
    return inner if isinstance(inner, NonNullRef) else NonNullRef(inner)
