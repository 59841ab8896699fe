"""Directives for operations: the supergraph has those that every subgraph defines."""

from __future__ import annotations

from collections.abc import Collection

from router.composition.merge.applied_directives import DirectiveMerge
from router.composition.merge.arguments import ARGUMENT, merge_input_value
from router.composition.merge.context import MergeContext, Sources
from router.composition.merge.descriptions import merge_description
from router.composition.preprocess.known_directives import GRAPHQL_DIRECTIVE_NAMES
from router.composition.schema import DirectiveDefinition, InputValue
from router.federation.directives import EXECUTABLE_LOCATIONS
from router.federation.error_codes import ErrorCode
from router.federation.hint_codes import HintCode


def merge_executable_directives(
    context: MergeContext, directives: DirectiveMerge, composed: Collection[str]
) -> dict[str, DirectiveDefinition]:
    """The executable directives of the supergraph by name but those ``composed``; hints tell what is lost."""
    by_name: dict[str, dict[int, DirectiveDefinition]] = {}
    for index, subgraph in enumerate(context.subgraphs):
        for name, definition in subgraph.schema.directives.items():
            if (
                name not in GRAPHQL_DIRECTIVE_NAMES
                and name not in composed
                and EXECUTABLE_LOCATIONS & set(definition.locations)
            ):
                by_name.setdefault(name, {})[index] = definition
    merged = {name: _merge(context, directives, name, sources) for name, sources in by_name.items()}
    return {name: definition for name, definition in merged.items() if definition is not None}


def _merge(
    context: MergeContext, directives: DirectiveMerge, name: str, sources: Sources[DirectiveDefinition]
) -> DirectiveDefinition | None:
    coordinate = f"@{name}"
    lacking = [index for index in range(len(context.subgraphs)) if index not in sources]
    if lacking:
        message = (
            f'The executable directive "{coordinate}" is left out of the supergraph, as it is defined in '
            f"{context.named(sources)} but not in {context.named(lacking)}"
        )
        context.hint(HintCode.INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE, message, sources, coordinate)
        return None
    located = {i: [at for at in d.locations if at in EXECUTABLE_LOCATIONS] for i, d in sources.items()}
    first = next(iter(located.values()))
    locations = [location for location in first if all(location in others for others in located.values())]
    if not locations:
        message = (
            f'The executable directive "{coordinate}" is left out of the supergraph, as no location is common to all'
        )
        context.hint(HintCode.NO_EXECUTABLE_DIRECTIVE_INTERSECTION, message, sources, coordinate)
        return None
    if any(set(others) != set(locations) for others in located.values()):
        message = f'The locations of "{coordinate}" differ, the supergraph uses {", ".join(locations)}'
        context.hint(HintCode.INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS, message, sources, coordinate)
    repeatable = all(definition.repeatable for definition in sources.values())
    if not repeatable and any(definition.repeatable for definition in sources.values()):
        message = f'"{coordinate}" is repeatable in some subgraphs only, so it is not in the supergraph'
        context.hint(HintCode.INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE, message, sources, coordinate)
    description = merge_description(context, coordinate, sources)
    arguments = _merge_arguments(context, directives, coordinate, sources)
    return DirectiveDefinition(name, tuple(locations), arguments, repeatable, description)


def _merge_arguments(
    context: MergeContext, directives: DirectiveMerge, coordinate: str, sources: Sources[DirectiveDefinition]
) -> dict[str, InputValue]:
    merged: dict[str, InputValue] = {}
    for name in dict.fromkeys(name for definition in sources.values() for name in definition.arguments):
        place = f"{coordinate}({name}:)"
        declared = {i: d.arguments[name] for i, d in sources.items() if name in d.arguments}
        if len(declared) == len(sources):
            merged[name] = merge_input_value(context, directives, place, declared, ARGUMENT)
        elif any(argument.is_required for argument in declared.values()):
            message = f'The argument "{place}" is required in some subgraphs but does not exist in all'
            context.error(ErrorCode.REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH, message, declared)
        else:
            message = f'The optional argument "{place}" is left out of the supergraph, as not all subgraphs have it'
            context.hint(HintCode.INCONSISTENT_ARGUMENT_PRESENCE, message, declared, place)
    return merged
