"""The rules of ``@cost`` and ``@listSize`` within one subgraph."""

from __future__ import annotations

from collections.abc import Iterator

from router.composition.errors import CompositionError, subgraph_error
from router.composition.schema import Application, Field, Schema, TypeDefinition, TypeKind, applied
from router.federation.error_codes import ErrorCode
from router.federation.type_ref import ListRef, NamedRef, named_type, nullable


def check_costs(schema: Schema, subgraph: str) -> Iterator[CompositionError]:
    """Errors of all applications of ``@cost`` and ``@listSize``."""
    for type_ in schema.types.values():
        for field in type_.fields.values():
            if not field.directives:
                continue
            cost, list_size = applied(field, "cost"), applied(field, "listSize")
            if cost is not None and type_.kind is TypeKind.INTERFACE:
                message = f'@cost cannot be applied to "{type_.name}.{field.name}", a field of an interface'
                yield subgraph_error(ErrorCode.COST_APPLIED_TO_INTERFACE_FIELD, message, subgraph, cost.node)
            if list_size is not None:
                for code, message in _list_size_faults(schema, type_, field, list_size):
                    yield subgraph_error(code, message, subgraph, list_size.node)


def _list_size_faults(
    schema: Schema, type_: TypeDefinition, field: Field, list_size: Application
) -> Iterator[tuple[ErrorCode, str]]:
    place = f"{type_.name}.{field.name}"
    assumed = list_size.arguments.get("assumedSize")
    if isinstance(assumed, int) and assumed < 0:
        yield ErrorCode.LIST_SIZE_INVALID_ASSUMED_SIZE, f'The assumedSize of "{place}" is negative'
    for name in _names(list_size, "slicingArguments"):
        argument = field.arguments.get(name)
        if argument is None:
            yield ErrorCode.LIST_SIZE_INVALID_SLICING_ARGUMENT, f'"{place}" has no slicing argument "{name}"'
        elif nullable(argument.type) != NamedRef("Int"):
            message = f'The slicing argument "{place}({name}:)" must be of type Int or Int!, not {argument.type}'
            yield ErrorCode.LIST_SIZE_INVALID_SLICING_ARGUMENT, message
    sized = _names(list_size, "sizedFields")
    if list_size.arguments.get("sizedFields") in (None, ()):
        if not isinstance(nullable(field.type), ListRef):
            yield ErrorCode.LIST_SIZE_APPLIED_TO_NON_LIST, f'@listSize is applied to "{place}", which is not a list'
        return
    target = schema.types.get(named_type(field.type))
    if target is None or not target.kind.is_composite:
        message = f'@listSize on "{place}" has sizedFields, but its type "{field.type}" has no fields'
        yield ErrorCode.LIST_SIZE_INVALID_SIZED_FIELD, message
        return
    for name in sized:
        sized_field = target.fields.get(name)
        if sized_field is None:
            yield ErrorCode.LIST_SIZE_INVALID_SIZED_FIELD, f'The sized field "{target.name}.{name}" does not exist'
        elif not isinstance(nullable(sized_field.type), ListRef):
            yield ErrorCode.LIST_SIZE_APPLIED_TO_NON_LIST, f'The sized field "{target.name}.{name}" is not a list'


def _names(list_size: Application, argument: str) -> tuple[str, ...]:
    value = list_size.arguments.get(argument)
    values = value if isinstance(value, tuple) else (value,)
    return tuple(name for name in values if isinstance(name, str))
