"""The merged supergraph must be valid GraphQL, and field sets must still fit it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router.composition.errors import CompositionError, SourceLocation, locate, subgraph_error
from router.composition.merge.merge import Merged
from router.composition.preprocess.field_sets import field_set_uses
from router.composition.preprocess.graphql_rules import check_merged_rules
from router.composition.preprocess.prepared import PreparedSubgraph
from router.composition.schema import Schema, TypeDefinition
from router.composition.words import subgraphs_named
from router.federation.error_codes import ErrorCode
from router.federation.field_set import FieldSelection, FieldSetError, FragmentSelection, Selection, parse_field_set
from router.federation.type_ref import named_type


def check_supergraph_rules(merged: Merged) -> Iterator[CompositionError]:
    """Errors of the merged schema, and ``REQUIRES_INVALID_FIELDS`` of selections that it cannot take."""
    yield from list(_missing_implementations(merged)) or check_merged_rules(merged.schema)
    for subgraph in merged.subgraphs:
        for use in field_set_uses(subgraph.schema):
            if use.directive != "requires" or use.text is None:
                continue
            for fault in _faults(merged.schema, use.parent, use.text):
                message = f'On "{use.coordinate}", for @requires(fields: "{use.text}"): {fault}'
                node = use.application.node
                yield subgraph_error(ErrorCode.REQUIRES_INVALID_FIELDS, message, subgraph.name, node)


def _missing_implementations(merged: Merged) -> Iterator[CompositionError]:
    """``INTERFACE_FIELD_NO_IMPLEM``: merging gave an interface a field that some implementation lacks."""
    types = merged.schema.types
    for type_ in types.values():
        for name in type_.interfaces:
            for field in types[name].fields if name in types else ():
                if field not in type_.fields:
                    yield _missing_implementation(merged.subgraphs, type_.name, name, field)


def _missing_implementation(
    subgraphs: Sequence[PreparedSubgraph], type_name: str, interface: str, field: str
) -> CompositionError:
    lacking: list[str] = []
    declaring: list[str] = []
    places: list[SourceLocation] = []
    for subgraph in subgraphs:
        own, declared = subgraph.schema.types.get(type_name), subgraph.schema.types.get(interface)
        if own is not None and interface in own.interfaces:
            lacking.append(subgraph.name)
            places.extend(locate(subgraph.name, (own.node,)))
        if declared is not None and field in declared.fields:
            declaring.append(subgraph.name)
            places.extend(locate(subgraph.name, (declared.fields[field].node,)))
    message = (
        f'"{interface}.{field}" is declared in {subgraphs_named(declaring)}, but "{type_name}", which implements '
        f'"{interface}" in {subgraphs_named(lacking)}, does not have the field'
    )
    return CompositionError(ErrorCode.INTERFACE_FIELD_NO_IMPLEM, message, None, tuple(places))


def _faults(schema: Schema, parent: str, text: str) -> Iterator[str]:
    try:
        yield from _selection_faults(schema, schema.types.get(parent), parse_field_set(text))
    except FieldSetError as error:
        yield error.message


def _selection_faults(schema: Schema, parent: TypeDefinition | None, selections: Sequence[Selection]) -> Iterator[str]:
    """Arguments that merging has dropped, as some subgraph with the field lacks them, or that it has made required."""
    for selection in selections if parent else ():
        if isinstance(selection, FragmentSelection):
            condition = schema.types.get(selection.type_condition or "", parent)
            yield from _selection_faults(schema, condition, selection.selections)
        elif parent is not None:
            yield from _field_faults(schema, parent, selection)


def _field_faults(schema: Schema, parent: TypeDefinition, selection: FieldSelection) -> Iterator[str]:
    field = parent.fields.get(selection.name)
    if field is None:
        return
    for name in selection.arguments:
        if name not in field.arguments:
            place = f"{parent.name}.{field.name}({name}:)"
            yield f'the supergraph has no argument "{place}", as not all subgraphs define it'
    for argument in field.arguments.values():
        if argument.is_required and argument.name not in selection.arguments:
            yield f'"{parent.name}.{field.name}" lacks its required argument "{argument.name}"'
    yield from _selection_faults(schema, schema.types.get(named_type(field.type)), selection.selections)
