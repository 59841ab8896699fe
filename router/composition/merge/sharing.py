"""Which subgraphs resolve a field, and whether they all agree to share it."""

from __future__ import annotations

from router.composition.merge.context import MergeContext, Sources
from router.composition.merge.overrides import FieldOverrides
from router.composition.schema import Field, TypeDefinition, applied
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
    )
    elements = {**{i: field for (i, _), field in through.items()}, **{i: sources[i] for i in resolving}}
    context.error(ErrorCode.INVALID_FIELD_SHARING, message, elements)
