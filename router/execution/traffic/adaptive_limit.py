"""How many requests a subgraph can take at once, learned from how long it takes to answer.

Requests beyond what a server can work on at once only wait in it, and every answer takes longer. So latency tells:
while an answer takes as long as it usually does, the limit grows; as soon as answers take longer than usual, it shrinks
by the same proportion. What is usual shows while the subgraph has little to do. Where it is busy all the time, the
limit goes down to its least once in a while, for a few answers: a subgraph that has become slower for good is not held
down, and one that is always crowded is not taken for slow.

The gradient of latencies as a limit, and looking for the least latency from time to time, are known from public
descriptions of Netflix's concurrency limits and of Envoy's adaptive concurrency; the numbers are our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# An answer may take this many times its usual time before the limit shrinks: operations differ.
TOLERANCE = 2.0
BUSY_ANSWERS_BEFORE_A_LOOK = 1000
ANSWERS_OF_A_LOOK = 20
_SMOOTHING = 0.05
_STEP = 0.1
_LEAST_GRADIENT = 0.5
_BACKOFF = 0.9


@dataclass(frozen=True, slots=True)
class LimitPolicy:
    """``initial`` requests at once to begin with, ``least`` and ``most`` at any time; ``max_waiting`` may wait."""

    initial: int = 50
    least: int = 5
    most: int = 200
    max_waiting: int = 1000


class AdaptiveLimit:
    """The limit of one subgraph: ``value`` requests may be under way now."""

    def __init__(self, policy: LimitPolicy) -> None:
        self.value = policy.initial
        self._policy = policy
        self._learned = float(policy.initial)
        self._usual_s = 0.0
        self._recent_s = 0.0
        self._busy_answers = 0
        self._look: list[float] | None = None

    @property
    def turn_s(self) -> float:
        """How long it takes of late until one more request can be let through; 0 before the first answer."""
        return self._recent_s / self._learned

    def answered(self, latency_s: float, in_flight: int) -> None:
        """Learn from an answer that took ``latency_s`` while ``in_flight`` requests were under way."""
        if not self._usual_s:
            self._usual_s = self._recent_s = latency_s
        self._recent_s += _SMOOTHING * (latency_s - self._recent_s)
        if self._look is not None:
            self._look_on(self._look, latency_s, in_flight)
        elif in_flight * 2 < self._learned:
            self._busy_answers = 0
            self._usual_s += _SMOOTHING * (latency_s - self._usual_s)
        else:
            self._adapt()
            self._busy_answers += 1
            if self._busy_answers == BUSY_ANSWERS_BEFORE_A_LOOK:
                self._look = []
                self.value = self._policy.least

    def answered_unseen(self, in_flight: int) -> None:
        """An answer came, but how long it took is not known: it is taken for a usual one.

        A look for the least latency would find nothing now, and ends.
        """
        self._end_look()
        self._recent_s += _SMOOTHING * (self._usual_s - self._recent_s)
        if in_flight * 2 >= self._learned:
            self._adapt()

    def timed_out(self) -> None:
        """Learn from a request that was not answered in time."""
        self._become(self._learned * _BACKOFF)

    def _adapt(self) -> None:
        ratio = TOLERANCE * self._usual_s / self._recent_s if self._recent_s else 1.0
        target = self._learned * max(_LEAST_GRADIENT, min(1.0, ratio)) + math.sqrt(self._learned)
        self._become(self._learned + _STEP * (target - self._learned))

    def _look_on(self, look: list[float], latency_s: float, in_flight: int) -> None:
        """Note an answer of the time in which the subgraph has little to do; after enough of them, go on as before."""
        if in_flight > self._policy.least:
            return
        look.append(latency_s)
        if len(look) == ANSWERS_OF_A_LOOK:
            self._usual_s = self._recent_s = sum(look) / len(look)
            self._end_look()

    def _end_look(self) -> None:
        self._look = None
        self._busy_answers = 0
        self.value = int(self._learned)

    def _become(self, value: float) -> None:
        self._learned = max(float(self._policy.least), min(value, float(self._policy.most)))
        if self._look is None:
            self.value = int(self._learned)
