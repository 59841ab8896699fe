"""One type for a field or argument that several subgraphs declare."""

from __future__ import annotations

from router.composition.merge.context import TypeRelations
from router.federation.type_ref import ListRef, NonNullRef, TypeRef, nullable


def is_strict_subtype(type_: TypeRef, of: TypeRef, relations: TypeRelations) -> bool:
    """Whether ``type_`` may stand wherever ``of`` is promised, and is not the same.

    Subtypes are non-null for nullable, an implementation for its interface, a member for its union; in lists too.
    """
    if isinstance(type_, NonNullRef):
        inner = nullable(of)
        if isinstance(of, NonNullRef):
            return is_strict_subtype(type_.of, of.of, relations)
        return type_.of == inner or is_strict_subtype(type_.of, inner, relations)
    if isinstance(of, NonNullRef):
        return False
    if isinstance(type_, ListRef) or isinstance(of, ListRef):
        return isinstance(type_, ListRef) and isinstance(of, ListRef) and is_strict_subtype(type_.of, of.of, relations)
    return relations.is_named_subtype(type_.name, of.name)


def widest(types: list[TypeRef], relations: TypeRelations) -> TypeRef | None:
    """The type that covers all of ``types``; None if none of them does."""
    result = types[0]
    for type_ in types[1:]:
        if is_strict_subtype(result, type_, relations):
            result = type_
        elif type_ != result and not is_strict_subtype(type_, result, relations):
            return None
    return result


def narrowest(types: list[TypeRef], relations: TypeRelations) -> TypeRef | None:
    """The type that all of ``types`` accept; None if none of them does."""
    result = types[0]
    for type_ in types[1:]:
        if is_strict_subtype(type_, result, relations):
            result = type_
        elif type_ != result and not is_strict_subtype(result, type_, relations):
            return None
    return result
