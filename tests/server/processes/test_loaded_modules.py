"""What a router loads that is asked for nothing special: libraries of features that are off take no memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SUPERGRAPH = Path(__file__).parents[3] / "bench" / "federation" / "schema" / "supergraph.graphql"
# Each stands for all that it brings; cryptography alone takes 9 MB.
OF_FEATURES = {
    "cryptography", "httpx", "jwt", "nats", "opentelemetry", "router.composition", "strawberry", "valkey",
}  # fmt: skip
ASSEMBLED = """
import json, sys
from pathlib import Path
import router.commands.main, router.commands.serve
from router.server.app import create_app
from router.server.config import RouterConfig
from router.server.graphs.graph_files import GraphFiles
create_app(RouterConfig(), GraphFiles(Path(sys.argv[1]), None).open())
print(json.dumps(sorted(sys.modules)))
"""


def test_a_router_loads_no_library_of_a_feature_that_is_off() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASSEMBLED, str(SUPERGRAPH)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert "uvicorn" in loaded
    assert loaded & OF_FEATURES == set()
