"""Subgraphs that answer as a test says, and short words for hand-written plans."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from router.execution.errors import SubgraphFailure
from router.execution.executable import compile_plan
from router.execution.execute import ExecutionContext, ExecutionResult, execute
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.operation.model import OperationKind
from router.planning.query_plan import (
    EntityLookup,
    Fetch,
    InputField,
    OwnedField,
    Path,
    PathStep,
    QueryPlan,
    Representation,
)

Answer = Mapping[str, Any] | bytes | SubgraphResponse | SubgraphFailure
Script = Answer | Callable[[dict[str, Any]], Answer]


class ScriptedSubgraphs:
    """A SubgraphClient that answers each subgraph from its script, and keeps what it was asked.

    A subgraph with a gate answers only after the gate is opened; ``asked`` tells a test that a request has come.
    """

    def __init__(self, **scripts: Script) -> None:
        self.scripts = scripts
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.raw: list[SubgraphRequest] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.cancelled: list[str] = []
        self.asked = asyncio.Condition()

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        body = orjson.loads(request.body)
        self.requests.append((request.subgraph, body))
        self.raw.append(request)
        async with self.asked:
            self.asked.notify_all()
        if request.subgraph in self.gates:
            try:
                await self.gates[request.subgraph].wait()
            except asyncio.CancelledError:
                self.cancelled.append(request.subgraph)
                raise
        script = self.scripts[request.subgraph]
        answer = script(body) if callable(script) else script
        if isinstance(answer, SubgraphFailure):
            raise answer
        if isinstance(answer, SubgraphResponse):
            return answer
        return SubgraphResponse(200, answer if isinstance(answer, bytes) else orjson.dumps(answer))

    async def close(self) -> None:
        """Nothing is open."""

    def gate(self, subgraph: str) -> asyncio.Event:
        """Hold back the answers of ``subgraph`` until the gate is set."""
        self.gates[subgraph] = asyncio.Event()
        return self.gates[subgraph]

    async def until_asked(self, *subgraphs: str) -> None:
        """Wait until each of ``subgraphs`` was asked at least once."""
        async with asyncio.timeout(60), self.asked:
            await self.asked.wait_for(lambda: set(subgraphs) <= set(self.names))

    @property
    def names(self) -> list[str]:
        """The subgraphs that were asked, in order."""
        return [name for name, _ in self.requests]

    def representations(self, subgraph: str, variable: str = "r") -> list[Any]:
        """What the first request to ``subgraph`` sent as ``variable``."""
        body = next(body for name, body in self.requests if name == subgraph)
        sent: list[Any] = body["variables"][variable]
        return sent


def path(*steps: str) -> Path:
    """A path of plain response keys."""
    return tuple(PathStep(step) for step in steps)


def key(name: str = "id", response_key: str | None = None) -> InputField:
    """A key field of a representation."""
    return InputField(name, response_key or name, nullable=False)


def needs(name: str, response_key: str | None = None) -> InputField:
    """A nullable required field of a representation."""
    return InputField(name, response_key or name, nullable=True)


def owned(*response_keys: str) -> tuple[OwnedField, ...]:
    """Owned fields without conditions."""
    return tuple(OwnedField(response_key) for response_key in response_keys)


def root(index: int, subgraph: str, *owns: str, **settings: Any) -> Fetch:
    """A fetch of root fields."""
    kind = settings.pop("kind", OperationKind.QUERY)
    variables = settings.pop("variables", ())
    return Fetch(index, subgraph, kind, f"{{{' '.join(owns)}}}", None, variables, owned=owned(*owns), **settings)


def lookup(
    at: Path | tuple[Path, ...], typename: str, inputs: tuple[InputField, ...], *owns: str, **settings: Any
) -> EntityLookup:
    """A lookup of entities of one certain type."""
    paths: Any = at if at and isinstance(at[0], tuple) else (at,)
    representations = settings.pop("representations", (Representation(None, typename, inputs),))
    alias, variable = settings.pop("alias", "_entities"), settings.pop("variable", "r")
    return EntityLookup(alias, variable, paths, representations, owned(*owns), **settings)


def entities(index: int, subgraph: str, after: int, *lookups: EntityLookup, **settings: Any) -> Fetch:
    """A fetch of entities that waits for one other fetch; ``brings`` is what its document asks for."""
    kind = settings.pop("kind", OperationKind.QUERY)
    asked = " ".join(
        f"{one.alias}:_entities(representations:${one.variable}){{{settings.get('brings', 'whatever')}}}"
        for one in lookups
    )
    settings.pop("brings", None)
    document = f"query({' '.join(f'${one.variable}:[_Any!]!' for one in lookups)}){{{asked}}}"
    return Fetch(index, subgraph, kind, document, None, (), (after,), lookups, **settings)


def plan(*fetches: Fetch) -> QueryPlan:
    """A plan of these fetches."""
    return QueryPlan(OperationKind.QUERY, fetches)


async def run(
    plan: QueryPlan, client: ScriptedSubgraphs, variables: Mapping[str, object] | None = None, **context: Any
) -> ExecutionResult:
    """Compile and execute."""
    return await execute(compile_plan(plan), variables or {}, ExecutionContext(client, **context))


def errors(result: ExecutionResult) -> list[tuple[tuple[str | int, ...], str, object]]:
    """Path, message and code of every error."""
    return [(error.path, error.message, error.extensions.get("code")) for error in result.errors]
