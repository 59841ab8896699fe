"""The rules of ``@context`` and ``@fromContext`` within one subgraph."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from router.composition.errors import CompositionError, subgraph_error
from router.composition.preprocess.contexts import ContextualArgument, context_types, contextual_arguments
from router.composition.preprocess.field_sets import argument_faults
from router.composition.preprocess.graphql_rules import is_subtype
from router.composition.schema import Schema, TypeDefinition, all_applied, applied
from router.federation.directives import NoDefault
from router.federation.error_codes import ErrorCode
from router.federation.field_set import FieldSelection, FieldSetError, FragmentSelection, Selection, parse_field_set
from router.federation.type_ref import ListRef, NonNullRef, TypeRef, named_type, nullable

_CONTEXT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def check_contexts(schema: Schema, subgraph: str) -> Iterator[CompositionError]:
    """Errors of all context names and contextual arguments; codes ``CONTEXT_*`` and ``NO_CONTEXT_IN_SELECTION``."""
    for type_ in schema.types.values():
        for application in all_applied(type_, "context"):
            name = application.arguments.get("name")
            if not isinstance(name, str) or not _CONTEXT_NAME.fullmatch(name):
                message = f'The context name "{name}" on "{type_.name}" must be letters and digits, a letter first'
                yield subgraph_error(ErrorCode.CONTEXT_NAME_INVALID, message, subgraph, application.node)
    contexts = context_types(schema)
    for argument in contextual_arguments(schema):
        for code, message in _argument_faults(schema, contexts, argument):
            yield subgraph_error(code, message, subgraph, argument.argument.node)


def _argument_faults(
    schema: Schema, contexts: dict[str, list[str]], use: ContextualArgument
) -> Iterator[tuple[ErrorCode, str]]:
    place = f"{use.type.name}.{use.field.name}({use.argument.name}:)"
    if not isinstance(use.argument.default, NoDefault):
        yield ErrorCode.CONTEXT_NOT_SET, f'The contextual argument "{place}" cannot have a default value'
    for interface in use.type.interfaces:
        if interface in schema.types and use.field.name in schema.types[interface].fields:
            message = f'"{place}" cannot be contextual, as its field implements one of the interface "{interface}"'
            yield ErrorCode.CONTEXT_NOT_SET, message
    if all(key.arguments.get("resolvable") is False for key in all_applied(use.type, "key")):
        message = f'"{use.type.name}" has the contextual argument "{place}" and needs a resolvable @key'
        yield ErrorCode.CONTEXT_NO_RESOLVABLE_KEY, message
    if use.context is None:
        yield ErrorCode.NO_CONTEXT_IN_SELECTION, f'@fromContext on "{place}" names no context, as in "$user {{ id }}"'
    elif use.context not in contexts:
        yield ErrorCode.CONTEXT_NOT_SET, f'"{place}" uses the context "{use.context}", which no type sets'
    elif not (use.selection or "").strip():
        yield ErrorCode.NO_CONTEXT_IN_SELECTION, f'@fromContext on "{place}" selects nothing of "{use.context}"'
    else:
        yield from _selection_faults(schema, contexts[use.context], use, place)


def _selection_faults(
    schema: Schema, types: Sequence[str], use: ContextualArgument, place: str
) -> Iterator[tuple[ErrorCode, str]]:
    def fault(message: str) -> tuple[ErrorCode, str]:
        return ErrorCode.CONTEXT_INVALID_SELECTION, f'The selection of "{place}" from context "{use.context}" {message}'

    try:
        selections = parse_field_set(use.selection or "")
    except FieldSetError as error:
        yield fault(f"cannot be read: {error.message}")
        return
    if _has(selections, lambda selection: bool(selection.directives)):
        yield fault("applies directives")
        return
    if _has(selections, lambda selection: isinstance(selection, FieldSelection) and selection.alias is not None):
        yield fault("uses aliases")
        return
    possible = {name for type_ in types for name in schema.possible_types(type_)}
    for selection in selections:
        condition = selection.type_condition if isinstance(selection, FragmentSelection) else None
        if condition is not None and possible.isdisjoint(schema.possible_types(condition)):
            yield fault(f'has the type condition "{condition}", which no type that sets the context meets')
    wanted = nullable(use.argument.type)
    for name in types:
        if applied(schema.types[name], "interfaceObject"):
            yield fault(f'is read on "{name}", which is an @interfaceObject')
            continue
        for concrete in _with_conditions(schema, name, selections, use.argument.type):
            if applied(concrete, "interfaceObject"):
                yield fault(f'is read on "{concrete.name}", which is an @interfaceObject')
                continue
            found = _selected_type(schema, concrete, selections)
            if isinstance(found, str):
                yield fault(f'is invalid on "{concrete.name}": {found}')
            elif not is_subtype(nullable(found), wanted, schema) or (
                isinstance(use.argument.type, NonNullRef) and not isinstance(found, NonNullRef)
            ):
                yield fault(f'is of type {found} on "{concrete.name}", not {use.argument.type}')


def _has(selections: Sequence[Selection], predicate: Callable[[Selection], bool]) -> bool:
    return any(predicate(selection) or _has(selection.selections, predicate) for selection in selections)


def _with_conditions(
    schema: Schema, name: str, selections: Sequence[Selection], wanted: TypeRef
) -> Iterator[TypeDefinition]:
    """The types on which a selection is read: concrete ones that it is for, where it has type conditions.

    On others of an abstract type the argument is null, where it may be.
    """
    conditions = [s.type_condition or name for s in selections if isinstance(s, FragmentSelection)]
    if not conditions:
        yield schema.types[name]
        return
    possible = schema.possible_types(name)
    met = [one for one in possible if any(one in schema.possible_types(condition) for condition in conditions)]
    for one in possible if isinstance(wanted, NonNullRef) else met or possible:
        yield schema.types[one]


def _selected_type(schema: Schema, type_: TypeDefinition, selections: Sequence[Selection]) -> TypeRef | str:
    """The type of the single leaf that is selected, in lists and non-null as on its way; or what is wrong."""
    matching: list[Selection] = []
    for selection in selections:
        if isinstance(selection, FragmentSelection):
            condition = selection.type_condition or type_.name
            if type_.name in schema.possible_types(condition):
                matching.extend(selection.selections)
        else:
            matching.append(selection)
    if not matching:
        return "no type condition of it matches"
    selection = matching[0]
    if len(matching) > 1 or not isinstance(selection, FieldSelection):
        return "it selects more than one field"
    field = type_.fields.get(selection.name)
    if field is None:
        return f'there is no field "{selection.name}"'
    fault = next(argument_faults(schema, f"{type_.name}.{field.name}", field, selection), None)
    if fault is not None:
        return fault
    target = schema.types.get(named_type(field.type))
    if target is None or not target.kind.is_composite:
        return f'"{selection.name}" has no fields to select' if selection.selections else field.type
    if not selection.selections:
        return f'"{selection.name}" needs a selection of its fields'
    inner = _selected_type(schema, target, selection.selections)
    return inner if isinstance(inner, str) else _wrap(field.type, inner)


def _wrap(outer: TypeRef, inner: TypeRef) -> TypeRef:
    """``inner`` within the lists of ``outer``; nullable where either may be null."""
    if isinstance(outer, NonNullRef):
        wrapped = _wrap(outer.of, inner)
        return wrapped if isinstance(wrapped, NonNullRef) or not _non_null_inside(outer, inner) else NonNullRef(wrapped)
    if isinstance(outer, ListRef):
        return ListRef(_wrap(outer.of, inner))
    return nullable(inner)


def _non_null_inside(outer: TypeRef, inner: TypeRef) -> bool:
    return isinstance(nullable(outer), ListRef) or isinstance(inner, NonNullRef)
