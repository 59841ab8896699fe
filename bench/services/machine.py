"""The machine and the versions that a figure was measured with: a figure without them says nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("strawberry-graphql", "graphql-core", "motor", "pymongo", "nats-py", "starlette", "uvicorn", "uvloop")
CPU_INFO = Path("/proc/cpuinfo")


def describe_machine(packages: Sequence[str] = PACKAGES) -> str:
    """One sentence: cores, CPU, system, Python, and the packages that were measured (by default a service's)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return f"{cores} cores of {_cpu_model()}, {system}, Python {platform.python_version()}; {versions}."


def _cpu_model() -> str:
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
