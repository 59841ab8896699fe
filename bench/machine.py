"""What was measured, and on what: the machine, and the version of everything that takes part."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
PYTHON_PACKAGES = ("uvicorn", "uvloop", "httptools", "orjson", "graphql-core")
NODE_PACKAGES = {
    "apollo": "@apollo/gateway",
    "hive": "@graphql-hive/gateway",
}


def describe() -> dict[str, str]:
    """Names and values, in the order in which a report tells them."""
    told = {
        "CPU": f"{_cpu_model()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in PYTHON_PACKAGES},
    }
    if shutil.which("node"):
        told["Node"] = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607
    for folder, package in NODE_PACKAGES.items():
        found = PEERS / folder / "node_modules" / package / "package.json"
        if found.exists():
            told[package] = json.loads(found.read_text())["version"]
    return told


def _cpu_model() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()
