"""Estimates over the supergraph that a subgraph with ``@cost`` and ``@listSize`` composes to."""

from __future__ import annotations

from collections.abc import Mapping

from router import Subgraph, compose
from router.operation.cost.estimate import Estimated, compile_estimate
from router.operation.document import parse_document
from router.operation.literals import lift_literals
from router.operation.model import Operation
from router.operation.normalize import build_lifted_operation
from router.operation.variables import coerce_variables
from router.supergraph.model import Supergraph
from router.supergraph.read import read_supergraph

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@cost", "@listSize"])\n'


def supergraph_of(sdl: str) -> Supergraph:
    """The supergraph of one subgraph."""
    composition = compose([Subgraph("only", "http://only.test/graphql", LINK + sdl)])
    assert composition.supergraph_sdl is not None, composition.errors
    return read_supergraph(composition.supergraph_sdl)


def operation_of(supergraph: Supergraph, text: str) -> tuple[Operation, Mapping[str, object]]:
    """The operation as the router compiles it, its literals lifted, and the values of these."""
    schema = supergraph.api_schema
    document = parse_document(text)
    lifted = lift_literals(schema, document, text)
    assert lifted is not None
    return build_lifted_operation(schema, document, lifted), lifted.values


def values_of(supergraph: Supergraph, text: str, variables: Mapping[str, object]) -> dict[str, object]:
    """The values of all variables of the operation as the router has them."""
    operation, literals = operation_of(supergraph, text)
    return {**coerce_variables(supergraph.api_schema, operation, variables), **literals}


def estimated(sdl: str, text: str, default_list_size: int = 10, **variables: object) -> Estimated:
    """What the operation costs over the composed ``sdl``."""
    supergraph = supergraph_of(sdl)
    operation, _ = operation_of(supergraph, text)
    estimate = compile_estimate(supergraph.api_schema, supergraph.costs, operation, default_list_size)
    return estimate(values_of(supergraph, text, variables))


def cost(sdl: str, text: str, default_list_size: int = 10, **variables: object) -> float:
    """As ``estimated``, where every slicing argument is given that must be."""
    found = estimated(sdl, text, default_list_size, **variables)
    assert found.unsliced == ()
    return found.cost
