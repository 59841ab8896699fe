"""``@join__directive``: applications that the router hands to a subgraph's own machinery, kept as they are.

``@cacheTag(format: "product-{$key.id}")`` on a field becomes ``@join__directive(graphs: [SHOP], name:
"federation__cacheTag", args: {format: "product-{$key.id}"})``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from router.composition.merge.context import MergeContext
from router.composition.schema import Application, Field, TypeDefinition
from router.federation.literals import EnumLiteral, ObjectLiteral, print_arguments

_KEPT = {"cacheTag": "federation__cacheTag"}


def add_join_directives(context: MergeContext, types: Mapping[str, TypeDefinition]) -> dict[str, TypeDefinition]:
    """The types with the applications that are kept as ``@join__directive``."""
    users = [i for i, subgraph in enumerate(context.subgraphs) if subgraph.links.federation is not None]
    if not users:
        return dict(types)
    return {name: _add(context, users, type_) for name, type_ in types.items()}


def _add(context: MergeContext, users: Sequence[int], type_: TypeDefinition) -> TypeDefinition:
    sources = {i: context.subgraphs[i].schema.types.get(type_.name) for i in users}
    joins = _joins(context, {i: source.directives for i, source in sources.items() if source})
    fields: dict[str, Field] = {}
    for name, field in type_.fields.items():
        declared = {
            i: source.fields[name].directives for i, source in sources.items() if source and name in source.fields
        }
        found = _joins(context, declared) if any(declared.values()) else []
        fields[name] = replace(field, directives=(*field.directives, *found)) if found else field
    return replace(type_, directives=(*type_.directives, *joins), fields=fields)


def _joins(context: MergeContext, applied: Mapping[int, Sequence[Application]]) -> list[Application]:
    graphs: dict[str, list[int]] = {}
    first: dict[str, Application] = {}
    for index, applications in applied.items():
        for application in applications:
            if application.spec in _KEPT:
                key = f"{application.spec} {print_arguments(application.arguments)}"
                graphs.setdefault(key, []).append(index)
                first.setdefault(key, application)
    return [
        Application(
            "join__directive",
            {
                "graphs": tuple(EnumLiteral(context.graphs[i]) for i in graphs[key]),
                "name": _KEPT[application.spec],
                "args": ObjectLiteral(tuple(application.arguments.items())),
            },
        )
        for key, application in first.items()
    ]
