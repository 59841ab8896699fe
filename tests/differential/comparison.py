"""One case of the differential oracle: subgraphs, a world, an operation, and whether the router answers it rightly."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLSchema, validate

from router import Subgraph, compose
from router.errors import OperationError, PlanningError
from router.execution.answer import read_answer
from router.execution.errors import SubgraphFailure
from router.execution.execute import ExecutionContext, execute, execute_event
from router.execution.execute import ExecutionResult as MergedResult
from router.execution.json_numbers import decode_exact, encode
from router.execution.subgraph_client import SubgraphRequest
from router.operation import parse_document
from router.operation.authorization import NOTHING_DENIED
from router.operation.model import OperationKind
from router.planning import render_text
from router.planning.query_plan import QueryPlan
from router.response.projection import ProjectedResult
from router.server.operations.compiled_operation import CompiledOperation, OperationCompiler
from router.server.operations.recently_used import CacheSize
from router.supergraph import Supergraph, read_supergraph
from tests.differential.drawing.subgraph_sets import draw_set
from tests.differential.failures import FAILURES
from tests.differential.fallen import fallen_fields
from tests.differential.operations import OperationGenerator
from tests.differential.running import finished
from tests.differential.servers import AnswerAlone, SubgraphServers, answer_alone
from tests.differential.subgraph_schema import SubgraphSchema, read_subgraphs
from tests.differential.world import World
from tests.differential.world_model import WorldModel
from tests.federation_cases.enclosing import answer_in_contexts

ResponsePath = tuple[str | int, ...]
# What is taken from an entity that is not known is null, and another value than the true one may follow from it.
CONTEXT_FAILURES = tuple(failure for failure in FAILURES if failure != "null entities")
Sources = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """All that one comparison depends on; equal cases always come to equal outcomes.

    ``labels`` are the labels of overrides that are active; ``broken`` whether some resolvers of the world do not work.
    """

    subgraphs: Sources
    operation: str
    variables: tuple[tuple[str, Any], ...] = ()
    seed: int = 0
    failing: str | None = None
    failure: str = "refused"
    broken: bool = False
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Graph:
    """A set of subgraphs, composed and made ready."""

    supergraph: Supergraph
    subgraphs: Mapping[str, SubgraphSchema]
    model: WorldModel


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation, made ready for both servers."""

    document: DocumentNode
    compiled: CompiledOperation


@lru_cache(maxsize=8)
def graph_of(subgraphs: Sources) -> Graph | None:
    """The subgraphs' graph; None if they do not compose."""
    composition = compose([Subgraph(name, f"http://{name}.test", sdl) for name, sdl in subgraphs])
    if composition.supergraph_sdl is None:
        return None
    supergraph = read_supergraph(composition.supergraph_sdl)
    schemas = read_subgraphs(subgraphs)
    return Graph(supergraph, schemas, WorldModel(supergraph, composition.supergraph_sdl, schemas))


def draw_subgraphs(seed: str) -> Sources:
    """A random set of subgraphs, which may not compose."""
    return tuple(draw_set(random.Random(seed)).sdl().items())  # noqa: S311 - a seeded test


def draw_cases(graph: Graph, subgraphs: Sources, seed: str) -> Iterator[Case]:
    """A random operation on a graph, over several worlds: whole, with broken fields, and with subgraphs that fail."""
    rng = random.Random(seed)  # noqa: S311 - a seeded test
    api_schema = graph.supergraph.api_schema
    generator = OperationGenerator(api_schema, rng)
    text = generator.write(_draw_kind(api_schema, rng))
    labels = frozenset(label for label in graph.supergraph.override_labels if rng.random() < 0.5)
    for turn in range(4):
        failing = rng.choice(sorted(graph.subgraphs)) if turn % 2 else None
        yield Case(
            subgraphs,
            text,
            tuple(generator.values().items()),
            rng.randrange(1000),
            failing,
            rng.choice(CONTEXT_FAILURES if takes_context(subgraphs) else FAILURES),
            broken=turn == 2,
            labels=labels,
        )


def _draw_kind(api_schema: GraphQLSchema, rng: random.Random) -> str:
    chance = rng.random()
    if api_schema.mutation_type is not None and chance < 0.2:
        return "mutation"
    return "subscription" if api_schema.subscription_type is not None and chance > 0.85 else "query"


@lru_cache(maxsize=8)
def prepare(subgraphs: Sources, text: str, labels: frozenset[str]) -> Prepared | str | None:
    """The operation, compiled as the server does it for who may see everything; None where it is invalid for the router
    as for graphql-core.

    A complaint where these two are not of one mind, or where the router has no plan.
    """
    graph = graph_of(subgraphs)
    assert graph is not None
    try:
        document = parse_document(text)
    except OperationError:
        return None
    invalid = validate(graph.supergraph.api_schema, document)
    try:
        compiled = OperationCompiler(graph.supergraph, CacheSize(1, 10**9))(text, None, labels, NOTHING_DENIED)
    except PlanningError as error:
        return f"no plan: {error.message}"
    except OperationError as error:
        return None if invalid else f"refused: {error.message}"
    if invalid:
        return f"accepted: {invalid[0].message}"
    assert isinstance(compiled, CompiledOperation)
    return Prepared(document, compiled)


def true_answer_over(subgraphs: Sources) -> AnswerAlone:
    """What one server answers; one that knows the objects around each, where arguments are taken from those."""
    return answer_in_contexts(sdl for _, sdl in subgraphs) if takes_context(subgraphs) else answer_alone


def takes_context(subgraphs: Sources) -> bool:
    """Whether arguments of some fields are taken from the objects around, whatever the directive is imported as."""
    return any("fromContext(" in sdl for _, sdl in subgraphs)


def check(case: Case) -> str | None:
    """What is wrong with the router's answer; None where all is well, or where the case is none."""
    graph = graph_of(case.subgraphs)
    if graph is None:
        return None
    prepared = prepare(case.subgraphs, case.operation, case.labels)
    if not isinstance(prepared, Prepared):
        return prepared
    api_schema = graph.supergraph.api_schema
    compiled = prepared.compiled
    world = World(graph.model, case.seed, fails=case.broken)
    true_answer = true_answer_over(case.subgraphs)
    try:
        values = compiled.coerce(dict(case.variables))
    except OperationError as error:
        truth = true_answer(world, api_schema, prepared.document, dict(case.variables))
        return None if truth.data is None else f"refused: {error.message}"
    servers = SubgraphServers(world, graph.subgraphs, case.labels)
    servers.failing, servers.failure = case.failing, case.failure
    try:
        result = finished(execute_case(compiled, values, ExecutionContext(servers, decode=decode_exact)))
    except NoEventError:
        return None
    answer = compiled.projection(result.data, result.errors, values, result.look_for_absent)
    if servers.broken:
        return f"asked wrongly: {servers.broken[0]}"
    truth = true_answer(world, api_schema, prepared.document, dict(case.variables))
    if case.failing is not None and any(fetch.subgraph == case.failing for fetch in compiled.plan.fetches):
        return compare_failed(compiled.plan, case, truth, answer)
    return compare(truth, answer)


class NoEventError(Exception):
    """The subgraph that has the events sends none."""


async def execute_case(
    compiled: CompiledOperation, values: Mapping[str, object], context: ExecutionContext
) -> MergedResult:
    """The merged data; of a subscription, those of one event."""
    executable = compiled.executable
    if compiled.operation.kind is not OperationKind.SUBSCRIPTION:
        return await execute(executable, values, context)
    first = executable.fetches[0]
    request = SubgraphRequest(first.subgraph, first.body.render(values, (), ()))
    try:
        event = read_answer(first.subgraph, await context.client.send(request), context.decode)
    except SubgraphFailure as failure:
        raise NoEventError from failure
    return await execute_event(executable, values, context, event)


def describe(case: Case) -> str:
    """The case as someone needs it who mends what it shows."""
    parts = [f"# {name}\n{sdl.strip()}" for name, sdl in case.subgraphs]
    parts.append(
        f"{case.operation}\n{dict(case.variables)}\nseed {case.seed}, failing {case.failing} ({case.failure}),"
        f" broken {case.broken}, labels {sorted(case.labels)}"
    )
    prepared = prepare(case.subgraphs, case.operation, case.labels) if graph_of(case.subgraphs) else None
    if isinstance(prepared, Prepared):
        parts.append(render_text(prepared.compiled.plan))
    return "\n\n".join(parts)


# -- comparing ---------------------------------------------------------------------------------------------------------


def compare(truth: ExecutionResult, answer: ProjectedResult) -> str | None:
    for path, true, told in _differences(truth.data, answer.data):
        return f"data at {_dotted(path)}: {told!r} instead of {true!r}"
    expected = _by_null(truth.data, (tuple(error.path or ()) for error in truth.errors or ()))
    told = _by_null(truth.data, (tuple(error.path) for error in answer.errors))
    if expected.keys() != told.keys() or any(not _are_alike(paths, told[at]) for at, paths in expected.items()):
        return f"errors at {_listed(told)} instead of {_listed(expected)}"
    return None


def _by_null(data: object, paths: Iterator[ResponsePath]) -> dict[ResponsePath, list[ResponsePath]]:
    """Errors by the null that they explain."""
    found: dict[ResponsePath, list[ResponsePath]] = defaultdict(list)
    for path in paths:
        found[_null_on(data, path)].append(path)
    return found


def _null_on(data: Any, path: ResponsePath) -> ResponsePath:
    for length, step in enumerate(path):
        if data is None:
            return path[:length]
        data = data[step]
    return path


def _are_alike(expected: list[ResponsePath], told: list[ResponsePath]) -> bool:
    """Whether a null is explained alike; where several errors made it, one server tells of the first that it meets."""
    return expected == told if len(expected) == len(told) == 1 else bool({*expected} & {*told})


def _listed(paths: Mapping[ResponsePath, list[ResponsePath]]) -> list[str]:
    return sorted(_dotted(path) for at in paths.values() for path in at)


def compare_failed(plan: QueryPlan, case: Case, truth: ExecutionResult, answer: ProjectedResult) -> str | None:
    """What is not null is right, each null that is not true has an error in it, and only what had to fail did."""
    assert case.failing is not None
    paths = [tuple(error.path or ()) for error in answer.errors]
    fallen = fallen_fields(plan, case.failing, in_part=case.failure != "null entities")
    for path, true, told in _differences(truth.data, answer.data):
        if told is not None:
            return f"data at {_dotted(path)}: {told!r} instead of {true!r}"
        # An entity that a subgraph does not know has no fields there: that is no error.
        if case.failure != "null entities" and not any(error[: len(path)] == path for error in paths):
            return f"null without an error at {_dotted(path)}"
        if not is_fallen(path, fallen):
            return f"null at {_dotted(path)}, which does not need {case.failing}"
    for path in filter(None, paths):  # What a subgraph says of no place in the answer has no path.
        if _value_at(answer.data, path) is not None:
            return f"an error at {_dotted(path)}, which is not null"
        if not is_fallen(path, fallen) and not _was_untrue(truth, path):
            return f"an error at {_dotted(path)}, which does not need {case.failing}"
    return None


def is_fallen(path: ResponsePath, fallen: set[tuple[str, ...]]) -> bool:
    """Whether what is at ``path`` may be null: a field that fell, or one above it that is null because of it."""
    names = tuple(step for step in path if isinstance(step, str))
    return any(names[: len(field)] == field or field[: len(names)] == names for field in fallen)


def _was_untrue(truth: ExecutionResult, path: ResponsePath) -> bool:
    return bool(truth.errors) and _value_at(truth.data, path) is None


def _value_at(data: object, path: ResponsePath) -> object:
    for step in path:
        if data is None:
            return None
        if isinstance(data, dict) and step not in data:
            return f"no {step} at all"
        data = data[step]  # type: ignore[index]
    return data


def _differences(true: object, told: object, path: ResponsePath = ()) -> Iterator[tuple[ResponsePath, object, object]]:
    if isinstance(true, dict) and isinstance(told, dict):
        if list(true) != list(told):
            yield path, list(true), list(told)
            return
        for key, value in true.items():
            yield from _differences(value, told[key], (*path, key))
    elif isinstance(true, list) and isinstance(told, list) and len(true) == len(told):
        for index, value in enumerate(true):
            yield from _differences(value, told[index], (*path, index))
    elif (true != told or type(true) is not type(told)) and json.dumps(true) != encode(told).decode():
        yield path, true, told  # A number without loss is of a type of its own, but written alike.


def _dotted(path: ResponsePath) -> str:
    return ".".join(map(str, path))
