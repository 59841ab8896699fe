"""The four subgraphs of the benchmark as one native process that is never the bottleneck (checked in each run)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.contestants import Running
from bench.errors import BenchError
from stack.daemon import running as running_daemon

SOURCE = Path(__file__).parent / "stub" / "stub.cpp"
BINARY = SOURCE.with_suffix("")
PORT = 24200  # the routing URLs of federation/schema/supergraph.graphql


@contextmanager
def running_stub(cpu: int | str, port: int = PORT) -> Iterator[Running]:
    """Build the stub if its source is newer, and run it on ``cpu``."""
    if not BINARY.exists() or BINARY.stat().st_mtime < SOURCE.stat().st_mtime:
        compiler = shutil.which("g++") or shutil.which("clang++")
        if compiler is None:
            raise BenchError("a C++ compiler is missing: install g++ (Debian: apt-get install g++) and run again")
        subprocess.run([compiler, "-O2", "-std=c++17", "-o", str(BINARY), str(SOURCE)], check=True)  # noqa: S603
    command = ["taskset", "-c", str(cpu), str(BINARY), str(port)]
    with running_daemon(command, port, Path(__file__).parent / "results" / "stub.log") as process:
        yield Running("stub", f"http://127.0.0.1:{port}", process.pid)
