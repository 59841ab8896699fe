"""The mall as one process: the router asks five services that live in it, without a socket."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from stack.daemon import free_port, running
from tests.mall import ROOT, RunningMall, await_condition

pytestmark = [pytest.mark.xdist_group("mall"), pytest.mark.timeout(300)]
NAMES = ("orders", "payments", "inventory", "shipping", "recommendations")
QUERY = "{ orders(first: 2) { edges { node { number payment { status } shipment { status } } } } }"


def test_services_in_the_routers_process_answer_as_those_of_their_own(mall: RunningMall, tmp_path: Path) -> None:
    config = tmp_path / "router.yaml"
    config.write_text("subgraphs:\n  apps:\n" + "".join(f"    {n}: subgraphs.chassis.in_process:{n}\n" for n in NAMES))
    supergraph = tmp_path / "supergraph.graphql"
    # Addresses at which nobody listens: an answer can only come from this process.
    nowhere = {f"{name.upper()}_URL": "http://127.0.0.1:9/graphql" for name in NAMES}
    environment = {**mall.environment, **nowhere}
    galleria = str(Path(sys.executable).parent / "galleria")
    compose = [galleria, "compose", "supergraph.yaml", "--output", str(supergraph)]
    subprocess.run(compose, cwd=ROOT, env=environment, check=True)
    port = free_port()
    changed = [f"{name}={value}" for name, value in environment.items() if os.environ.get(name) != value]
    serve = [
        "env",
        *changed,
        sys.executable,
        "-m",
        "stack",
        "run",
        "galleria",
        "serve",
        "--supergraph",
        str(supergraph),
        "--config",
        str(config),
    ]
    with running([*serve, "--port", str(port)], port, tmp_path / "router.log"):
        headers = {"authorization": f"Bearer {mall.token('staff')}"}
        url = f"http://127.0.0.1:{port}/graphql"

        def equal_answer() -> Any:
            """The answer, once the services have reached their databases and orders rest between two questions."""
            answer = httpx.post(url, json={"query": QUERY}, headers=headers, timeout=30, trust_env=False).json()
            return answer if answer == mall.ask(QUERY, "staff") else None

        answer = await_condition(equal_answer, 60, "the same answer from both")

    assert "9/graphql" in supergraph.read_text()
    assert "errors" not in answer
    assert len(answer["data"]["orders"]["edges"]) == 2
