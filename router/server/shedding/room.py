"""How many requests are under way, and which of them count: the books of shedding load, without any clock of their own.

A request counts while it may cost time of the event loop. One that is under way for longer than half a second waits for
a subgraph, and has its own limits there: a subgraph that hangs fills no room that others need. What is under way at all
is bounded by ``max_in_flight`` alone.
"""

from __future__ import annotations

from collections import deque

from router.server.shedding.load_limit import LoadLimit, OverloadPolicy

# How long one request counts, at least; up to a tenth more.
COUNTED_FOR_S = 0.5
# In a loop that is late: a request that waits for it, and not for a subgraph, takes a round for each of its steps.
COUNTED_FOR_ROUNDS = 20
GENERATIONS = 10


class Generation:
    """The requests of a twentieth of a second; ``present`` are not answered, and count until it is old."""

    __slots__ = ("is_old", "present")

    def __init__(self) -> None:
        self.present = 0
        self.is_old = False


class Room:
    """How many requests are under way, how many may be, and how many were refused."""

    def __init__(self, policy: OverloadPolicy) -> None:
        self.in_flight = 0
        # Those of them that count, and the most since the last probe.
        self.counted = 0
        self.refused = 0
        self._busiest = 0
        self._learnt = LoadLimit(policy)
        # How many requests that count may be under way now, and how many at all.
        self.limit = self._learnt.value
        self.most = policy.max_in_flight
        self._generations = deque([Generation()])
        self._generation_ends_s = 0.0

    @property
    def policy(self) -> OverloadPolicy:
        """What bounds the limit."""
        return self._learnt.policy

    @policy.setter
    def policy(self, policy: OverloadPolicy) -> None:
        self._learnt.policy = policy
        self.limit = self._learnt.value
        self.most = policy.max_in_flight

    @property
    def is_overloaded(self) -> bool:
        """Whether there is more to do than can be done."""
        return self._learnt.is_overloaded

    def has_room(self, beside: int = 0) -> bool:
        """Whether there is room for one request more than ``beside`` others that are to come."""
        return self.counted + beside < self.limit and self.in_flight + beside < self.most

    def enter(self) -> Generation | None:
        """Let one request in, which must ``leave`` with what it gets here; None where it is refused."""
        if self.counted < self.limit and self.in_flight < self.most:
            return self.come_back()
        self.refuse()
        return None

    def come_back(self) -> Generation:
        """Let a request in again that has left for a while: it is not refused any more."""
        if not self.in_flight:
            self.occupy()
        self.in_flight += 1
        self.counted = counted = self.counted + 1
        if counted > self._busiest:
            self._busiest = counted
        generation = self._generations[-1]
        generation.present += 1
        return generation

    def occupy(self) -> None:
        """A request comes while none is under way: nobody here looks at that."""

    def leave(self, generation: Generation) -> None:
        """One request is answered."""
        self.in_flight -= 1
        generation.present -= 1
        if not generation.is_old:
            self.counted -= 1

    def refuse(self) -> None:
        """Count a request that is refused as there is no room."""
        self.refused += 1
        self._busiest = max(self._busiest, self.limit)

    def probed(self, delay_s: float, passed_s: float, now_s: float) -> None:
        """Learn from a probe that took ``delay_s``, ``passed_s`` after the one before."""
        self._learnt.probed(delay_s, passed_s, self._busiest)
        self.limit = self._learnt.value
        self._busiest = self.counted
        if now_s >= self._generation_ends_s:
            self._generation_ends_s = now_s + max(COUNTED_FOR_S, COUNTED_FOR_ROUNDS * delay_s) / GENERATIONS
            self._grow_old()

    def _grow_old(self) -> None:
        self._generations.append(Generation())
        if len(self._generations) > GENERATIONS + 1:
            oldest = self._generations.popleft()
            oldest.is_old = True
            self.counted -= oldest.present
