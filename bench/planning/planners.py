"""The two planners, asked alike: the depth, the number of fetches and the time of each operation's plan."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.planning.cases import Case
from router.errors import GalleriaError
from router.operation import build_operation, parse_document
from router.planning import plan_operation
from router.planning.plan import depth_of

PEER = Path(__file__).parent / "apollo"


@dataclass(frozen=True, slots=True)
class Planned:
    """One plan; ``error`` is set where there is none."""

    depth: int = 0
    fetches: int = 0
    ms: float = 0.0
    error: str | None = None


def plan_ours(case: Case, clock: Callable[[], float] = time.perf_counter) -> list[Planned]:
    """Our plans of a case's operations; the time is that of planning alone, as the peer's."""
    return [_plan(case, text, clock) for text in case.operations]


def _plan(case: Case, text: str, clock: Callable[[], float]) -> Planned:
    try:
        operation = build_operation(case.supergraph.api_schema, parse_document(text))
        started = clock()
        fetches = plan_operation(case.supergraph, operation).fetches
    except GalleriaError as error:
        return Planned(error=str(error))
    ms = (clock() - started) * 1000
    return Planned(depth_of(list(fetches)), len(fetches), ms)


class Peer:
    """The npm package's planner in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def plan(self, case: Case) -> list[Planned]:
        """Its plans of a case's operations."""
        return self.plan_texts(case, case.operations)

    def plan_texts(self, case: Case, texts: tuple[str, ...]) -> list[Planned]:
        """Its plans of other operations over the case's supergraph."""
        request, answers = self._process.stdin, self._process.stdout
        if request is None or answers is None:
            raise BenchError("the peer's planner was started without pipes")
        request.write(json.dumps({"supergraph": case.sdl, "operations": texts}) + "\n")
        request.flush()
        line = answers.readline()
        if not line:
            raise BenchError(f"the peer's planner ended at case {case.name}")
        return [Planned(**plan) for plan in json.loads(line)]


@contextmanager
def running_peer() -> Iterator[Peer]:
    """Install the peer if need be, and run it. BenchError where there is no Node."""
    node = shutil.which("node")
    if shutil.which("npm") is None or node is None:
        raise BenchError("there is no Node here: the peer's planner cannot run")
    if not (PEER / "node_modules").exists():
        command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=PEER, check=True, stdout=sys.stderr)  # noqa: S603 - ours
    command = [node, "plan.mjs"]
    process = subprocess.Popen(command, cwd=PEER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        yield Peer(process)
    finally:
        process.kill()
        process.wait()
