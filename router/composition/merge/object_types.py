"""Object types of the subgraphs -> object types of the supergraph: the union of their fields."""

from __future__ import annotations

from router.composition.merge.applied_directives import DirectiveMerge
from router.composition.merge.context import MergeContext, Sources
from router.composition.merge.descriptions import merge_description
from router.composition.merge.fields import FieldOverridesByCoordinate, merge_fields
from router.composition.merge.join_field import join_types
from router.composition.schema import ROOT_NAMES, Application, TypeDefinition, TypeKind, applied
from router.federation.hint_codes import HintCode


def merge_object_type(
    context: MergeContext,
    directives: DirectiveMerge,
    name: str,
    sources: Sources[TypeDefinition],
    overrides: FieldOverridesByCoordinate,
) -> TypeDefinition:
    """One object type, with hints for subgraphs that see it differently."""
    _entity_hints(context, name, sources)
    return TypeDefinition(
        TypeKind.OBJECT,
        name,
        merge_description(context, name, sources),
        (
            *join_implements(context, sources),
            *join_types(context, sources),
            *directives.merge(name, {index: type_.directives for index, type_ in sources.items()}, sources),
        ),
        {interface: None for type_ in sources.values() for interface in type_.interfaces},
        merge_fields(context, directives, name, sources, overrides),
    )


def join_implements(context: MergeContext, sources: Sources[TypeDefinition]) -> list[Application]:
    """``@join__implements`` for each interface in each subgraph."""
    return [
        context.join("implements", index, interface=interface)
        for index, type_ in sources.items()
        for interface in type_.interfaces
    ]


def _entity_hints(context: MergeContext, name: str, sources: Sources[TypeDefinition]) -> None:
    """Hints for an entity that is none elsewhere, and for fields that some subgraphs of a value type lack."""
    entities = [index for index, type_ in sources.items() if applied(type_, "key")]
    if entities:
        others = {index: type_ for index, type_ in sources.items() if index not in entities}
        if others:
            message = (
                f'"{name}" is an entity (has a @key) in {context.named(entities)} but not in {context.named(others)}'
            )
            context.hint(HintCode.INCONSISTENT_ENTITY, message, others, name)
        return
    if name in ROOT_NAMES.values():
        return
    missing_field_hints(context, name, sources, HintCode.INCONSISTENT_OBJECT_VALUE_TYPE_FIELD)


def _is_all_external(context: MergeContext, index: int, type_: TypeDefinition) -> bool:
    """Whether a subgraph mentions a type only to say what it needs of it."""
    return all(context.subgraphs[index].is_external(type_.name, field) for field in type_.fields)


def missing_field_hints(context: MergeContext, name: str, sources: Sources[TypeDefinition], code: HintCode) -> None:
    """A hint for each field that only some of the subgraphs with the type have."""
    sources = {index: type_ for index, type_ in sources.items() if not _is_all_external(context, index, type_)}
    for field in dict.fromkeys(field for type_ in sources.values() for field in type_.fields):
        having = {index: type_.fields[field] for index, type_ in sources.items() if field in type_.fields}
        if len(having) < len(sources):
            lacking = [index for index in sources if index not in having]
            place = f"{name}.{field}"
            message = f'"{place}" is defined in {context.named(having)} but not in {context.named(lacking)}'
            context.hint(code, message, having, place)
