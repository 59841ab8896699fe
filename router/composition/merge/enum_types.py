"""Enums of the subgraphs -> one enum, by what the supergraph uses it for.

Values that clients receive may come from any subgraph (union); values that clients send must be understood by all
(intersection); an enum that is used in both ways must be the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from router.composition.merge.applied_directives import DirectiveMerge
from router.composition.merge.context import MergeContext, Sources
from router.composition.merge.descriptions import merge_description
from router.composition.merge.join_field import join_types
from router.composition.schema import DirectiveDefinition, EnumValue, TypeDefinition, TypeKind, applied
from router.federation.error_codes import ErrorCode
from router.federation.hint_codes import HintCode
from router.federation.type_ref import named_type


@dataclass(frozen=True, slots=True)
class TypePositions:
    """For each type used as input or output an example of where."""

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


def type_positions(types: Iterable[TypeDefinition], directives: Iterable[DirectiveDefinition]) -> TypePositions:
    """Where the merged types are used."""
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for type_ in types:
        for field in type_.fields.values():
            place = f"{type_.name}.{field.name}"
            outputs.setdefault(named_type(field.type), place)
            for argument in field.arguments.values():
                inputs.setdefault(named_type(argument.type), f"{place}({argument.name}:)")
        for value in type_.inputs.values():
            inputs.setdefault(named_type(value.type), f"{type_.name}.{value.name}")
    for directive in directives:
        for argument in directive.arguments.values():
            inputs.setdefault(named_type(argument.type), f"@{directive.name}({argument.name}:)")
    return TypePositions(inputs, outputs)


def merge_enum_type(
    context: MergeContext,
    directives: DirectiveMerge,
    name: str,
    sources: Sources[TypeDefinition],
    positions: TypePositions,
) -> TypeDefinition:
    """One enum; see the module for which values it has."""
    as_input, as_output = positions.inputs.get(name), positions.outputs.get(name)
    if as_input is None and as_output is None:
        message = f'The enum "{name}" is defined but used nowhere; the supergraph has all values of all subgraphs'
        context.hint(HintCode.UNUSED_ENUM_TYPE, message, sources, name)
    values: dict[str, EnumValue] = {}
    for value in dict.fromkeys(value for type_ in sources.values() for value in type_.values):
        declared = {index: type_.values[value] for index, type_ in sources.items() if value in type_.values}
        if _is_kept(context, name, value, declared, sources, as_input, as_output):
            values[value] = _merge_value(context, directives, name, declared)
    if not values:
        message = f'No value of the enum "{name}" is defined in all of {context.named(sources)}'
        context.error(ErrorCode.EMPTY_MERGED_ENUM_TYPE, message, sources)
    return TypeDefinition(
        TypeKind.ENUM,
        name,
        merge_description(context, name, sources),
        (
            *join_types(context, sources),
            *directives.merge(name, {index: type_.directives for index, type_ in sources.items()}, sources),
        ),
        values=values,
    )


def _is_kept(
    context: MergeContext,
    name: str,
    value: str,
    declared: Sources[EnumValue],
    sources: Sources[TypeDefinition],
    as_input: str | None,
    as_output: str | None,
) -> bool:
    """Whether the value is in the supergraph; tells where subgraphs differ."""
    if len(declared) == len(sources):
        return True
    place = f"{name}.{value}"
    lacking = [index for index in sources if index not in declared]
    found = f"it is defined in {context.named(declared)} but not in {context.named(lacking)}"
    inaccessible = any(applied(element, "inaccessible") for element in declared.values())
    if as_input is not None and as_output is not None:
        if not inaccessible:
            message = (
                f'The enum "{name}" is used for input (by "{as_input}") and output (by "{as_output}"), '
                f'so all subgraphs must have the value "{place}": {found}'
            )
            context.error(ErrorCode.ENUM_VALUE_MISMATCH, message, declared)
        return True
    if as_input is not None:
        if inaccessible:
            return True
        message = f'The enum value "{place}" is left out of the supergraph: {found}'
        context.hint(HintCode.INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM, message, declared, name)
        return False
    if as_input is None:
        message = f'The enum value "{place}" is in the supergraph, though {found}'
        context.hint(HintCode.INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM, message, declared, name)
    return True


def _merge_value(
    context: MergeContext, directives: DirectiveMerge, name: str, declared: Sources[EnumValue]
) -> EnumValue:
    first = next(iter(declared.values()))
    place = f"{name}.{first.name}"
    applications = directives.merge(place, {index: value.directives for index, value in declared.items()}, declared)
    joins = tuple(context.join("enumValue", index) for index in declared)
    return EnumValue(first.name, merge_description(context, place, declared), (*joins, *applications), first.node)
