"""Supergraph SDL -> :class:`router.supergraph.model.Supergraph`."""

from __future__ import annotations

from types import MappingProxyType

from graphql import DocumentNode, EnumTypeDefinitionNode, GraphQLError, parse

from router.errors import InputError
from router.supergraph.api_schema import build_api_schema
from router.supergraph.build_graph import build_query_graph
from router.supergraph.cache_hints import read_cache_hints
from router.supergraph.costs import read_costs
from router.supergraph.join_spec import JoinNames, directive_values, read_names
from router.supergraph.model import SubgraphInfo, Supergraph
from router.supergraph.protections import read_protections


def read_supergraph(sdl: str) -> Supergraph:
    """Read a supergraph of any composer (join spec v0.1 to v0.5).

    InputError(INVALID_SUPERGRAPH) where the text is not GraphQL, is not a supergraph, or contradicts itself.
    """
    try:
        document = parse(sdl, no_location=True)
        names = read_names(document)
        graphs = _read_graphs(document, names)
        api_schema = build_api_schema(document, names)
        graph = build_query_graph(document, names, {value: info.name for value, info in graphs.items()})
        protections = read_protections(document, names)
        costs = read_costs(document, names)
        cache_hints = read_cache_hints(document, names)
    except (GraphQLError, TypeError, KeyError, ValueError) as error:
        raise InputError("INVALID_SUPERGRAPH", f"The supergraph cannot be read: {_reason(error)}") from error
    except RecursionError as error:
        raise InputError("INVALID_SUPERGRAPH", "The supergraph cannot be read: it is nested too deeply.") from error
    subgraphs = MappingProxyType({info.name: info for info in graphs.values()})
    return Supergraph(api_schema, subgraphs, graph, protections, costs, cache_hints)


def _read_graphs(document: DocumentNode, names: JoinNames) -> dict[str, SubgraphInfo]:
    """The values of ``join__Graph``, each with the subgraph that it stands for."""
    graphs: dict[str, SubgraphInfo] = {}
    for definition in document.definitions:
        if isinstance(definition, EnumTypeDefinitionNode) and definition.name.value == f"{names.join}__Graph":
            for value in definition.values or ():
                for values in directive_values(value.directives, f"{names.join}__graph"):
                    graphs[value.name.value] = SubgraphInfo(values["name"], values.get("url") or "")
    if not graphs:
        raise ValueError(f"no subgraph is declared by the enum {names.join}__Graph.")
    return graphs


def _reason(error: Exception) -> str:
    if isinstance(error, GraphQLError):
        line, column = error.locations[0] if error.locations else (0, 0)
        return f"{error.message} (line {line}, column {column})" if line else error.message
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is referred to and nowhere declared."
    return str(error)
