"""Requests at a rate that answers do not change: what the public does, and wrk does not.

A closed loop sends the next request when the last one is answered, so that a slow router is asked less and looks well.
Here each request has a time when it is due, by chance as those of many people are (a Poisson process, the same one in
each run), and its latency counts from there: waiting for a connection, and a sender that is late, make nobody look
faster. How late the sender was is told too. It is sent on a connection that is free, as a balancer's are; one is opened
where none is, and what was idle for a while is closed before the router may do so. One process of one core sends about
6,000 small requests a second.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import cast

import uvloop

TICK_S = 0.001
GIVEN_UP_AFTER_S = 5.0
MAX_CONNECTIONS = 2_500
# Less than the router's ``server.keep_alive_s``: nobody reuses what the other side is about to close.
_MAX_IDLE_S = 3.0
_TOLD_EVERY_S = 10


@dataclass(slots=True)
class Outcome:
    """By second of the run: how many were answered with 200, how many refused with 503, and the former's latencies.

    ``broken`` lost their connection, ``unanswered`` were given up at the end, ``others`` had another status.
    ``retried`` were sent again, on another connection, as theirs was closed before a byte of an answer. ``late_ms`` is
    how long after their time requests were sent, and ``busy`` the share of a core that the sender took.
    """

    answered: list[int]
    refused: list[int]
    latencies_ms: list[list[float]]
    broken: int = 0
    unanswered: int = 0
    others: int = 0
    retried: int = 0
    late_ms: list[float] = field(default_factory=list)
    busy: float = 0.0

    @classmethod
    def over(cls, seconds: int) -> Outcome:
        """Of a run of so many seconds."""
        return cls([0] * seconds, [0] * seconds, [[] for _ in range(seconds)])


@dataclass(slots=True)
class _Request:
    due: float
    is_retried: bool = False


class _Connection(asyncio.Protocol):
    """One request at a time; says when it was answered, and how."""

    def __init__(self, sender: OpenLoop) -> None:
        self.request: _Request | None = None
        self.idle_since = 0.0
        self.is_used = False
        self._sender = sender
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._missing = 0

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Of TCP it can write; uvloop's is no asyncio.Transport by its type.
        self._transport = cast("asyncio.Transport", transport)
        self._sender.opened(self)

    def send(self, request: _Request, content: bytes) -> None:
        """Send the ``request``."""
        assert self._transport is not None  # noqa: S101 - connected
        self.request, self._head, self._missing = request, b"", 0
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            head, found, body = (self._head + data).partition(b"\r\n\r\n")
            if not found:
                self._head = head
                return
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            self._head, self._missing = head, length - len(body)
        else:
            self._missing -= len(data)
        if self._missing <= 0 and self.request is not None:
            request, self.request, self.is_used = self.request, None, True
            self._sender.note(self, self._head[9:12], request)
            self._head, self._missing = b"", 0

    def connection_lost(self, exc: Exception | None) -> None:
        request, self.request = self.request, None
        self._sender.closed(self)
        if request is not None:
            self._sender.lost(request, may_retry=self.is_used and not self._head)

    def close(self) -> None:
        """Close it."""
        self.request = None
        if self._transport is not None:
            self._transport.abort()


class OpenLoop:
    """Sends ``content`` to ``port`` of this machine, ``rate`` times a second."""

    def __init__(
        self, port: int, content: bytes, rate: float, seconds: int, give_up_after_s: float = GIVEN_UP_AFTER_S
    ) -> None:
        self.outcome = Outcome.over(seconds)
        self._port = port
        self._content = content
        self._rate = rate
        self._seconds = seconds
        self._give_up_after_s = give_up_after_s
        self._free: deque[_Connection] = deque()
        self._connections = 0
        self._coming = 0
        self._open: set[_Connection] = set()
        self._under_way = 0
        self._waiting: deque[_Request] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._began = 0.0

    async def run(self, tell: Callable[[str], None]) -> Outcome:
        """Send for the whole time, and wait a little for the last answers."""
        gaps, cpu_s = Random(7), time.process_time()  # noqa: S311 - no secret
        self._began = now = time.monotonic()
        due, end, told = now + gaps.expovariate(self._rate), now + self._seconds, now + _TOLD_EVERY_S
        while due < end:
            now = time.monotonic()
            while due <= now and due < end:
                self._under_way += 1
                self._send(_Request(due))
                due += gaps.expovariate(self._rate)
            if now > told:
                tell(self._so_far(int(now - self._began)))
                told += _TOLD_EVERY_S
            self._close_idle(now)
            await asyncio.sleep(TICK_S)
        self.outcome.busy = (time.process_time() - cpu_s) / self._seconds
        while self._under_way and time.monotonic() < end + self._give_up_after_s:  # noqa: ASYNC110 - a process of its own
            await asyncio.sleep(TICK_S)
        self.outcome.unanswered = self._under_way
        for task in self._opening:
            task.cancel()
        for connection in tuple(self._open):
            connection.close()
        await asyncio.sleep(0)
        return self.outcome

    def _send(self, request: _Request) -> None:
        while self._free:
            connection = self._free.pop()
            if connection.is_open:
                self._send_on(connection, request)
                return
            self._connections -= 1
        self._waiting.append(request)
        self._connect_as_needed()

    def _connect_as_needed(self) -> None:
        while self._coming < len(self._waiting) and self._connections < MAX_CONNECTIONS:
            self._connections += 1
            self._coming += 1
            task = asyncio.get_running_loop().create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def _send_on(self, connection: _Connection, request: _Request) -> None:
        if not request.is_retried:
            self.outcome.late_ms.append(round(1000 * (time.monotonic() - request.due), 2))
        connection.send(request, self._content)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
        except OSError:
            self._coming -= 1
            self._connections -= 1
            if self._waiting:
                self._waiting.popleft()
                self._under_way -= 1
                self.outcome.broken += 1
            return
        self._coming -= 1
        self._rest(connection)

    def _rest(self, connection: _Connection) -> None:
        if self._waiting:
            self._send_on(connection, self._waiting.popleft())
            return
        connection.idle_since = time.monotonic()
        self._free.append(connection)

    def _close_idle(self, now: float) -> None:
        while self._free and now - self._free[0].idle_since > _MAX_IDLE_S:
            self._free.popleft().close()
            self._connections -= 1

    def opened(self, connection: _Connection) -> None:
        """A connection is there."""
        self._open.add(connection)

    def closed(self, connection: _Connection) -> None:
        """It is gone, whoever closed it."""
        self._open.discard(connection)

    def note(self, connection: _Connection, status: bytes, request: _Request) -> None:
        """A request is answered."""
        second = min(int(request.due - self._began), self._seconds - 1)
        self._under_way -= 1
        if status == b"200":
            self.outcome.answered[second] += 1
            self.outcome.latencies_ms[second].append(round(1000 * (time.monotonic() - request.due), 2))
        elif status == b"503":
            self.outcome.refused[second] += 1
        else:
            self.outcome.others += 1
        self._rest(connection)

    def lost(self, request: _Request, *, may_retry: bool) -> None:
        """The router has closed the connection of a request that is not answered."""
        self._connections -= 1
        if may_retry:
            # As often as it takes: each time a connection less is one that was kept for too long.
            self.outcome.retried += 1
            request.is_retried = True
            self._send(request)
            return
        self._under_way -= 1
        self.outcome.broken += 1
        self._connect_as_needed()

    def _so_far(self, second: int) -> str:
        answered, refused = self.outcome.answered, self.outcome.refused
        last = slice(max(0, second - _TOLD_EVERY_S), second)
        rates = [sum(counts[last]) / _TOLD_EVERY_S for counts in (answered, refused)]
        return f"  {second} of {self._seconds} s: {rates[0]:.0f} answered/s, {rates[1]:.0f} refused/s"


def send(port: int, content: bytes, rate: float, seconds: int, tell: Callable[[str], None]) -> Outcome:
    """Send ``content`` at ``rate`` a second for so long; what came back."""
    gc.freeze()
    gc.set_threshold(50_000)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(OpenLoop(port, content, rate, seconds).run(tell))


def main() -> None:
    """``python -m bench.overload.open_loop PORT RATE SECONDS FILE`` with the request on stdin; writes the outcome."""
    port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    outcome = send(port, sys.stdin.buffer.read(), rate, seconds, lambda line: print(line, file=sys.stderr, flush=True))
    Path(sys.argv[4]).write_text(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
