"""Which subgraphs resolve a field, and whether they all agree to share it."""

from __future__ import annotations

from collections.abc import Sequence

from router.composition.merge.context import MergeContext, Sources
from router.composition.merge.overrides import FieldOverrides
from router.composition.preprocess.usage import Coordinate, application_coordinates
from router.composition.schema import Field, TypeDefinition, all_applied, applied
from router.composition.words import human_list
from router.federation.error_codes import ErrorCode

StandIn = tuple[int, str]
"""A subgraph and its ``@interfaceObject`` type, which resolves a field of the interface's implementations."""


def stand_ins(context: MergeContext, type_name: str, field_name: str) -> dict[StandIn, Field]:
    """The ``@interfaceObject`` fields that resolve ``type_name.field_name`` on behalf of an interface of the type."""
    found: dict[StandIn, Field] = {}
    for interface in sorted(context.relations.interfaces.get(type_name, ())):
        for index, subgraph in enumerate(context.subgraphs):
            type_ = subgraph.schema.types.get(interface)
            if type_ is None or not _is_interface_object(type_) or field_name not in type_.fields:
                continue
            if not subgraph.usage.is_fully_external(interface, field_name):
                found[index, interface] = type_.fields[field_name]
    return found


def _is_interface_object(type_: TypeDefinition) -> bool:
    return applied(type_, "interfaceObject") is not None


def _resolves(context: MergeContext, index: int, type_name: str, field_name: str, overrides: FieldOverrides) -> bool:
    """Whether a subgraph resolves the field, if only where it provides it: no override takes that away."""
    usage = context.subgraphs[index].usage
    if usage.is_external(type_name, field_name):
        return not usage.is_fully_external(type_name, field_name)
    return index not in overrides.overridden


def check_sharing(
    context: MergeContext, type_name: str, field_name: str, sources: Sources[Field], overrides: FieldOverrides
) -> None:
    """``INVALID_FIELD_SHARING`` where several subgraphs resolve a field and one of them does not say ``@shareable``."""
    resolving = [index for index in sources if _resolves(context, index, type_name, field_name, overrides)]
    through = stand_ins(context, type_name, field_name)
    if len(resolving) + len(through) < 2:
        return
    usages = [context.subgraphs[index].usage.shareable for index in resolving]
    unshared = [i for i, shareable in zip(resolving, usages, strict=True) if (type_name, field_name) not in shareable]
    unshared += [
        index for index, interface in through if (interface, field_name) not in context.subgraphs[index].usage.shareable
    ]
    if not unshared:
        return
    place = f"{type_name}.{field_name}"
    who = [f'"{context.name(index)}"' for index in resolving]
    who += [f'"{context.name(i)}" (by the @interfaceObject field "{name}.{field_name}")' for i, name in through]
    message = (
        f'"{place}" is resolved by subgraphs {human_list(who)}, but is not @shareable in {context.named(unshared)}'
        f"{_missing_key(context, type_name, field_name, unshared)}"
    )
    elements = {**{i: field for (i, _), field in through.items()}, **{i: sources[i] for i in resolving}}
    context.error(ErrorCode.INVALID_FIELD_SHARING, message, elements)


def _missing_key(context: MergeContext, type_name: str, field_name: str, unshared: Sequence[int]) -> str:
    """What was probably forgotten, as the end of a sentence: the ``@key`` that makes the field shareable elsewhere."""
    if any(_keys(context, index, type_name) for index in unshared):
        return ""
    keys = (key for index in range(len(context.subgraphs)) for key in _keys(context, index, type_name))
    fields = next((text for text, selected in keys if (type_name, field_name) in selected), None)
    return f'; does "{type_name}" lack @key(fields: "{fields}") there?' if fields is not None else ""


def _keys(context: MergeContext, index: int, type_name: str) -> list[tuple[str, tuple[Coordinate, ...]]]:
    """The keys that a subgraph gives a type, each with the fields that it selects."""
    schema = context.subgraphs[index].schema
    type_ = schema.types.get(type_name)
    applications = all_applied(type_, "key") if type_ is not None else ()
    return [(str(one.arguments.get("fields")), application_coordinates(schema, type_name, one)) for one in applications]
