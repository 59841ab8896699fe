"""Requests at a steady rate, whether they are answered or not: what the public does, and wrk does not.

A closed loop sends the next request when the last one is answered, so that a slow router is asked less and looks well.
Here each request has a time when it is due, and its latency counts from there. It is sent on a connection that is
free, as a balancer's are; all of them are opened before the time begins, as opening is a load of its own. Where none is
free it waits for one. One process of one core sends about 6,000 small requests a second.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import cast

import uvloop

TICK_S = 0.005
GIVEN_UP_AFTER_S = 5.0
CONNECTIONS = 2_500
# So many at a time: a router's queue of connections that nobody has accepted yet is short.
_OPENED_AT_ONCE = 50


@dataclass(slots=True)
class Outcome:
    """By second of the run: how many were answered with 200, how many refused, and how long the former took."""

    answered: list[int]
    refused: list[int]
    failed: int = 0
    latencies_s: list[list[float]] = field(default_factory=list)

    @classmethod
    def over(cls, seconds: int) -> Outcome:
        """Of a run of so many seconds."""
        return cls([0] * seconds, [0] * seconds, 0, [[] for _ in range(seconds)])


class _Connection(asyncio.Protocol):
    """One request at a time; says when it was answered, and how."""

    def __init__(self, sender: OpenLoop) -> None:
        self._sender = sender
        self._transport: asyncio.Transport | None = None
        self._began = 0.0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Of TCP it can write; uvloop's is no asyncio.Transport by its type.
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, due: float) -> None:
        """Send ``request``, which was ``due`` then: a sender that is late makes nobody look faster."""
        assert self._transport is not None  # noqa: S101 - connected
        self._began, self._received = due, b""
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if len(body) >= length:
            self._sender.note(self, head[9:12], self._began)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sender.lost(self, is_waiting=self._began > 0)

    def rest(self) -> None:
        """Wait for the next request."""
        self._began = 0.0

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.abort()


class OpenLoop:
    """Sends ``request`` to ``port`` of this machine, ``rate`` times a second."""

    def __init__(self, port: int, request: bytes, rate: float, seconds: int) -> None:
        self.outcome = Outcome.over(seconds)
        self._port = port
        self._request = request
        self._rate = rate
        self._seconds = seconds
        self._free: deque[_Connection] = deque()
        self._waiting: set[_Connection] = set()
        self._due: deque[float] = deque()
        self._began = 0.0

    async def run(self) -> Outcome:
        """Send for the whole time, and wait a little for the last answers. OSError where it cannot connect."""
        await self._open()
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        sent, total = 0, int(self._rate * self._seconds)
        while sent < total:
            due = min(total, int((loop.time() - self._began) * self._rate))
            for number in range(sent, due):
                self._send(self._began + number / self._rate)
            sent = max(sent, due)
            await asyncio.sleep(TICK_S)
        deadline = loop.time() + GIVEN_UP_AFTER_S
        while self._waiting and loop.time() < deadline:  # noqa: ASYNC110 - the last answers, of a process of its own
            await asyncio.sleep(TICK_S)
        self.outcome.failed += len(self._waiting) + len(self._due)
        for one in [*self._waiting, *self._free]:
            one.rest()
            one.close()
        return self.outcome

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(0, CONNECTIONS, _OPENED_AT_ONCE):
            opening = (
                loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
                for _ in range(_OPENED_AT_ONCE)
            )
            self._free.extend(connection for _, connection in await asyncio.gather(*opening))

    def _send(self, due: float) -> None:
        if not self._free:
            self._due.append(due)
            return
        connection = self._free.pop()
        self._waiting.add(connection)
        connection.send(self._request, due)

    def note(self, connection: _Connection, status: bytes, began: float) -> None:
        """A request that was due at ``began`` is answered."""
        second = min(int(began - self._began), self._seconds - 1)
        self._waiting.discard(connection)
        connection.rest()
        self._free.append(connection)
        if self._due:
            self._send(self._due.popleft())
        if status == b"200":
            self.outcome.answered[second] += 1
            self.outcome.latencies_s[second].append(asyncio.get_running_loop().time() - began)
        elif status == b"503":
            self.outcome.refused[second] += 1
        else:
            self.outcome.failed += 1

    def lost(self, connection: _Connection, *, is_waiting: bool) -> None:
        """The router has closed a connection."""
        if is_waiting:
            self.outcome.failed += 1
        self._waiting.discard(connection)
        if connection in self._free:
            self._free.remove(connection)


def send(port: int, request: bytes, rate: float, seconds: int) -> Outcome:
    """Send ``request`` at ``rate`` a second for so long; what came back."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(OpenLoop(port, request, rate, seconds).run())


def main() -> None:
    """``python -m bench.overload.open_loop PORT RATE SECONDS`` with the request on stdin; the outcome as JSON."""
    port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    request = sys.stdin.buffer.read()
    began = time.time()
    outcome = send(port, request, rate, seconds)
    print(
        json.dumps(
            {
                "began": began,
                "answered": outcome.answered,
                "refused": outcome.refused,
                "failed": outcome.failed,
                "latencies_ms": [[round(1000 * one, 2) for one in second] for second in outcome.latencies_s],
            }
        )
    )


if __name__ == "__main__":
    main()
