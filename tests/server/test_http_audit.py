"""The audit of the GraphQL over HTTP specification, by the npm package graphql-http, against a running router."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from tests.server.running_router import running_router

AUDIT = Path(__file__).parent / "audit"


def not_run(reason: str) -> NoReturn:
    """Skip; on CI, where everything must run, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def node() -> str:
    """Node's path, with the audit's packages installed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        reason = "no Node here: the audit of GraphQL over HTTP did not run (install Node 20 or newer)"
        not_run(reason)
    if not (AUDIT / "node_modules" / "graphql-http").exists():
        command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=AUDIT, check=True, timeout=110)
    return node


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
