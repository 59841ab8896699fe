"""``@join__directive``: applications that the router hands to a subgraph's own machinery, kept as they are.

``@cacheTag(format: "product-{$key.id}")`` on a field becomes ``@join__directive(graphs: [SHOP], name:
"federation__cacheTag", args: {format: "product-{$key.id}"})``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from router.composition.merge.context import MergeContext
from router.composition.merge.core_features import SupergraphLink
from router.composition.schema import Application, Field, TypeDefinition
from router.federation.connect_spec import CONNECT_IDENTITY, supergraph_connect_url
from router.federation.hint_codes import HintCode
from router.federation.literals import EnumLiteral, ObjectLiteral, print_arguments

_KEPT = {"cacheTag": "federation__cacheTag", "connect": None, "source": None}
"""The directives that are kept, with their names in the supergraph; None: as their subgraph calls them."""


def join_schema_directives(context: MergeContext) -> tuple[Application, ...]:
    """What is kept of the applications to the schema itself: connectors' sources and the links that bring them."""
    links: dict[int, list[Application]] = {}
    for index, subgraph in enumerate(context.subgraphs):
        link = subgraph.links.by_identity(CONNECT_IDENTITY)
        if link is not None:
            links[index] = [a for a in subgraph.schema.applications if a.node is link.node]
    sources = {index: context.subgraphs[index].schema.applications for index in links}
    return (*_joins(context, links, everything=True), *_joins(context, sources))


def connect_links(context: MergeContext) -> tuple[SupergraphLink, ...]:
    """The supergraph's link of the connect specification, where a subgraph links it."""
    links = [link for subgraph in context.subgraphs if (link := subgraph.links.by_identity(CONNECT_IDENTITY))]
    if not links:
        return ()
    return (SupergraphLink(supergraph_connect_url(links[0].url), "EXECUTION"),)


def implicit_upgrade_hints(context: MergeContext) -> None:
    """Tell of subgraphs that link something which needs a later Federation than they link."""
    for subgraph in context.subgraphs:
        if subgraph.version is not None and subgraph.effective_version > subgraph.version:
            message = (
                f'The subgraph "{subgraph.name}" links Federation {subgraph.version}, but what it uses needs '
                f"{subgraph.effective_version}, which counts for the supergraph"
            )
            context.hint(HintCode.IMPLICITLY_UPGRADED_FEDERATION_VERSION, message, {})


def add_join_directives(context: MergeContext, types: Mapping[str, TypeDefinition]) -> dict[str, TypeDefinition]:
    """The types with the applications that are kept as ``@join__directive``."""
    users = [i for i, subgraph in enumerate(context.subgraphs) if subgraph.links.links]
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


def _joins(
    context: MergeContext, applied: Mapping[int, Sequence[Application]], *, everything: bool = False
) -> list[Application]:
    graphs: dict[str, list[int]] = {}
    first: dict[str, Application] = {}
    for index, applications in applied.items():
        for application in applications:
            if everything or application.spec in _KEPT:
                key = f"{application.name} {print_arguments(application.arguments)}"
                graphs.setdefault(key, []).append(index)
                first.setdefault(key, application)
    return [
        Application(
            "join__directive",
            {
                "graphs": tuple(EnumLiteral(context.graphs[i]) for i in graphs[key]),
                "name": _KEPT.get(application.spec) or application.name,
                "args": ObjectLiteral(tuple(application.arguments.items())),
            },
        )
        for key, application in first.items()
    ]
