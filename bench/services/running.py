"""One service with the engines that it needs: the embedded database, NATS, and ``mall serve``, each a process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bench.errors import BenchError
from stack import mongodb
from stack import nats as nats_server
from stack.daemon import free_port, stop
from stack.daemon import running as running_daemon

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "of-the-bench"  # noqa: S105 - of servers that live as long as the run
READY_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Engines:
    """Where the database and NATS are, and the directory of this run."""

    mongodb: str
    nats: str
    directory: Path

    def environment(self, service: str, router_keys: str) -> dict[str, str]:
        """What the service is told: a fresh database with the demo shop, and keys of this run."""
        return {
            **os.environ,
            "MONGODB_URL": f"{self.mongodb}/{service}_{time.monotonic_ns()}?authSource=admin",
            "NATS_URL": self.nats,
            "GALLERIA_DATA": str(self.directory),
            "SEED_DEMO": "1",
            "LOG_FORMAT": "json",
            "ROUTER_KEYS": router_keys,
        }


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that is ready at ``port`` of this machine."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]

    def token(self, role: str) -> str:
        """A development token for ``role``, as users get one."""
        mall = str(Path(sys.prefix) / "bin" / "mall")
        command = [mall, "token", "--role", role]
        result = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)  # noqa: S603
        return result.stdout.strip()

    def cpu_s(self) -> float:
        """The CPU time that it has taken up to now, in all its threads."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system


@contextmanager
def running_engines(directory: Path) -> Iterator[Engines]:
    """Run the database and NATS on free ports until the block ends."""
    binary, data, port, nats_port = mongodb.server_binary(ROOT), directory / "mongodb", free_port(), free_port()
    mongodb.bootstrap(binary, data, {"root": PASSWORD})
    config = nats_server.write_config(directory / "nats", nats_port, PASSWORD)
    with (
        running_daemon(mongodb.server_command(binary, data, port), port, directory / "mongodb.log"),
        running_daemon(
            nats_server.server_command(nats_server.server_binary(), config), nats_port, directory / "nats.log"
        ),
    ):
        yield Engines(
            f"mongodb://root:{PASSWORD}@127.0.0.1:{port}", nats_server.server_url(nats_port, PASSWORD), directory
        )


@contextmanager
def running_service(
    name: str, engines: Engines, profile: Path | None = None, router_keys: str = ""
) -> Iterator[RunningService]:
    """Run the service with the demo shop until the block ends; with ``profile`` it writes there where its time went.

    What is signed by ``router_keys`` it takes for the router's.
    """
    port = free_port()
    command: Sequence[str] = [str(Path(sys.prefix) / "bin" / "mall"), "serve", name, "--port", str(port)]
    if profile:
        command = [sys.executable, "-m", "bench.services.profiled", str(profile), *command[1:]]
    environment = engines.environment(name, router_keys)
    log = engines.directory / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - ours
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            _await_ready(name, process, port, log)
            yield RunningService(name, port, process, environment)
        finally:
            stop(process)


def _await_ready(name: str, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise BenchError(f"{name} ended with code {process.returncode}: {log.read_text()[-500:]}")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health/ready", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise BenchError(f"{name} is not ready after {READY_WITHIN_S:.0f} s: {log.read_text()[-500:]}")
