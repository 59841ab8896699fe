"""Whether a constant value fits an input type."""

from __future__ import annotations

from router.composition.schema import Schema, TypeDefinition, TypeKind
from router.federation.literals import EnumLiteral, Literal, ObjectLiteral
from router.federation.type_ref import ListRef, NonNullRef, TypeRef

_INT_LIMIT = 2**31


def fits(value: Literal, type_: TypeRef, schema: Schema) -> bool:
    """Whether ``value`` may be given where ``type_`` is asked, by GraphQL's input coercion; unknown types take all.

    As other composers do, a string may name an enum value and be written like one, and an input object may lack
    required fields: published SDL has all three.
    """
    if isinstance(type_, NonNullRef):
        return value is not None and fits(value, type_.of, schema)
    if value is None:
        return True
    if isinstance(type_, ListRef):
        items = value if isinstance(value, tuple) else (value,)
        return all(fits(item, type_.of, schema) for item in items)
    definition = schema.types.get(type_.name)
    if definition is not None and definition.kind is TypeKind.ENUM:
        return (value.name if isinstance(value, EnumLiteral) else value) in definition.values
    if definition is not None and definition.kind is TypeKind.INPUT_OBJECT:
        return isinstance(value, ObjectLiteral) and _fits_input(value, definition, schema)
    return _fits_scalar(value, type_.name)


def _fits_input(value: ObjectLiteral, definition: TypeDefinition, schema: Schema) -> bool:
    given = dict(value.fields)
    if any(name not in definition.inputs for name in given):
        return False
    return all(
        fits(given[name], declared.type, schema) for name, declared in definition.inputs.items() if name in given
    )


def _fits_scalar(value: Literal, name: str) -> bool:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    match name:
        case "Int":
            return is_int and isinstance(value, int) and -_INT_LIMIT <= value < _INT_LIMIT
        case "Float":
            return is_int or isinstance(value, float)
        case "String":
            return isinstance(value, str | EnumLiteral)
        case "ID":
            return isinstance(value, str | EnumLiteral) or is_int
        case "Boolean":
            return isinstance(value, bool)
    return True
