"""Fields of object types and interfaces: the subgraphs' declarations of one field -> the supergraph's."""

from __future__ import annotations

from router.composition.merge.applied_directives import DirectiveMerge
from router.composition.merge.arguments import merge_arguments
from router.composition.merge.context import MergeContext, Sources, by_text
from router.composition.merge.descriptions import merge_description
from router.composition.merge.externals import check_externals
from router.composition.merge.join_field import join_fields
from router.composition.merge.overrides import FieldOverrides, read_overrides
from router.composition.merge.sharing import check_sharing, stand_ins
from router.composition.merge.types import widest
from router.composition.schema import ROOT_NAMES, Application, Field, TypeDefinition, TypeKind
from router.composition.words import variants
from router.federation.error_codes import ErrorCode
from router.federation.hint_codes import HintCode
from router.federation.type_ref import TypeRef

FieldOverridesByCoordinate = dict[tuple[str, str], FieldOverrides]


def merge_fields(
    context: MergeContext,
    directives: DirectiveMerge,
    name: str,
    sources: Sources[TypeDefinition],
    overrides: FieldOverridesByCoordinate,
) -> dict[str, Field]:
    """All fields of a type in the order in which the subgraphs first mention them; adds to ``overrides``."""
    merged: dict[str, Field] = {}
    for field_name in dict.fromkeys(field for type_ in sources.values() for field in type_.fields):
        declared = {index: type_.fields[field_name] for index, type_ in sources.items() if field_name in type_.fields}
        field_overrides = read_overrides(context, name, declared)
        if field_overrides.overridden:
            overrides[name, field_name] = field_overrides
        merged[field_name] = _merge_field(context, directives, name, declared, sources, field_overrides)
    return merged


def _merge_field(
    context: MergeContext,
    directives: DirectiveMerge,
    type_name: str,
    sources: Sources[Field],
    parents: Sources[TypeDefinition],
    overrides: FieldOverrides,
) -> Field:
    first = next(iter(sources.values()))
    place = f"{type_name}.{first.name}"
    external = {i: f for i, f in sources.items() if context.subgraphs[i].is_external(type_name, f.name)}
    resolving: Sources[Field] = {i: f for i, f in sources.items() if i not in external}
    is_object = context.relations.kinds[type_name] is TypeKind.OBJECT
    if not resolving:
        if not stand_ins(context, type_name, first.name):
            message = (
                f'"{place}" is @external in all subgraphs that declare it ({context.named(external)}); none resolves it'
            )
            context.error(ErrorCode.EXTERNAL_MISSING_ON_BASE, message, external)
        resolving = sources
    merged = Field(
        first.name,
        _merge_type(context, place, resolving),
        merge_arguments(context, directives, place, resolving),
        merge_description(context, place, resolving),
        _directives(
            context, directives, place, resolving, join_fields(context, type_name, sources, parents, overrides)
        ),
        first.node,
    )
    if is_object:
        check_sharing(context, type_name, first.name, sources, overrides)
        _check_subscription(context, type_name, sources)
    if external and resolving is not sources:
        check_externals(context, place, merged, external, resolving)
    return merged


def _directives(
    context: MergeContext,
    directives: DirectiveMerge,
    place: str,
    sources: Sources[Field],
    joins: tuple[Application, ...],
) -> tuple[Application, ...]:
    merged = directives.merge(place, {index: field.directives for index, field in sources.items()}, sources)
    return (*joins, *merged)


def _merge_type(context: MergeContext, place: str, sources: Sources[Field]) -> TypeRef:
    types = {index: field.type for index, field in sources.items()}
    distinct = list(dict.fromkeys(types.values()))
    if len(distinct) == 1:
        return distinct[0]
    found = variants(by_text(context, {index: str(type_) for index, type_ in types.items()}))
    merged = widest(distinct, context.relations)
    if merged is None:
        message = f'The type of "{place}" differs between subgraphs and no type covers all: {found}'
        context.error(ErrorCode.FIELD_TYPE_MISMATCH, message, sources)
        return distinct[0]
    message = f'The type of "{place}" differs, the supergraph uses "{merged}": {found}'
    context.hint(HintCode.INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE, message, sources, place)
    return merged


def _check_subscription(context: MergeContext, type_name: str, sources: Sources[Field]) -> None:
    """A subscription's events come from one subgraph, so its field cannot be shared."""
    if type_name != ROOT_NAMES["subscription"]:
        return
    shared = {i: f for i, f in sources.items() if (type_name, f.name) in context.subgraphs[i].usage.shareable}
    if shared:
        place = f"{type_name}.{next(iter(shared.values())).name}"
        message = f'"{place}" is @shareable in {context.named(shared)}, but subscriptions cannot be shared'
        context.error(ErrorCode.INVALID_FIELD_SHARING, message, shared)
