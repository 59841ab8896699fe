"""One case of the differential oracle: subgraphs, a world, an operation, and whether the router answers it rightly."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import ExecutionResult

from router import Subgraph, compose
from router.errors import OperationError, PlanningError
from router.execution.executable import compile_plan
from router.execution.execute import ExecutionContext, execute
from router.operation import build_operation, coerce_variables, parse_document
from router.planning import plan_operation, render_text
from router.planning.query_plan import Path, QueryPlan
from router.response.projection import ProjectedResult, compile_projection
from router.supergraph import Supergraph, read_supergraph
from tests.differential.operations import OperationGenerator
from tests.differential.servers import FAILURES, SubgraphServers, answer_alone
from tests.differential.subgraph_schema import SubgraphSchema
from tests.differential.subgraph_sets import SubgraphSetGenerator
from tests.differential.world import World

ResponsePath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """All that one comparison depends on; equal cases always come to equal outcomes."""

    subgraphs: tuple[tuple[str, str], ...]
    operation: str
    variables: tuple[tuple[str, Any], ...] = ()
    seed: int = 0
    failing: str | None = None
    failure: str = "refused"


@dataclass(frozen=True, slots=True)
class Graph:
    """A set of subgraphs, composed and made ready."""

    sdl: str
    supergraph: Supergraph
    subgraphs: Mapping[str, SubgraphSchema]


@lru_cache(maxsize=8)
def graph_of(subgraphs: tuple[tuple[str, str], ...]) -> Graph | None:
    """The subgraphs' graph; None if they do not compose."""
    composition = compose([Subgraph(name, f"http://{name}.test", sdl) for name, sdl in subgraphs])
    if composition.supergraph_sdl is None:
        return None
    schemas = {name: SubgraphSchema(name, sdl) for name, sdl in subgraphs}
    return Graph(composition.supergraph_sdl, read_supergraph(composition.supergraph_sdl), schemas)


def draw_subgraphs(seed: str) -> tuple[tuple[str, str], ...]:
    """A random set of subgraphs, which may not compose."""
    return tuple(SubgraphSetGenerator(random.Random(seed)).draw().items())  # noqa: S311 - a seeded test


def draw_case(graph: Graph, subgraphs: tuple[tuple[str, str], ...], seed: str) -> Case:
    """A random operation on a graph, at times with a subgraph that fails."""
    rng = random.Random(seed)  # noqa: S311 - a seeded test
    generator = OperationGenerator(graph.supergraph.api_schema, rng)
    has_mutations = graph.supergraph.api_schema.mutation_type is not None
    kind = "mutation" if has_mutations and rng.random() < 0.2 else "query"
    text = generator.write(kind)
    failing = rng.choice(sorted(graph.subgraphs)) if rng.random() < 0.25 else None
    variables = tuple(generator.variables.items())
    return Case(subgraphs, text, variables, rng.randrange(1000), failing, rng.choice(FAILURES))


def check(case: Case) -> str | None:
    """What is wrong with the router's answer; None where all is well, or where the case is none."""
    graph = graph_of(case.subgraphs)
    if graph is None:
        return None
    try:
        operation = build_operation(graph.supergraph.api_schema, parse_document(case.operation))
        values = coerce_variables(graph.supergraph.api_schema, operation, dict(case.variables))
    except OperationError:
        return None
    try:
        plan = plan_operation(graph.supergraph, operation)
    except PlanningError as error:
        return f"no plan: {error.message}"
    world = World(graph.supergraph, graph.sdl, graph.subgraphs, case.seed)
    servers = SubgraphServers(world, graph.subgraphs)
    servers.failing, servers.failure = case.failing, case.failure
    result = asyncio.run(execute(compile_plan(plan), values, ExecutionContext(servers)))
    answer = compile_projection(operation, graph.supergraph.api_schema)(result.data, result.errors, values)
    if servers.broken:
        return f"asked wrongly: {servers.broken[0]}"
    truth = answer_alone(world, graph.supergraph.api_schema, case.operation, dict(case.variables))
    if case.failing is not None and any(fetch.subgraph == case.failing for fetch in plan.fetches):
        return _compare_failed(plan, case.failing, truth, answer)
    return _compare(truth, answer)


def describe(case: Case) -> str:
    """The case as someone needs it who mends what it shows."""
    graph = graph_of(case.subgraphs)
    parts = [f"# {name}\n{sdl.strip()}" for name, sdl in case.subgraphs]
    parts.append(f"{case.operation}\n{dict(case.variables)}\nseed {case.seed}, failing {case.failing} ({case.failure})")
    if graph is not None:
        try:
            operation = build_operation(graph.supergraph.api_schema, parse_document(case.operation))
            parts.append(render_text(plan_operation(graph.supergraph, operation)))
        except OperationError as error:
            parts.append(error.message)
    return "\n\n".join(parts)


# -- comparing ---------------------------------------------------------------------------------------------------------


def _compare(truth: ExecutionResult, answer: ProjectedResult) -> str | None:
    for path, true, told in _differences(truth.data, answer.data):
        return f"data at {_dotted(path)}: {told!r} instead of {true!r}"
    expected = sorted(_dotted(tuple(error.path or ())) for error in truth.errors or ())
    told = sorted(_dotted(tuple(error.path or ())) for error in answer.errors)
    return None if expected == told else f"errors at {told} instead of {expected}"


def _compare_failed(plan: QueryPlan, failing: str, truth: ExecutionResult, answer: ProjectedResult) -> str | None:
    """What is not null is right, each null that is not true has an error in it, and only what had to fail did."""
    paths = [tuple(error.path or ()) for error in answer.errors]
    fallen = _fallen_fields(plan, failing)
    for path, true, told in _differences(truth.data, answer.data):
        if told is not None:
            return f"data at {_dotted(path)}: {told!r} instead of {true!r}"
        if not any(error[: len(path)] == path for error in paths):
            return f"null without an error at {_dotted(path)}"
    for path in filter(None, paths):  # What a subgraph says of no place in the answer has no path.
        if _value_at(answer.data, path) is not None:
            return f"an error at {_dotted(path)}, which is not null"
        names = tuple(step for step in path if isinstance(step, str))
        if not any(names[: len(field)] == field for field in fallen) and not _was_untrue(truth, path):
            return f"an error at {_dotted(path)}, which does not need {failing}"
    return None


def _fallen_fields(plan: QueryPlan, failing: str) -> set[tuple[str, ...]]:
    """The client's paths that may be null: those of the failed fetches, and of all that waited for these."""
    fallen: set[int] = set()
    fields: set[tuple[str, ...]] = set()
    for fetch in plan.fetches:
        if fetch.subgraph != failing and not fallen & set(fetch.depends_on):
            continue
        if plan.kind == "mutation" and fetch.subgraph != failing and not fetch.lookups:
            continue
        fallen.add(fetch.id)
        for place in fetch.at or ((),):
            fields |= {(*_keys(place), *_keys(owned.path), owned.response_key) for owned in fetch.owned}
        for lookup in fetch.lookups:
            if "__typename" in fetch.document:
                fields |= {_keys(place) for place in lookup.paths}  # An object whose type is not known is null.
            for place in lookup.paths:
                fields |= {(*_keys(place), *_keys(owned.path), owned.response_key) for owned in lookup.owned}
    return fields


def _was_untrue(truth: ExecutionResult, path: ResponsePath) -> bool:
    return any(tuple(error.path or ()) == path for error in truth.errors or ())


def _keys(path: Path) -> tuple[str, ...]:
    return tuple(step.response_key for step in path)


def _value_at(data: object, path: ResponsePath) -> object:
    for step in path:
        if data is None:
            return None
        data = data[step]  # type: ignore[index]
    return data


def _differences(true: object, told: object, path: ResponsePath = ()) -> Iterator[tuple[ResponsePath, object, object]]:
    if isinstance(true, dict) and isinstance(told, dict):
        # Where fields of an interface and of its types alternate, the order may differ: JSON objects have none.
        if set(true) != set(told):
            yield path, list(true), list(told)
            return
        for key, value in true.items():
            yield from _differences(value, told[key], (*path, key))
    elif isinstance(true, list) and isinstance(told, list) and len(true) == len(told):
        for index, value in enumerate(true):
            yield from _differences(value, told[index], (*path, index))
    elif true != told or type(true) is not type(told):
        yield path, true, told


def _dotted(path: ResponsePath) -> str:
    return ".".join(map(str, path))
