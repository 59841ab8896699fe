"""The supergraph as the router reads it: immutable, and the same for every composer's dialect of the join spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import GraphQLSchema

from router.supergraph.cache_hints import CacheHints
from router.supergraph.costs import Costs
from router.supergraph.protections import Protections
from router.supergraph.query_graph import QueryGraph


@dataclass(frozen=True, slots=True)
class SubgraphInfo:
    """A subgraph by its name in the supergraph, and where it answers."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Supergraph:
    """What a supergraph SDL says.

    ``api_schema`` is what clients see: without join machinery and without ``@inaccessible`` elements. ``graph`` is what
    planning walks: every subgraph's own types, hidden ones included. ``protections`` say who may see what, ``costs``
    what elements weigh and how long lists are, ``cache_hints`` for how long what is seen may be kept.
    """

    api_schema: GraphQLSchema
    subgraphs: Mapping[str, SubgraphInfo]
    graph: QueryGraph = field(repr=False)
    protections: Protections = field(default_factory=dict)
    costs: Costs = field(default_factory=Costs)
    cache_hints: CacheHints = field(default_factory=dict)

    @property
    def override_labels(self) -> tuple[str, ...]:
        """The labels of all progressive overrides, sorted."""
        edges = (edge for type_ in self.graph.types.values() for edge in type_.fields.values())
        return tuple(sorted({edge.label for edge in edges if edge.label is not None}))
