"""A whole mall for the tests: ``python -m stack up`` on ports of its own, with data of its own, and a client for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from stack.daemon import free_port
from stack.environment import DEFAULT_PORTS

ROOT = Path(__file__).parent.parent
START_TIMEOUT_S = 120.0
Json = dict[str, Any]
T = TypeVar("T")


class RunningMall:
    """The running processes: their ports by name, their log, tokens, and GraphQL over HTTP to each of them."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, environment: Mapping[str, str]) -> None:
        self.process = process
        self.log = log
        self.environment = dict(environment)
        self.ports = {name: int(environment[f"{name.upper()}_PORT"]) for name in DEFAULT_PORTS}
        self.client = httpx.Client(timeout=30, trust_env=False)
        self.tokens: dict[str, str] = {}

    def url(self, name: str, path: str = "/graphql") -> str:
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def token(self, role: str) -> str:
        """A development token, from the command that a user would type."""
        if role not in self.tokens:
            command = [str(Path(sys.prefix) / "bin" / "mall"), "token", "--role", role]
            result = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
            self.tokens[role] = result.stdout.strip()
        return self.tokens[role]

    def ask(self, query: str, role: str | None = None, name: str = "router", **variables: object) -> Json:
        """The GraphQL response of ``name`` (the router or a service) to ``query``."""
        headers = {"authorization": f"Bearer {self.token(role)}"} if role else {}
        body = {"query": query, "variables": variables}
        response: Json = self.client.post(self.url(name), json=body, headers=headers).json()
        return response

    def data(self, query: str, role: str | None = None, name: str = "router", **variables: object) -> Json:
        """The ``data`` of a response that must have no errors."""
        response = self.ask(query, role, name, **variables)
        assert "errors" not in response, response["errors"]
        data: Json = response["data"]
        return data

    def listener(self, name: str) -> psutil.Process:
        """The process that listens on the port of ``name``."""
        for process in psutil.Process(self.process.pid).children(recursive=True):
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (self.ports[name],):
                    return process
        raise AssertionError(f"nothing of the mall listens on the port of {name}")

    def stop(self) -> None:
        """Ctrl-C, and wait until all has ended."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


def await_condition(condition: Callable[[], T | None], timeout_s: float = 60.0, what: str = "the condition") -> T:
    """The first true value of ``condition``; fails when it has none in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true within {timeout_s:.0f} s"
        time.sleep(0.1)


@contextmanager
def running_mall(directory: Path, **settings: str) -> Iterator[RunningMall]:
    """Open a mall on free ports, with its data in ``directory``; close it at the end, whatever happened."""
    environment = {**os.environ, "GALLERIA_DATA": str(directory / "data"), **settings}
    environment.update({f"{name.upper()}_PORT": str(free_port()) for name in DEFAULT_PORTS})
    log = directory / "mall.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "stack", "up"], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    mall = RunningMall(process, log, environment)
    try:
        await_condition(lambda: _is_open(mall), START_TIMEOUT_S, f"the opening of the mall (see {log})")
        yield mall
    finally:
        if process.poll() is None:
            mall.stop()
        mall.client.close()


def _is_open(mall: RunningMall) -> bool:
    assert mall.process.poll() is None, f"the mall ended with {mall.process.returncode}: {mall.log.read_text()[-2000:]}"
    return "Galleria is open" in mall.log.read_text()
