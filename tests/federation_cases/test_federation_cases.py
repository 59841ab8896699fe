"""One folder for each behaviour: composed, planned and answered as ``plan.txt`` and ``response.json`` say.

The subgraphs of a case run in this process, over its ``data.json``, and refuse what no router may ask of them. Where
none of them fails, the response is also held against that of one server which has all the data.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import parse

from router import Subgraph, compose
from router.errors import PlanningError
from router.execution.errors import TIMEOUT, SubgraphFailure
from router.execution.executable import compile_plan
from router.execution.execute import ExecutionContext, execute
from router.execution.json_numbers import decode_exact, encode
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.operation import build_operation, coerce_variables, parse_document
from router.operation.model import Operation
from router.planning import PlanningLimits, plan_operation, render_text
from router.response.projection import compile_projection
from router.supergraph import Supergraph, read_supergraph
from tests.differential.servers import SubgraphServers, answer_alone
from tests.differential.subgraph_schema import SubgraphSchema
from tests.federation_cases.enclosing import answer_in_contexts
from tests.federation_cases.stored_facts import StoredFacts

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent.name for path in HERE.glob("*/operation.graphql"))
REFUSED = [name for name in FOLDERS if (HERE / name / "refusal.txt").exists()]
CASES = [name for name in FOLDERS if name not in REFUSED]
# What a subgraph that never answers is waited for.
PATIENCE_S = 0.05


class Case:
    """A folder, read; ``answers`` are bodies that a subgraph gives whatever it is asked."""

    def __init__(self, name: str) -> None:
        folder = HERE / name
        self.sdl = {path.stem: path.read_text() for path in sorted(folder.glob("subgraphs/*.graphql"))}
        self.text = (folder / "operation.graphql").read_text()
        self.plan = _read_text(folder / "plan.txt")
        self.refusal = _read_text(folder / "refusal.txt")
        self.limits = PlanningLimits(**_read_json(folder / "limits.json"))
        self.silent: list[str] = json.loads(_read_text(folder / "silent.json") or "[]")
        self.response = _read_json(folder / "response.json")
        self.variables = _read_json(folder / "variables.json")
        self.data = _read_json(folder / "data.json")
        self.answers: Mapping[str, str] = _read_json(folder / "answers.json")
        sdl = _read_text(folder / "supergraph.graphql") or _compose(self.sdl)
        self.supergraph: Supergraph = read_supergraph(sdl)
        self.operation: Operation = build_operation(self.supergraph.api_schema, parse_document(self.text))


class CaseClient:
    """The case's subgraphs; ``requests`` are those that were asked, in order."""

    def __init__(self, case: Case, facts: StoredFacts) -> None:
        schemas = {name: SubgraphSchema(name, sdl) for name, sdl in case.sdl.items()}
        self._answers = case.answers
        self._silent = case.silent
        self.servers = SubgraphServers(facts, schemas)
        self.requests: list[str] = []

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """The written answer of the subgraph, if there is one, else the true one."""
        self.requests.append(request.subgraph)
        if request.subgraph in self._silent:
            await asyncio.sleep(request.timeout_s)
            raise SubgraphFailure(TIMEOUT, "not in time")
        if request.subgraph in self._answers:
            return SubgraphResponse(200, self._answers[request.subgraph].encode())
        return await self.servers.send(request)

    async def close(self) -> None:
        """Nothing is open."""


def _compose(sdl: Mapping[str, str]) -> str:
    composition = compose([Subgraph(name, f"http://{name}.test", text) for name, text in sdl.items()])
    assert composition.supergraph_sdl is not None, composition.errors
    return composition.supergraph_sdl


def _read_text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _read_json(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text()) if path.exists() else {}
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize("name", CASES)
def test_plan_is_as_written(name: str) -> None:
    case = Case(name)

    assert render_text(plan_operation(case.supergraph, case.operation)) == case.plan


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CASES)
async def test_response_is_as_written(name: str) -> None:
    case = Case(name)
    facts = StoredFacts(case.supergraph.graph.merged, case.data)
    client = CaseClient(case, facts)
    values = coerce_variables(case.supergraph.api_schema, case.operation, case.variables)
    executable = compile_plan(plan_operation(case.supergraph, case.operation))
    deadline = asyncio.get_running_loop().time() + PATIENCE_S if case.silent else None
    result = await execute(executable, values, ExecutionContext(client, deadline=deadline, decode=decode_exact))
    projection = compile_projection(case.operation, case.supergraph.api_schema)
    answer = projection(result.data, result.errors, values, result.look_for_absent)

    assert client.servers.broken == []
    errors = [{"message": error.message, "path": list(error.path)} for error in answer.errors]
    told = json.loads(encode({"data": answer.data, "errors": errors}))
    assert json.dumps(told, indent=1) == json.dumps(case.response, indent=1)


HONEST = [name for name in CASES if not any((HERE / name / f"{w}.json").exists() for w in ("answers", "silent"))]


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_is_as_written(name: str) -> None:
    case = Case(name)

    with pytest.raises(PlanningError) as caught:
        plan_operation(case.supergraph, case.operation, case.limits)

    assert f"{caught.value.code}: {caught.value.message}\n" == case.refusal


def test_every_rule_has_a_folder_and_every_folder_a_rule() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([a-z_, ]+) \|$", (HERE / "README.md").read_text(), re.MULTILINE)
    of_rule = {rule.partition(" ")[0]: folders.split(", ") for rule, folders in rows if rule != "rule"}

    assert [rule for rule in of_rule if rule.isdigit()] == [str(number) for number in range(1, 35)]
    assert sorted({folder for folders in of_rule.values() for folder in folders}) == FOLDERS


@pytest.mark.parametrize("name", HONEST)
def test_response_is_that_of_one_server(name: str) -> None:
    case = Case(name)
    facts = StoredFacts(case.supergraph.graph.merged, case.data)
    takes_context = any("@fromContext" in sdl for sdl in case.sdl.values())
    answer = answer_in_contexts(case.sdl.values()) if takes_context else answer_alone
    truth = answer(facts, case.supergraph.api_schema, parse(case.text), case.variables)

    assert json.dumps(truth.data, indent=1) == json.dumps(case.response["data"], indent=1)
    assert [list(error.path or ()) for error in truth.errors or ()] == [e["path"] for e in case.response["errors"]]
