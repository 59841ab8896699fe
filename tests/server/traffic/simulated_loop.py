"""One event loop in simulated time: requests of several steps, each of which waits until the loop comes round to it.

A round is all that is ready when it begins; a step costs time of the loop, and between two steps a subgraph answers.
Arrivals are a Poisson process, and costs vary. Where there is a ``room``, a request beyond it is refused, for a small
cost, and a probe tells the room every fiftieth of a second how long a round took.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from random import Random

from router.server.shedding.room import Generation, Room

TICK_S = 0.02


@dataclass(frozen=True, slots=True)
class Work:
    """What a request is: ``steps`` of the loop of ``step_s`` each on average, ``subgraph_s`` between them."""

    steps: int = 5
    step_s: float = 0.0004
    subgraph_s: float = 0.0005
    refusal_s: float = 0.00004

    @property
    def capacity(self) -> float:
        """How many requests a second the loop can do."""
        return 1 / (self.steps * self.step_s)


@dataclass(slots=True)
class Seen:
    """What became of the requests that came after the beginning of a phase."""

    latencies_s: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def p99_s(self) -> float:
        return sorted(self.latencies_s)[int(len(self.latencies_s) * 0.99)]


@dataclass(frozen=True, slots=True)
class _Request:
    began: float
    place: Generation | None


@dataclass(order=True, slots=True)
class _Step:
    """A request that is ready at ``at`` for one more step; ``left`` of them are to come after it."""

    at: float
    number: int
    request: _Request = field(compare=False)
    left: int = field(compare=False)


class SimulatedLoop:
    """The loop; ``run`` goes on from where the last one ended."""

    def __init__(self, work: Work, room: Room | None) -> None:
        self.now = 0.0
        self._arrived = 0.0
        self._work = work
        self._room = room
        self._random = Random(11)  # noqa: S311 - no secret
        self._ready: list[_Step] = []
        self._numbers = 0
        self._last_probe_s = 0.0

    def run(self, rate: float, seconds: float) -> Seen:
        """Let ``rate`` requests a second come for so long."""
        seen, end = Seen(), self.now + seconds
        arrival = self._arrived + self._random.expovariate(rate)
        while self.now < end:
            began = self.now
            while arrival <= began:
                self._arrive(arrival, seen)
                self._arrived = arrival
                arrival += self._random.expovariate(rate)
            self._go_round(began, seen)
            took_s = self.now - began
            if not took_s:
                # Nothing is ready: until something is.
                self.now = min([arrival, *(step.at for step in self._ready[:1])])
            self._probe(took_s)
        return seen

    def _arrive(self, at: float, seen: Seen) -> None:
        place = self._room.enter() if self._room is not None else None
        if self._room is not None and place is None:
            seen.refused += 1
            self.now += self._work.refusal_s
            return
        self._be_ready(at, _Request(at, place), self._work.steps - 1)

    def _go_round(self, began: float, seen: Seen) -> None:
        due = []
        while self._ready and self._ready[0].at <= began:
            due.append(heapq.heappop(self._ready))
        for step in due:
            self.now += self._random.gammavariate(2, self._work.step_s / 2)
            if step.left:
                answers_at = self.now + self._random.expovariate(1 / self._work.subgraph_s)
                self._be_ready(answers_at, step.request, step.left - 1)
            else:
                self._answer(step.request, seen)

    def _answer(self, request: _Request, seen: Seen) -> None:
        if self._room is not None and request.place is not None:
            self._room.leave(request.place)
        seen.latencies_s.append(self.now - request.began)

    def _be_ready(self, at: float, request: _Request, left: int) -> None:
        self._numbers += 1
        heapq.heappush(self._ready, _Step(at, self._numbers, request, left))

    def _probe(self, lag_s: float) -> None:
        if self._room is not None and self.now - self._last_probe_s >= TICK_S:
            self._room.probed(lag_s, self.now - self._last_probe_s, self.now)
            self._last_probe_s = self.now
