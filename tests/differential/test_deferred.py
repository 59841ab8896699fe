"""Random operations with ``@defer``: the parts, put together as a client does, are the answer of one server."""

from __future__ import annotations

import asyncio
import json
import random
from functools import partial
from typing import Any

import pytest
from graphql import (
    DirectiveNode,
    FieldNode,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from router.errors import OperationError
from router.execution.execute import ExecutionContext
from router.execution.in_parts import execute_in_parts
from router.execution.json_numbers import decode_exact
from router.planning.override_labels import NO_LABELS
from router.server.compiled_operation import CompiledOperation, OperationCompiler
from router.server.deferred.answer import DeferredAnswer
from router.server.deferred.compiled import CompiledDeferral, DeferralCompiler, DeferralKey
from router.server.deferred.formats import DeferredFormat
from router.server.recently_used import CacheSize
from tests.differential.comparison import Case, Graph, Prepared, draw_cases, draw_subgraphs, graph_of, prepare
from tests.differential.servers import SubgraphServers, answer_alone
from tests.differential.world import World

DEFERRED = 60
SIZE = CacheSize(10, 50_000_000)


class _Deferring(Visitor):
    """Puts about a third of what stands below fields into deferred fragments."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    def leave_selection_set(self, node: SelectionSetNode, _key: Any, parent: Any, *_: Any) -> Any:
        if isinstance(parent, OperationDefinitionNode) and parent.operation.value != "query":
            return None
        kept: list[SelectionNode] = []
        late: list[SelectionNode] = []
        for one in node.selections:
            (late if self._rng.random() < 0.35 and not _is_introspection(one) else kept).append(one)
        if not late:
            return None
        fragment = InlineFragmentNode(
            type_condition=None,
            directives=(DirectiveNode(name=NameNode(value="defer"), arguments=()),),
            selection_set=SelectionSetNode(selections=tuple(late)),
        )
        return SelectionSetNode(selections=(*kept, fragment))


def _is_introspection(node: Any) -> bool:
    return isinstance(node, FieldNode) and node.name.value in ("__schema", "__type")


def deferring(text: str, seed: str) -> str:
    return print_ast(visit(parse(text), _Deferring(random.Random(seed))))  # noqa: S311 - a seeded test


async def _parts(answer: DeferredAnswer, form: DeferredFormat) -> list[Any]:
    try:
        found = [json.loads(await answer.begin(form))]
        while (payload := await answer.next()) is not None:
            found.append(json.loads(payload))
        return found
    finally:
        await answer.close()


def _put_together(payloads: list[Any]) -> Any:
    """The data of all payloads, in either form."""
    data = payloads[0]["data"]
    places: dict[str, list[Any]] = {}
    for payload in payloads:
        places.update((one["id"], one["path"]) for one in payload.get("pending", ()))
        for one in payload.get("incremental", ()):
            place = [*places[one["id"]], *one.get("subPath", ())] if "id" in one else one["path"]
            target = data
            for step in place:
                target = target[step]
            _merge(target, one["data"])
    return data


def _merge(target: Any, source: Any) -> Any:
    if isinstance(target, dict) and isinstance(source, dict):
        for key, value in source.items():
            target[key] = _merge(target[key], value) if key in target else value
        return target
    if isinstance(target, list) and isinstance(source, list):
        return [_merge(one, other) for one, other in zip(target, source, strict=True)]
    return source


def _outcome(case: Case, graph: Graph, text: str, form: DeferredFormat) -> tuple[Any, Any] | None:
    """The data of both servers; None where the case says nothing of deferring."""
    prepared = prepare(case.subgraphs, case.operation, NO_LABELS)
    if not isinstance(prepared, Prepared):
        return None
    world = World(graph.model, case.seed, fails=False)
    truth = answer_alone(world, graph.supergraph.api_schema, prepared.document, dict(case.variables))
    if truth.errors or truth.data is None:
        return None
    compiled = OperationCompiler(graph.supergraph, SIZE)(text, None)
    assert isinstance(compiled, CompiledOperation)
    values = compiled.coerce(dict(case.variables))
    chosen = tuple((name, values[name]) for name in compiled.operation.deferral_variables or () if name in values)
    deferral = DeferralCompiler(graph.supergraph, SIZE)(DeferralKey(text, None, NO_LABELS, chosen))
    if not isinstance(deferral, CompiledDeferral):
        return None
    servers = SubgraphServers(world, graph.subgraphs)
    run = partial(execute_in_parts, deferral.executable, values, ExecutionContext(servers, decode=decode_exact))
    payloads = asyncio.run(_parts(DeferredAnswer(deferral, values, run), form))
    assert not servers.broken, servers.broken
    return json.loads(json.dumps(truth.data)), _put_together(payloads)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", DeferredFormat)
def test_parts_put_together_are_the_answer_of_one_server(form: DeferredFormat) -> None:
    compared = number = 0
    while compared < DEFERRED:
        number += 1
        subgraphs = draw_subgraphs(f"deferred {number}")
        graph = graph_of(subgraphs)
        for turn in range(8) if graph is not None else ():
            assert graph is not None
            case = next(draw_cases(graph, subgraphs, f"deferred {number} {turn}"))
            text = deferring(case.operation, case.operation)
            try:
                outcome = _outcome(case, graph, text, form)
            except OperationError as error:
                if error.code == "OPERATION_TOO_LARGE":
                    continue
                raise
            if outcome is not None:
                compared += 1
                assert outcome[1] == outcome[0], text
