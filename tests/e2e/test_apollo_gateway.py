"""Another router's opinion: Apollo Gateway accepts the supergraph that we compose, and answers the same."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

import router
from router.composition.subgraphs_file import load_subgraphs
from tests.mall import ROOT, RunningMall
from tests.npm_packages import node_with_packages

HERE = Path(__file__).parent
OPERATION = HERE.parent / "contract" / "operations" / "orders.graphql"
pytestmark = [
    pytest.mark.xdist_group("mall"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def gateway() -> Path:
    """The folder of the gateway script, with its packages installed."""
    folder = HERE / "apollo_gateway"
    node_with_packages(folder, "Apollo Gateway was not asked")
    return folder


def test_it_answers_the_order_query_as_our_router_does(mall: RunningMall, gateway: Path, tmp_path: Path) -> None:
    ports = {f"{name.upper()}_URL": mall.url(name) for name in mall.ports}
    composition = router.compose(load_subgraphs(ROOT / "supergraph.yaml", environment=ports))
    assert composition.supergraph_sdl is not None
    supergraph = tmp_path / "supergraph.graphql"
    supergraph.write_text(composition.supergraph_sdl)
    environment = {
        **os.environ,
        "SUPERGRAPH": str(supergraph),
        "OPERATION": str(OPERATION),
        "AUTHORIZATION": f"Bearer {mall.token('staff')}",
    }
    result = subprocess.run(
        ["node", "answer.mjs"], cwd=gateway, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    theirs = json.loads(result.stdout)
    assert "errors" not in theirs
    assert len(theirs["data"]["orders"]["edges"]) == 10
    assert theirs["data"] == mall.data(OPERATION.read_text(), "staff")
