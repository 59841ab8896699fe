"""A circuit breaker: an address that keeps failing is not asked for a while, and then by one request at a time.

Theory of operation::

    state      event                                                    next
    closed     answered                                                 closed
    closed     failed; of the window's requests too many failed         open       (for a pause)
    closed     failed; so many in a row, however long that took         open       (for a pause)
    open       a request, before the pause is over                      open       (refused)
    open       a request, after it                                      half-open  (admitted, as the probe)
    half-open  a request, while the probe is under way                  half-open  (refused)
    half-open  the probe is answered                                    closed     (the next pause is the first again)
    half-open  the probe failed                                         open       (for twice the pause)
    half-open  the probe was given up by its client                     half-open  (the next request is the probe)

What becomes of requests that were admitted before the last change of state changes nothing any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

Clock = Callable[[], float]

_BUCKETS = 10


class CircuitState(Enum):
    """Whether requests are let through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Outcome(Enum):
    """What became of an admitted request: answered, failed, or given up by its client."""

    ANSWERED = "answered"
    FAILED = "failed"
    GIVEN_UP = "given up"


# A member looked up in its enum takes nine times as long as a name of the module (CPython 3.11).
CLOSED, OPEN, HALF_OPEN = CircuitState
ANSWERED, FAILED, GIVEN_UP = Outcome


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a circuit opens: at least ``min_failures`` of the last ``window_s`` seconds' requests failed, and they are
    at least ``failure_ratio`` of all; or as many failed in a row, with none answered between them: who is asked by one
    request at a time, and hangs, fails seldom. It stays open for ``pause_s``, twice as long each time,
    ``longest_pause_s`` at most."""

    window_s: float = 10.0
    min_failures: int = 5
    failure_ratio: float = 0.5
    pause_s: float = 1.0
    longest_pause_s: float = 30.0


class Admission:
    """Leave for one request, of one time between two changes of state; given back with its outcome."""

    __slots__ = ()


@dataclass(slots=True)
class _Bucket:
    begins: float
    ends: float
    answered: int = 0
    failed: int = 0


class CircuitBreaker:
    """The state of one address. ``on_change`` is told of each change of state.

    ``admission`` is what each request gets that is admitted now: while the circuit is closed, that is every one.
    """

    def __init__(self, policy: BreakerPolicy, clock: Clock, on_change: Callable[[CircuitState], None]) -> None:
        self.state = CLOSED
        self._policy = policy
        self._clock = clock
        self._on_change = on_change
        self._buckets: deque[_Bucket] = deque()
        # Failures of before the window, with no answer after them.
        self._failed_before = 0
        self._pause_s = policy.pause_s
        self._opens_at = 0.0
        self._has_probe = False
        self.admission = Admission()

    @property
    def admits(self) -> bool:
        """Whether ``enter`` would admit a request now."""
        if self.state is CLOSED:
            return True
        if self.state is OPEN:
            return self._clock() >= self._opens_at
        return not self._has_probe

    @property
    def opens_in_s(self) -> float:
        """How long the circuit stays open yet; 0 where it is not."""
        return max(0.0, self._opens_at - self._clock()) if self.state is OPEN else 0.0

    def enter(self) -> Admission | None:
        """Leave for one request, which must be given back by ``leave``; None where it is refused."""
        if self.state is CLOSED:
            return self.admission
        if not self.admits:
            return None
        if self.state is OPEN:
            self._become(HALF_OPEN)
        self._has_probe = True
        return self.admission

    def leave(self, admission: Admission, outcome: Outcome) -> None:
        """Tell what became of an admitted request."""
        if admission is not self.admission:
            return
        if self.state is HALF_OPEN:
            self._end_probe(outcome)
        elif outcome is ANSWERED:
            self._bucket_of_now().answered += 1
        elif outcome is FAILED:
            self._count_failure()

    def _count_failure(self) -> None:
        self._bucket_of_now().failed += 1
        failed = sum(one.failed for one in self._buckets)
        answered = sum(one.answered for one in self._buckets)
        if not answered:
            failed += self._failed_before
        of_all = failed + answered
        if failed >= self._policy.min_failures and failed >= of_all * self._policy.failure_ratio:
            self._open()

    def _end_probe(self, outcome: Outcome) -> None:
        self._has_probe = False
        if outcome is ANSWERED:
            self._pause_s = self._policy.pause_s
            self._become(CLOSED)
        elif outcome is FAILED:
            self._pause_s = min(self._pause_s * 2, self._policy.longest_pause_s)
            self._open()

    def _open(self) -> None:
        self._opens_at = self._clock() + self._pause_s
        self._become(OPEN)

    def _become(self, state: CircuitState) -> None:
        self.state = state
        self.admission = Admission()
        self._buckets.clear()
        self._failed_before = 0
        self._on_change(state)

    def _bucket_of_now(self) -> _Bucket:
        clock, buckets = self._clock, self._buckets
        now = clock()
        if buckets and now < buckets[-1].ends:
            return buckets[-1]
        while buckets and now - buckets[0].begins >= self._policy.window_s:
            past = buckets.popleft()
            self._failed_before = 0 if past.answered else self._failed_before + past.failed
        buckets.append(_Bucket(now, now + self._policy.window_s / _BUCKETS))
        return buckets[-1]
