"""Cases of which it is counted what they cost: never more than was estimated, and as much as one server counts.

``@cost`` and ``@listSize`` are written into drawn subgraphs. No list of a world has more than three members, which is
what the estimate takes for lists that say nothing.
"""

from __future__ import annotations

import random
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLResolveInfo,
    GraphQLSchema,
    ListTypeNode,
    NonNullTypeNode,
    Visitor,
    execute_sync,
    get_named_type,
    get_operation_ast,
    is_leaf_type,
    parse,
    print_ast,
    visit,
)

from router.errors import OperationError
from router.execution.execute import ExecutionContext
from router.execution.json_numbers import decode_exact
from router.operation.cost.estimate import BASE_COSTS
from router.operation.limits import DEFAULT_LIMITS
from router.server.demand.operation_cost import CostOptions
from router.server.operations.compiled_operation import CompiledOperation, OperationCompiler
from router.server.operations.recently_used import CacheSize
from tests.differential.comparison import Case, Graph, NoEventError, Prepared, Sources, execute_case, prepare
from tests.differential.running import finished
from tests.differential.servers import SubgraphServers
from tests.differential.world import Thing, World

LONGEST = 3
SHARE = 0.2
TYPE_KINDS = ("object_type_definition", "scalar_type_definition", "enum_type_definition")
SIZE = CacheSize(10, 50_000_000)
Weights = dict[str, int]


class NoCaseError(Exception):
    """The operation is none for the router, or has no event."""


def weigh(subgraphs: Sources, seed: str, least: int = -2) -> tuple[Sources, Weights]:
    """The subgraphs with costs of ``least`` and more, and list sizes, on some of what they have; and the weights by
    coordinate.
    """
    writer = _Weighing(seed, least)
    return tuple((name, writer.write(sdl)) for name, sdl in subgraphs), writer.weights


class _Weighing(Visitor):
    """Each coordinate weighs the same in every subgraph that says so."""

    def __init__(self, seed: str, least: int) -> None:
        super().__init__()
        self._seed = seed
        self._least = least
        self.weights: Weights = {}

    def write(self, sdl: str) -> str:
        if "federation/v2.8" not in sdl:
            return sdl
        document = parse(sdl.replace("federation/v2.8", "federation/v2.9"), no_location=True)
        return print_ast(visit(document, self))

    def enter(self, node: Any, *_: Any) -> Any:
        if node.kind not in TYPE_KINDS:
            return None
        name, applied = node.name.value, {directive.name.value for directive in node.directives or ()}
        if name.startswith("Start_"):  # A root that is called otherwise in the supergraph.
            return None
        parts = {key: getattr(node, key) for key in node.keys}
        if "interfaceObject" not in applied:  # It would weigh on an interface, which weighs nothing itself.
            parts["directives"] = (*(node.directives or ()), *self._cost(name))
            if "fields" in parts:
                parts["fields"] = tuple(self._field(name, one) for one in node.fields or ())
        return type(node)(**parts)

    def _field(self, type_name: str, node: Any) -> Any:
        if "external" in {directive.name.value for directive in node.directives or ()}:
            return node
        parts = {key: getattr(node, key) for key in node.keys}
        coordinate = f"{type_name}.{node.name.value}"
        is_list = isinstance(node.type.type if isinstance(node.type, NonNullTypeNode) else node.type, ListTypeNode)
        sized = _directives(f"@federation__listSize(assumedSize: {LONGEST})") if is_list else ()
        chosen = sized if self._rng(f"{coordinate} size").random() < SHARE else ()
        parts["directives"] = (*(node.directives or ()), *self._cost(coordinate), *chosen)
        return type(node)(**parts)

    def _cost(self, coordinate: str) -> tuple[Any, ...]:
        rng = self._rng(coordinate)
        if rng.random() > SHARE or coordinate in ("Query", "Mutation", "Subscription"):
            return ()
        self.weights[coordinate] = max(rng.choice((0, 2, 3, 7, -2)), self._least)
        return _directives(f"@federation__cost(weight: {self.weights[coordinate]})")

    def _rng(self, coordinate: str) -> random.Random:
        return random.Random(f"{self._seed} {coordinate}")  # noqa: S311 - a seeded test


def _directives(text: str) -> tuple[Any, ...]:
    definition: Any = parse(f"scalar S {text}", no_location=True).definitions[0]
    return tuple(definition.directives)


def check_costs(case: Case, graph: Graph, weights: Weights) -> str | None:
    """What is wrong with what the operation is said to cost; None where all is well. NoCaseError as told there."""
    prepared = prepare(case.subgraphs, case.operation, case.labels)
    if not isinstance(prepared, Prepared):
        raise NoCaseError
    compiler = OperationCompiler(graph.supergraph, SIZE, DEFAULT_LIMITS, CostOptions(LONGEST, counts_answers=True))
    compiled = compiler(case.operation, None, case.labels)
    assert isinstance(compiled, CompiledOperation)
    assert compiled.cost is not None
    world = World(graph.model, case.seed)
    servers = SubgraphServers(world, graph.subgraphs, case.labels)
    servers.failing, servers.failure = case.failing, case.failure
    try:
        values = compiled.coerce(dict(case.variables))
        result = finished(execute_case(compiled, values, ExecutionContext(servers, decode=decode_exact)))
    except (OperationError, NoEventError) as error:
        raise NoCaseError from error
    answer = compiled.projection(result.data, result.errors, values, result.look_for_absent)
    assert answer.cost is not None
    estimated = compiled.cost.estimate(values).cost
    if answer.cost > estimated:
        return f"cost {answer.cost}, estimated {estimated}"
    if case.failing is None and "(" not in case.operation.partition("{")[2] and min(weights.values(), default=0) >= 0:
        counted, truth = count_alone(world, graph.supergraph.api_schema, prepared.document, case, weights)
        base = BASE_COSTS[compiled.operation.kind]
        if not truth.errors and counted + base != answer.cost:
            return f"cost {answer.cost}, counted {counted + base}"
    return None


def count_alone(
    world: World, schema: GraphQLSchema, document: DocumentNode, case: Case, weights: Weights
) -> tuple[int, ExecutionResult]:
    """What one server's values weigh, of fields without arguments; no more is counted where something fails."""
    counted = 0

    def resolve(thing: Thing, info: GraphQLResolveInfo[Any], **arguments: Any) -> object:
        nonlocal counted
        value = world.value(thing, info.field_name, arguments)
        named = get_named_type(info.return_type)
        own = weights.get(f"{thing.type_name}.{info.field_name}")
        default = weights.get(named.name, 0) if is_leaf_type(named) else 0
        for one in _flat(value):
            of_type = weights.get(one.type_name, 1) if isinstance(one, Thing) else default
            counted += of_type if own is None else own
        return value

    operation = get_operation_ast(document)
    assert operation is not None
    root = operation.operation.value.capitalize()
    result = execute_sync(
        schema,
        document,
        Thing(root, root),
        variable_values=dict(case.variables),
        field_resolver=resolve,
        type_resolver=lambda thing, *_: thing.type_name,
    )
    assert isinstance(result, ExecutionResult)
    return counted, result


def _flat(value: object) -> list[Any]:
    if isinstance(value, list):
        return [one for item in value for one in _flat(item)]
    return [] if value is None else [value]
