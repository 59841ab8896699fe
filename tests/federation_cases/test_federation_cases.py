"""One folder for each behaviour: composed, planned and answered as ``plan.txt`` and ``response.json`` say.

The subgraphs of a case run in this process, over its ``data.json``, and refuse what no router may ask of them. Where
none of them fails, the response is also held against that of one server which has all the data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import parse

from router import Subgraph, compose
from router.execution.executable import compile_plan
from router.execution.execute import ExecutionContext, execute
from router.execution.json_numbers import decode_exact, encode
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.operation import build_operation, coerce_variables, parse_document
from router.operation.model import Operation
from router.planning import plan_operation, render_text
from router.response.projection import compile_projection
from router.supergraph import Supergraph, read_supergraph
from tests.differential.servers import SubgraphServers, answer_alone
from tests.differential.subgraph_schema import SubgraphSchema
from tests.federation_cases.enclosing import EnclosingServer
from tests.federation_cases.stored_facts import StoredFacts

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/operation.graphql"))


class Case:
    """A folder, read; ``answers`` are bodies that a subgraph gives whatever it is asked."""

    def __init__(self, name: str) -> None:
        folder = HERE / name
        self.sdl = {path.stem: path.read_text() for path in sorted(folder.glob("subgraphs/*.graphql"))}
        self.text = (folder / "operation.graphql").read_text()
        self.plan = (folder / "plan.txt").read_text()
        self.response = _read_json(folder / "response.json")
        self.variables = _read_json(folder / "variables.json")
        self.data = _read_json(folder / "data.json")
        self.answers: Mapping[str, str] = _read_json(folder / "answers.json")
        composition = compose([Subgraph(name, f"http://{name}.test", sdl) for name, sdl in self.sdl.items()])
        assert composition.supergraph_sdl is not None, composition.errors
        self.supergraph: Supergraph = read_supergraph(composition.supergraph_sdl)
        self.operation: Operation = build_operation(self.supergraph.api_schema, parse_document(self.text))


class CaseClient:
    """The case's subgraphs; ``requests`` are those that were asked, in order."""

    def __init__(self, case: Case, facts: StoredFacts) -> None:
        schemas = {name: SubgraphSchema(name, sdl) for name, sdl in case.sdl.items()}
        self._answers = case.answers
        self.servers = SubgraphServers(facts, schemas)
        self.requests: list[str] = []

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """The written answer of the subgraph, if there is one, else the true one."""
        self.requests.append(request.subgraph)
        if request.subgraph in self._answers:
            return SubgraphResponse(200, self._answers[request.subgraph].encode())
        return await self.servers.send(request)

    async def close(self) -> None:
        """Nothing is open."""


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
    result = await execute(executable, values, ExecutionContext(client, decode=decode_exact))
    answer = compile_projection(case.operation, case.supergraph.api_schema)(result.data, result.errors, values)

    assert client.servers.broken == []
    errors = [{"message": error.message, "path": list(error.path)} for error in answer.errors]
    told = json.loads(encode({"data": answer.data, "errors": errors}))
    assert json.dumps(told, indent=1) == json.dumps(case.response, indent=1)


@pytest.mark.parametrize("name", [name for name in CASES if not (HERE / name / "answers.json").exists()])
def test_response_is_that_of_one_server(name: str) -> None:
    case = Case(name)
    facts = StoredFacts(case.supergraph.graph.merged, case.data)
    if any("@fromContext" in sdl for sdl in case.sdl.values()):
        truth = EnclosingServer(facts, case.sdl.values()).answer(case.supergraph.api_schema, case.text, case.variables)
    else:
        truth = answer_alone(facts, case.supergraph.api_schema, parse(case.text), case.variables)

    assert json.dumps(truth.data, indent=1) == json.dumps(case.response["data"], indent=1)
    assert [list(error.path or ()) for error in truth.errors or ()] == [e["path"] for e in case.response["errors"]]
