"""Operations with ``@defer``, made of others: the parts, put together as a client does, are the answer of one server.

Where a subgraph fails, every announced fragment is completed all the same, and only what needs the subgraph is missing.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from router.execution.execute import ExecutionContext
from router.execution.in_parts import execute_in_parts
from router.execution.json_numbers import decode_exact
from router.server.deferred.answer import DeferredAnswer
from router.server.deferred.compiled import CompiledDeferral, DeferralCompiler, DeferralKey
from router.server.deferred.formats import DeferredFormat
from router.server.operations.compiled_operation import CompiledOperation, OperationCompiler
from router.server.operations.recently_used import CacheSize
from tests.differential.comparison import (
    Case,
    Graph,
    Prepared,
    ResponsePath,
    is_fallen,
    prepare,
    true_answer_over,
)
from tests.differential.fallen import Keys, fallen_fields
from tests.differential.running import finished
from tests.differential.servers import SubgraphServers
from tests.differential.world import World

SIZE = CacheSize(10, 50_000_000)
# What an answer in parts may take, all subgraphs being in this process.
PATIENCE_S = 20.0
MISSING = object()


class _Deferring(Visitor):
    """Puts about a third of what stands below fields into deferred fragments, some of which have conditions."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng
        self.variables: dict[str, bool] = {}

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
            type_condition=None, directives=self._directives(), selection_set=SelectionSetNode(selections=tuple(late))
        )
        return SelectionSetNode(selections=(*kept, fragment))

    def leave_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> OperationDefinitionNode:
        return _declaring(node, self.variables)

    def _directives(self) -> tuple[DirectiveNode, ...]:
        """``@defer``, most often always; and conditions of the fragment itself."""
        chance = self._rng.random()
        condition: ValueNode = self._variable() if chance < 0.15 else BooleanValueNode(value=chance < 0.9)
        found = [_directive("defer", () if chance > 0.2 else (("if", condition),))]
        if self._rng.random() < 0.2:
            found.append(_directive(self._rng.choice(("include", "skip")), (("if", self._variable()),)))
        self._rng.shuffle(found)
        return tuple(found)

    def _variable(self) -> VariableNode:
        name = f"late{self._rng.randrange(3)}"
        self.variables.setdefault(name, self._rng.random() < 0.6)
        return VariableNode(name=NameNode(value=name))


class _AtOnce(Visitor):
    """Takes ``@defer`` away."""

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return Visitor.REMOVE if node.name.value == "defer" else None


def _directive(name: str, arguments: tuple[tuple[str, ValueNode], ...]) -> DirectiveNode:
    given = tuple(ArgumentNode(name=NameNode(value=called), value=value) for called, value in arguments)
    return DirectiveNode(name=NameNode(value=name), arguments=given)


def _declaring(node: OperationDefinitionNode, variables: dict[str, bool]) -> OperationDefinitionNode:
    """The operation with definitions of these variables too."""
    boolean = NonNullTypeNode(type=NamedTypeNode(name=NameNode(value="Boolean")))
    ours = [
        VariableDefinitionNode(variable=VariableNode(name=NameNode(value=name)), type=boolean, directives=())
        for name in sorted(variables)
    ]
    parts = {key: getattr(node, key) for key in node.keys if key != "variable_definitions"}
    return OperationDefinitionNode(**parts, variable_definitions=(*(node.variable_definitions or ()), *ours))


def _is_introspection(node: Any) -> bool:
    return isinstance(node, FieldNode) and node.name.value in ("__schema", "__type")


def deferring(case: Case, seed: str) -> Case:
    """The same case with parts of its operation deferred."""
    visitor = _Deferring(random.Random(seed))  # noqa: S311 - a seeded test
    document: DocumentNode = visit(parse(case.operation), visitor)
    # Fragments that are defined after the operation may use variables that it has not declared yet.
    first, *others = document.definitions
    assert isinstance(first, OperationDefinitionNode)
    declared = {definition.variable.name.value for definition in first.variable_definitions or ()}
    first = _declaring(first, {name: True for name in visitor.variables if name not in declared})
    text = print_ast(DocumentNode(definitions=(first, *others)))
    return replace(case, operation=text, variables=(*case.variables, *visitor.variables.items()))


async def _payloads(answer: DeferredAnswer, form: DeferredFormat) -> list[Any]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = [json.loads(await answer.begin(form))]
            while (payload := await answer.next()) is not None:
                found.append(json.loads(payload))
            return found
    finally:
        await answer.close()


@dataclass(slots=True)
class PutTogether:
    """What a client makes of the payloads: the data, all errors by their paths, and where fragments have failed."""

    data: Any
    errors: list[ResponsePath]
    failed: list[ResponsePath]


def put_together(payloads: list[Any]) -> PutTogether:
    """The payloads as one answer, in either form. AssertionError where they are not what a client can follow."""
    assert [payload["hasNext"] for payload in payloads] == [True] * (len(payloads) - 1) + [False]
    told = PutTogether(payloads[0]["data"], _paths(payloads[0]), [])
    pending: dict[str, ResponsePath] = {}
    for payload in payloads:
        pending.update((one["id"], tuple(one["path"])) for one in payload.get("pending", ()))
        for one in payload.get("incremental", ()):
            place = (*pending[one["id"]], *one.get("subPath", ())) if "id" in one else tuple(one["path"])
            _take_in(told, place, one)
        for one in payload.get("completed", ()):
            place = pending.pop(one["id"])
            if "errors" in one:
                told.failed.append(place)
                told.errors += _paths(one)
    assert pending == {}, "announced and never completed"
    return told


def _take_in(told: PutTogether, place: ResponsePath, one: Any) -> None:
    told.errors += _paths(one)
    if one["data"] is None:
        told.failed.append(place)
        return
    target = told.data
    for step in place:
        target = target[step]
    assert isinstance(target, dict), place
    _merge(target, one["data"])


def _paths(payload: Any) -> list[ResponsePath]:
    return [tuple(error.get("path", ())) for error in payload.get("errors", ())]


def _merge(target: Any, source: Any) -> Any:
    if isinstance(target, dict) and isinstance(source, dict):
        for key, value in source.items():
            target[key] = _merge(target[key], value) if key in target else value
        return target
    if isinstance(target, list) and isinstance(source, list):
        return [_merge(one, other) for one, other in zip(target, source, strict=True)]
    return source


def check_deferred(case: Case, graph: Graph, form: DeferredFormat) -> str | None:
    """What is wrong with the answer in parts; None where all is well. NoCaseError where it says nothing of that."""
    prepared = prepare(case.subgraphs, case.operation, case.labels)
    if not isinstance(prepared, Prepared):
        raise NoCaseError
    world = World(graph.model, case.seed, fails=False)
    true_answer = true_answer_over(case.subgraphs)
    at_once = visit(prepared.document, _AtOnce())
    truth = true_answer(world, graph.supergraph.api_schema, at_once, dict(case.variables))
    if truth.errors or truth.data is None:
        raise NoCaseError
    deferral, values = _compile(case, graph)
    servers = SubgraphServers(world, graph.subgraphs, case.labels)
    servers.failing, servers.failure = case.failing, case.failure
    run = partial(execute_in_parts, deferral.executable, values, ExecutionContext(servers, decode=decode_exact))
    payloads = finished(_payloads(DeferredAnswer(deferral, values, run), form))
    if servers.broken:
        return f"asked wrongly: {servers.broken[0]}"
    told = put_together(payloads)
    true = json.loads(json.dumps(truth.data))
    if case.failing is None or all(fetch.subgraph != case.failing for fetch in deferral.plan.fetches):
        return None if (told.data, told.errors) == (true, []) else f"{told} instead of {true}"
    fallen = fallen_fields(deferral.plan, case.failing, in_part=case.failure != "null entities")
    return _compare_failed(case, fallen, true, told)


class NoCaseError(Exception):
    """Nothing of the operation is deferred, or there is no whole answer to compare with."""


def _compile(case: Case, graph: Graph) -> tuple[CompiledDeferral, dict[str, object]]:
    compiled = OperationCompiler(graph.supergraph, SIZE)(case.operation, None, case.labels)
    assert isinstance(compiled, CompiledOperation)
    values = compiled.coerce(dict(case.variables))
    chosen = tuple((name, values[name]) for name in compiled.operation.deferral_variables or () if name in values)
    deferral = DeferralCompiler(graph.supergraph, SIZE)(DeferralKey(case.operation, None, case.labels, chosen))
    if not isinstance(deferral, CompiledDeferral):
        raise NoCaseError
    return deferral, dict(values)


def _compare_failed(case: Case, fallen: set[Keys], true: Any, told: PutTogether) -> str | None:
    """As without parts; and what a failed fragment was to bring is missing, for an error of something in it."""
    lost_with_fragments = [error for error in told.errors if any(error[: len(f)] == f for f in told.failed)]
    for path, expected, found in _differences(true, told.data):
        if found is not MISSING and found is not None:
            return f"data at {path}: {found!r} instead of {expected!r}"
        if found is MISSING:
            if not any(path[: len(fragment)] == fragment for fragment in told.failed):
                return f"nothing at {path}, where no fragment failed"
            if not any(is_fallen(error, fallen) for error in lost_with_fragments):
                return f"nothing at {path}, which does not need {case.failing}"
            continue
        if case.failure != "null entities" and not any(error[: len(path)] == path for error in told.errors):
            return f"null without an error at {path}"
        if not is_fallen(path, fallen):
            return f"null at {path}, which does not need {case.failing}"
    for path in filter(None, told.errors):
        if _value_at(told.data, path) is not None:
            return f"an error at {path}, which is not null"
        if not is_fallen(path, fallen):
            return f"an error at {path}, which does not need {case.failing}"
    return None


def _value_at(data: Any, path: ResponsePath) -> Any:
    """What is at ``path``; None where something above it is null, or missing."""
    for step in path:
        if data is None or (isinstance(data, dict) and step not in data):
            return None
        data = data[step]
    return data


def _differences(true: Any, told: Any, path: ResponsePath = ()) -> Iterator[tuple[ResponsePath, Any, Any]]:
    """Where ``told`` is not as ``true``, in whatever order its keys came."""
    if isinstance(true, dict) and isinstance(told, dict):
        for key in {**true, **told}:
            yield from _differences(true.get(key, MISSING), told.get(key, MISSING), (*path, key))
    elif isinstance(true, list) and isinstance(told, list) and len(true) == len(told):
        for index, (one, other) in enumerate(zip(true, told, strict=True)):
            yield from _differences(one, other, (*path, index))
    elif true != told:
        yield path, true, told
