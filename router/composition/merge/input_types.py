"""Input object types of the subgraphs -> the fields that all of them accept."""

from __future__ import annotations

from dataclasses import replace

from router.composition.merge.applied_directives import DirectiveMerge
from router.composition.merge.arguments import INPUT_FIELD, merge_input_value
from router.composition.merge.context import MergeContext, Sources
from router.composition.merge.descriptions import merge_description
from router.composition.merge.join_field import join_input_fields, join_types
from router.composition.schema import InputValue, TypeDefinition, TypeKind, applied
from router.federation.error_codes import ErrorCode
from router.federation.hint_codes import HintCode


def merge_input_type_definition(
    context: MergeContext, directives: DirectiveMerge, name: str, sources: Sources[TypeDefinition]
) -> TypeDefinition:
    """One input object type; a required field that some subgraphs lack is an error, an optional one is left out."""
    fields: dict[str, InputValue] = {}
    for field in dict.fromkeys(field for type_ in sources.values() for field in type_.inputs):
        declared = {index: type_.inputs[field] for index, type_ in sources.items() if field in type_.inputs}
        if len(declared) < len(sources) and not any(applied(value, "inaccessible") for value in declared.values()):
            _missing_field(context, name, field, declared, sources)
            continue
        merged = merge_input_value(context, directives, f"{name}.{field}", declared, INPUT_FIELD)
        joins = join_input_fields(context, declared, sources)
        fields[field] = replace(merged, directives=(*joins, *merged.directives))
    if not fields and any(type_.inputs for type_ in sources.values()):
        message = f'No field of the input object type "{name}" is defined in all of {context.named(sources)}'
        context.error(ErrorCode.EMPTY_MERGED_INPUT_TYPE, message, sources)
    return TypeDefinition(
        TypeKind.INPUT_OBJECT,
        name,
        merge_description(context, name, sources),
        (
            *join_types(context, sources),
            *directives.merge(name, {index: type_.directives for index, type_ in sources.items()}, sources),
        ),
        inputs=fields,
    )


def _missing_field(
    context: MergeContext, name: str, field: str, declared: Sources[InputValue], sources: Sources[TypeDefinition]
) -> None:
    place = f"{name}.{field}"
    lacking = [index for index in sources if index not in declared]
    required = [index for index, value in declared.items() if value.is_required]
    if required:
        where = f"in {context.named(required)} but does not exist in {context.named(lacking)}"
        message = f'The input field "{place}" is required {where}'
        context.error(ErrorCode.REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH, message, declared)
        return
    message = (
        f'The input field "{place}" is left out of the supergraph, as it is defined in {context.named(declared)} '
        f"but not in {context.named(lacking)}"
    )
    context.hint(HintCode.INCONSISTENT_INPUT_OBJECT_FIELD, message, declared, place)
