"""The routers that are compared: how each is installed, started and asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.errors import BenchError
from bench.operations import FOLDER, Operation
from stack.daemon import free_port, stop

HERE = Path(__file__).parent
SUPERGRAPH = FOLDER / "schema" / "supergraph.graphql"
START_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Contestant:
    """A router by name: the command that serves PORT, the path of its graph, and its npm folder if it has one.

    ``shares_requests`` where identical requests in flight are executed once: it is timed with identical ones alone.
    """

    name: str
    command: tuple[str, ...]
    path: str
    folder: Path = HERE
    needs_node: bool = False
    shares_requests: bool = False

    def takes(self, operation: Operation) -> bool:
        """Whether timing it with ``operation`` says something."""
        return not (self.shares_requests and operation.unique)


@dataclass(frozen=True, slots=True)
class Running:
    """A contestant that answers at ``url``, as process ``pid`` and its children."""

    name: str
    url: str
    pid: int


def known_contestants() -> dict[str, Contestant]:
    """All contestants, ours first. ``{port}`` and ``{supergraph}`` in a command are filled in at the start."""
    galleria = (str(Path(sys.prefix) / "bin" / "galleria"), "serve", "--supergraph", "{supergraph}", "--port", "{port}")
    apollo, hive = HERE / "peers" / "apollo", HERE / "peers" / "hive"
    hive_gateway = (
        "node",
        "node_modules/.bin/hive-gateway",
        "supergraph",
        "{supergraph}",
        "-h",
        "127.0.0.1",
        "-p",
        "{port}",
    )
    uvicorn = (sys.executable, "-m", "uvicorn", "--port", "{port}", "--loop", "uvloop", "--http", "httptools")
    ceiling = (*uvicorn, "--no-access-log", "--log-level", "warning", "bench.peers.ceiling.app:app")
    contestants = (
        Contestant("galleria", (*galleria, "--config", str(HERE / "configs" / "alone.yaml")), "/graphql"),
        Contestant(
            "galleria-sharing",
            (*galleria, "--config", str(HERE / "configs" / "sharing.yaml")),
            "/graphql",
            shares_requests=True,
        ),
        Contestant("ceiling", ceiling, "/", HERE.parent),
        Contestant("apollo", ("node", "gateway.mjs"), "/", apollo, needs_node=True),
        Contestant("hive", (*hive_gateway, "-c", "default.config.mjs"), "/graphql", hive, needs_node=True),
        Contestant("hive-rust", (*hive_gateway, "-c", "rust-planner.config.mjs"), "/graphql", hive, needs_node=True),
        Contestant(
            "hive-rust-sharing",
            (*hive_gateway, "-c", "rust-planner-sharing.config.mjs"),
            "/graphql",
            hive,
            needs_node=True,
            shares_requests=True,
        ),
    )
    return {contestant.name: contestant for contestant in contestants}


def install(contestant: Contestant) -> bool:
    """Install what the contestant needs; False, with a line on stderr, where there is no Node for one that needs it."""
    if not contestant.needs_node or (contestant.folder / "node_modules").exists():
        return True
    if shutil.which("npm") is None:
        print(f"no Node here: {contestant.name} does not take part", file=sys.stderr)
        return False
    command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=contestant.folder, check=True, stdout=sys.stderr)  # noqa: S603 - ours
    return True


@contextmanager
def running(contestant: Contestant, cpu: int | str, environment: Mapping[str, str]) -> Iterator[Running]:
    """Run the contestant on ``cpu`` (one, or several as taskset names them) until the block ends.

    The block begins when it answers.
    """
    port = free_port()
    command = [part.format(port=port, supergraph=SUPERGRAPH) for part in contestant.command]
    env = {**os.environ, **environment, "PORT": str(port), "SUPERGRAPH": str(SUPERGRAPH), "NODE_ENV": "production"}
    log = HERE / "results" / f"{contestant.name}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - ours
            ["taskset", "-c", str(cpu), *command],  # noqa: S607 - of util-linux
            cwd=contestant.folder, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}{contestant.path}"
            _await_answer(contestant.name, process, url, log)
            yield Running(contestant.name, url, process.pid)
        finally:
            stop(process)


def verify(contestant: Running, operation: Operation) -> None:
    """Raise BenchError unless the contestant answers ``operation`` as expected: a wrong answer is not timed."""
    headers = {**_HEADERS, **operation.headers}
    response = httpx.post(contestant.url, content=operation.body, headers=headers, timeout=10, trust_env=False)
    if response.status_code != httpx.codes.OK or response.json() != operation.expected:
        raise BenchError(f"{contestant.name} answers {operation.name} wrongly: {response.text[:300]}")


_HEADERS = {"content-type": "application/json", "accept": "application/json"}


def _await_answer(name: str, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise BenchError(f"{name} ended with code {process.returncode}: see {log}")
        try:
            httpx.post(url, content='{"query":"{__typename}"}', headers=_HEADERS, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise BenchError(f"{name} does not answer after {START_TIMEOUT_S:.0f} s: see {log}")
