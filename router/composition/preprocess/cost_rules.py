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
    yield from _bare_names(list_size, place)
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
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, tuple) else ()


def _bare_names(list_size: Application, place: str) -> Iterator[tuple[ErrorCode, str]]:
    """GraphQL takes one name for a list of it, but tools that read supergraphs take it letter by letter."""
    for argument, code in (
        ("slicingArguments", ErrorCode.LIST_SIZE_INVALID_SLICING_ARGUMENT),
        ("sizedFields", ErrorCode.LIST_SIZE_INVALID_SIZED_FIELD),
    ):
        value = list_size.arguments.get(argument)
        if isinstance(value, str):
            yield code, f'{argument} of @listSize on "{place}" must be a list; write {argument}: ["{value}"]'
