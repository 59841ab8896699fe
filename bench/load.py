"""One sample: wrk puts load on a contestant, and what it cost is read from the operating system."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bench.contestants import Running
from bench.errors import BenchError
from bench.operations import Operation

SCRIPT = Path(__file__).parent / "post.lua"


@dataclass(frozen=True, slots=True)
class Sample:
    """Requests per second, latencies in milliseconds, memory in megabytes, CPU as a share of one core and in
    microseconds for each request: the last one hardly moves when other processes want the machine too.

    ``machine_cpu`` is the share of all cores that everything on the machine took together.
    """

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    cpu: float
    cpu_us_per_request: float
    memory_mb: float
    fetches_per_request: float
    stub_cpu: float
    machine_cpu: float


@dataclass(frozen=True, slots=True)
class Load:
    """How hard, how long, and from which CPU (or several, as taskset names them)."""

    connections: int
    seconds: int
    cpu: int | str


def require_wrk() -> None:
    """Install wrk from Debian's packages where that is allowed; raise BenchError where it is not."""
    if shutil.which("wrk"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise BenchError("wrk is missing: install it (Debian: apt-get install wrk) and run again")
    subprocess.run(["apt-get", "update", "-qq"], check=True)  # noqa: S607
    subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], check=True, stdout=subprocess.DEVNULL)  # noqa: S607


def measure(contestant: Running, operation: Operation, load: Load, stub: Running) -> Sample:
    """Load ``contestant`` with ``operation`` and return what was seen; its answers are not read."""
    processes = _family(contestant.pid)
    stub_process = psutil.Process(stub.pid)
    cpu, stub_cpu, fetches, start = _cpu_s(processes), _cpu_s([stub_process]), _fetches(stub), time.monotonic()
    idle = psutil.cpu_times().idle
    result = _wrk(contestant.url, operation, load)
    duration, idle = time.monotonic() - start, psutil.cpu_times().idle - idle
    requests = max(result["requests"], 1)
    cpu_s = _cpu_s(processes) - cpu
    return Sample(
        requests_per_s=result["requests"] / (result["duration_us"] / 1e6),
        p50_ms=result["p50"] / 1000,
        p99_ms=result["p99"] / 1000,
        errors=int(sum(value for key, value in result.items() if key.startswith("err_"))),
        cpu=cpu_s / duration,
        cpu_us_per_request=1e6 * cpu_s / requests,
        memory_mb=sum(process.memory_info().rss for process in processes) / 1e6,
        fetches_per_request=(_fetches(stub) - fetches) / requests,
        stub_cpu=(_cpu_s([stub_process]) - stub_cpu) / duration,
        machine_cpu=1 - idle / duration / len(psutil.cpu_times(percpu=True)),
    )


def answered_and_refused(contestant: Running, operation: Operation, load: Load) -> tuple[float, float]:
    """How many requests a second were answered, and how many with another status than 2xx or 3xx."""
    result = _wrk(contestant.url, operation, load)
    seconds, refused = result["duration_us"] / 1e6, result["err_status"]
    return (result["requests"] - refused) / seconds, refused / seconds


@contextmanager
def wrk_command(
    url: str, body: str, load: Load, *, unique: bool, headers: Mapping[str, str] | None = None
) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The command, and its environment, that posts ``body`` to ``url``; good for as long as the block runs."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(body)
        file.flush()
        environment = {**os.environ, "BODY_FILE": file.name, "UNIQ": "1" if unique else "0"}
        command = ["taskset", "-c", str(load.cpu), "wrk", "-t1", f"-c{load.connections}", f"-d{load.seconds}s"]
        told = [part for name, value in (headers or {}).items() for part in ("-H", f"{name}: {value}")]
        yield [*command, *told, "--timeout", "10s", "-s", str(SCRIPT), url], environment


def _wrk(url: str, operation: Operation, load: Load) -> dict[str, float]:
    sent = wrk_command(url, operation.body, load, unique=operation.unique, headers=operation.headers)
    with sent as (command, environment):
        output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout  # noqa: S603
    line = next(line for line in output.splitlines() if line.startswith("JSON"))
    figures: dict[str, float] = json.loads(line.removeprefix("JSON").replace("-nan", "0").replace("nan", "0"))
    return figures


def _fetches(stub: Running) -> int:
    stats: dict[str, int] = httpx.get(f"{stub.url}/stats", trust_env=False).json()
    return sum(stats[name] for name in ("accounts", "inventory", "products", "reviews"))


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _cpu_s(processes: list[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))
