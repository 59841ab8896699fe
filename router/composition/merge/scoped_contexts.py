"""Contexts are of one subgraph: ``@context(name: "user")`` of ``shop`` is ``shop__user`` in the supergraph."""

from __future__ import annotations

from dataclasses import replace

from router.composition.preprocess.prepared import PreparedSubgraph
from router.composition.schema import Application, TypeDefinition


def with_scoped_contexts(subgraph: PreparedSubgraph) -> PreparedSubgraph:
    """The subgraph with its contexts under their names in the supergraph."""
    if not any(a.spec == "context" for type_ in subgraph.schema.types.values() for a in type_.directives):
        return subgraph

    def scoped(application: Application) -> Application:
        if application.spec != "context":
            return application
        name = f"{subgraph.name}__{application.arguments.get('name')}"
        return replace(application, arguments={**application.arguments, "name": name})

    def scoped_type(type_: TypeDefinition) -> TypeDefinition:
        return replace(type_, directives=tuple(map(scoped, type_.directives)))

    types = {name: scoped_type(type_) for name, type_ in subgraph.schema.types.items()}
    return replace(subgraph, schema=replace(subgraph.schema, types=types))
