"""Interfaces of the subgraphs, and ``@interfaceObject`` types that stand for them -> interfaces of the supergraph."""

from __future__ import annotations

from dataclasses import replace

from router.composition.merge.applied_directives import DirectiveMerge
from router.composition.merge.context import MergeContext, Sources
from router.composition.merge.descriptions import merge_description
from router.composition.merge.fields import FieldOverridesByCoordinate, merge_fields
from router.composition.merge.join_field import join_types
from router.composition.merge.object_types import join_implements, missing_field_hints
from router.composition.merge.overrides import NO_OVERRIDES
from router.composition.merge.sharing import check_sharing
from router.composition.preprocess.prepared import PreparedSubgraph
from router.composition.schema import (
    Application,
    Field,
    TypeDefinition,
    TypeKind,
    all_applied,
    applied,
)
from router.composition.words import quoted
from router.federation.error_codes import ErrorCode
from router.federation.hint_codes import HintCode


def merge_interface_type(
    context: MergeContext,
    directives: DirectiveMerge,
    name: str,
    sources: Sources[TypeDefinition],
    overrides: FieldOverridesByCoordinate,
) -> TypeDefinition:
    """One interface: the union of all fields."""
    _check_keys(context, name, sources)
    if not any(applied(type_, "key") for type_ in sources.values()):
        missing_field_hints(context, name, sources, HintCode.INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD)
    return TypeDefinition(
        TypeKind.INTERFACE,
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


def _check_keys(context: MergeContext, name: str, sources: Sources[TypeDefinition]) -> None:
    """A subgraph that resolves an interface by key must know all its types, and an interface object none."""
    implementations = context.relations.implementations(name)
    for index, type_ in sources.items():
        schema = context.subgraphs[index].schema
        if applied(type_, "interfaceObject"):
            known = [n for n in implementations if n in schema.types and n != name]
            if known:
                message = (
                    f'"{name}" is an @interfaceObject and so cannot stand beside its implementation {quoted(known)}'
                )
                context.error(ErrorCode.INTERFACE_OBJECT_USAGE_ERROR, message, {index: type_}, index)
            continue
        keys = [key for key in all_applied(type_, "key") if key.arguments.get("resolvable") is not False]
        missing = [n for n in implementations if n not in schema.types or name not in schema.types[n].interfaces]
        if keys and missing:
            message = (
                f'The interface "{name}" has the resolvable key "{keys[0].arguments.get("fields")}" '
                f"and so must define all its types; it lacks {quoted(missing)}"
            )
            context.error(ErrorCode.INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE, message, {index: keys[0]}, index)


def add_interface_object_fields(context: MergeContext, types: dict[str, TypeDefinition]) -> None:
    """Give implementations the fields that only ``@interfaceObject`` types of their interfaces resolve.

    The field has a bare ``@join__field``: no subgraph has it on the implementation itself.
    """
    for name, interface in list(types.items()):
        if interface.kind is not TypeKind.INTERFACE:
            continue
        names = _interface_object_fields(context.subgraphs, name)
        for implementation in context.relations.implementations(name) if names else ():
            type_ = types[implementation]
            for field in names:
                if field not in type_.fields:
                    check_sharing(context, implementation, field, {}, NO_OVERRIDES)
            added = {field: _copied(interface.fields[field]) for field in names if field not in type_.fields}
            types[implementation] = replace(type_, fields={**type_.fields, **added})


def _interface_object_fields(subgraphs: tuple[PreparedSubgraph, ...], name: str) -> list[str]:
    found: dict[str, None] = {}
    for subgraph in subgraphs:
        type_ = subgraph.schema.types.get(name)
        if type_ is not None and applied(type_, "interfaceObject"):
            found |= dict.fromkeys(f for f in type_.fields if not subgraph.usage.is_external(name, f))
    return list(found)


def _copied(field: Field) -> Field:
    """The interface's field as a field of an implementation."""
    kept = tuple(application for application in field.directives if not application.name.startswith("join__"))
    return replace(field, directives=(Application("join__field"), *kept))
