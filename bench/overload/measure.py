"""What the router did with a load: goodput, latencies of what it let in, refusals, and its memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

import psutil

from bench.contestants import Running
from bench.errors import BenchError
from bench.operations import Operation
from bench.overload.open_loop import Outcome

ROOT = Path(__file__).parents[2]
# For its start, its connections, and the last answers.
_SPARE_S = 20


@dataclass(frozen=True, slots=True)
class Load:
    """How many requests a second, for how long, and from which CPU."""

    rate: float
    seconds: int
    cpu: int


@dataclass(frozen=True, slots=True)
class Answers:
    """What the sender has seen (``open_loop.Outcome``), the router's memory at the end, and the share of a core it had.

    A router under overload that has less than its core shares it with others, or waits for subgraphs.
    """

    outcome: Outcome
    memory_mb: float
    router_busy: float

    @property
    def failed(self) -> int:
        """Requests without an answer of the router: the connection broke, none came, or it was no 200 or 503."""
        return self.outcome.broken + self.outcome.unanswered + self.outcome.others

    @property
    def sent(self) -> int:
        """All requests."""
        return sum(self.outcome.answered) + sum(self.outcome.refused) + self.failed

    def refused(self, after_s: int = 0) -> int:
        """How many were refused, without those of the first so many seconds."""
        return sum(self.outcome.refused[after_s:])

    def goodput(self, after_s: int = 0) -> float:
        """Answered requests a second, without the first so many seconds."""
        counted = self.outcome.answered[after_s:]
        return sum(counted) / len(counted)

    def refusals(self) -> float:
        """Refused requests a second."""
        return self.refused() / len(self.outcome.refused)

    def p99_ms(self, after_s: int = 0) -> float:
        """Of the answered requests, without those of the first so many seconds, from when they were due."""
        return p99([one for second in self.outcome.latencies_ms[after_s:] for one in second])

    def late_ms(self) -> float:
        """The p99 of how late the sender was: so much of the latencies is its own."""
        return p99(self.outcome.late_ms)

    def __str__(self) -> str:
        outcome = self.outcome
        failed = f"{outcome.broken} broken, {outcome.unanswered} unanswered, {outcome.others} others"
        sender = f"sender {self.late_ms():.1f} ms late (p99), {outcome.busy:.0%} of its core, {outcome.retried} retried"
        told = f"{self.goodput():.0f} answered/s, {self.refusals():.0f} refused/s, {failed}"
        router = f"p99 {self.p99_ms():.1f} ms, {self.memory_mb:.0f} MB, {self.router_busy:.0%} of its core"
        return f"{told}, {router} ({sender})"


def p99(values: Sequence[float]) -> float:
    """The 99th percentile; infinite where there are too few."""
    return quantiles(values, n=100)[98] if len(values) > 1 else float("inf")


class OpenLoad:
    """A load that has begun, in a process of its own."""

    def __init__(self, router: Running, operation: Operation, load: Load) -> None:
        self._router = router
        port = str(urlsplit(router.url).port)
        command = ["taskset", "-c", str(load.cpu), sys.executable, "-m", "bench.overload.open_loop", port]
        # In a file: it is a megabyte, and a pipe has lost the end of it.
        handle, path = tempfile.mkstemp(suffix=".json")
        os.close(handle)
        self._outcome = Path(path)
        command += [str(load.rate), str(load.seconds), str(self._outcome)]
        self._seconds = load.seconds
        self._cpu_s = _cpu_s(router)
        self._process = subprocess.Popen(  # noqa: S603 - ours
            command, cwd=ROOT, stdin=subprocess.PIPE
        )
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        self._process.stdin.write(request_of(operation))
        self._process.stdin.close()
        self._process.stdin = None

    def answers(self) -> Answers:
        """Wait for the end. BenchError where the sender failed, or took longer than its load and some spare time."""
        try:
            self._process.wait(self._seconds + _SPARE_S)
            written = self._outcome.read_text()
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"the sender has not ended after {self._seconds + _SPARE_S} s") from error
        finally:
            self.stop()
        if self._process.returncode:
            raise BenchError(f"the sender ended with code {self._process.returncode}")
        outcome = Outcome(**json.loads(written))
        memory = psutil.Process(self._router.pid).memory_info().rss / 1e6
        return Answers(outcome, memory, (_cpu_s(self._router) - self._cpu_s) / self._seconds)

    def stop(self) -> None:
        """End the sender, if it has not ended, and leave nothing of it behind."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._outcome.unlink(missing_ok=True)


def loaded(router: Running, operation: Operation, load: Load) -> Answers:
    """What becomes of ``load``, once it has ended; told on stderr, as a run takes minutes."""
    answers = OpenLoad(router, operation, load).answers()
    print(
        f"{load.rate:.0f} requests/s of {operation.name} for {load.seconds} s: {answers}", file=sys.stderr, flush=True
    )
    return answers


def _cpu_s(router: Running) -> float:
    times = psutil.Process(router.pid).cpu_times()
    return times.user + times.system


def request_of(operation: Operation) -> bytes:
    """The whole HTTP request."""
    body = operation.body.encode()
    head = "POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\naccept: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body
