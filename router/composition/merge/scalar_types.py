"""Scalars of the subgraphs -> one scalar."""

from __future__ import annotations

from router.composition.merge.applied_directives import DirectiveMerge
from router.composition.merge.context import MergeContext, Sources
from router.composition.merge.descriptions import merge_description
from router.composition.merge.join_field import join_types
from router.composition.schema import TypeDefinition, TypeKind


def merge_scalar_type(
    context: MergeContext, directives: DirectiveMerge, name: str, sources: Sources[TypeDefinition]
) -> TypeDefinition:
    """One scalar with what is applied to it."""
    applications = directives.merge(name, {index: type_.directives for index, type_ in sources.items()}, sources)
    return TypeDefinition(
        TypeKind.SCALAR,
        name,
        merge_description(context, name, sources),
        (*join_types(context, sources), *applications),
    )
