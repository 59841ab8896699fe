"""Unions of the subgraphs -> a union of all their members."""

from __future__ import annotations

from router.composition.merge.applied_directives import DirectiveMerge
from router.composition.merge.context import MergeContext, Sources
from router.composition.merge.descriptions import merge_description
from router.composition.merge.join_field import join_types
from router.composition.schema import TypeDefinition, TypeKind
from router.federation.hint_codes import HintCode


def merge_union_type(
    context: MergeContext, directives: DirectiveMerge, name: str, sources: Sources[TypeDefinition]
) -> TypeDefinition:
    """One union, with a hint for each member that some subgraphs lack."""
    members = {member: None for type_ in sources.values() for member in type_.members}
    for member in members:
        having = {index: type_ for index, type_ in sources.items() if member in type_.members}
        if len(having) < len(sources):
            lacking = [index for index in sources if index not in having]
            where = f"in {context.named(having)} but not in {context.named(lacking)}"
            message = f'"{member}" is a member of the union "{name}" {where}'
            context.hint(HintCode.INCONSISTENT_UNION_MEMBER, message, having, name)
    return TypeDefinition(
        TypeKind.UNION,
        name,
        merge_description(context, name, sources),
        (
            *join_types(context, sources),
            *(
                context.join("unionMember", index, member=member)
                for member in members
                for index, type_ in sources.items()
                if member in type_.members
            ),
            *directives.merge(name, {index: type_.directives for index, type_ in sources.items()}, sources),
        ),
        members=members,
    )
