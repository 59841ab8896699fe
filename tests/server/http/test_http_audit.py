"""The audit of the GraphQL over HTTP specification, by the npm package graphql-http, against a running router."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.npm_packages import node_with_packages
from tests.server.running_router import running_router

AUDIT = Path(__file__).parent / "audit"


@pytest.fixture(scope="module")
def node() -> str:
    """Node's path, with the audit's packages installed."""
    return node_with_packages(AUDIT, "the audit of GraphQL over HTTP did not run")


def test_every_audit_passes(node: str, tmp_path: Path) -> None:
    """In development: some audits ask for ``__type``, which production refuses."""
    config = tmp_path / "router.yaml"
    config.write_text("environment: development")
    with running_router(tmp_path, "--config", str(config)) as router:
        done = subprocess.run(
            [node, "audit.mjs", f"{router.url}/graphql"],
            cwd=AUDIT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    audits = json.loads(done.stdout)["audits"]
    assert len(audits) > 50
    failed = [f"{audit['name']}: {audit['reason']}" for audit in audits if audit["status"] != "ok"]
    assert failed == []
