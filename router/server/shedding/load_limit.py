"""How many requests may be under way, learnt from how long what is ready waits for the event loop.

Theory of operation. One event loop does all the work of a process, so its queue is the router's queue. A probe is sent
through it fifty times a second: what it takes is what each step of each request waits. An interval's delay is the mean
of its probes. Many requests that wait for a slow subgraph delay no probe, so they are no overload::

    state       an interval's delay                      the limit
    calm        any, while the room is not used up       goes back to ``initial``, 1% at a time
    calm        up to ``target_lag_s``, used up          doubles (slow start)
    calm        more than that, used up, twice           overloaded, and shrinks
    calm        more than ``max_lag_s``, twice           overloaded, and shrinks
    overloaded  more than ``target_lag_s``, used up      shrinks, the more the longer the delay
    overloaded  the same, but often nothing is ready     grows, the more the oftener
    overloaded  less, used up                            grows by up to a fifth, the more the shorter the delay
    overloaded  up to ``max_lag_s``, not used up         grows by a fifth
    overloaded  more than that                           shrinks
    overloaded  the limit is ``initial`` again           calm

A short queue is nothing to refuse anyone for: fifty clients who each wait for their answer make one. But once there is
more to do than can be done, any queue only makes what is let in late, and is kept as short as keeps the loop busy. What
keeps it busy is seen, not assumed: a probe that is back at once found nothing ready. Requests that wait for subgraphs
most of their time leave the loop idle between two bursts, however long a round is in a burst.
"""

from __future__ import annotations

from dataclasses import dataclass

INTERVAL_S = 0.1
# Being late once is no overload: one large plan does that, or another process on the machine.
_LATE_INTERVALS = 2
# Enough for a loop that never waits, and what so many take is less than what a busy moment of a quiet day brings.
_LEAST = 8
_STRONGEST_SHRINK = 0.5
# The limit shrinks by a root of what it is too large by: what that does to the delay is seen a little later.
_SMOOTH = 0.25
_STRONGEST_GROWTH = 0.2
_FORGETTING = 0.99
# A probe that takes less than this part of the target found nothing ready: for this part of the last half second the
# loop may, before more are let in.
_NOTHING_READY = 0.05
_IDLE_ALLOWED = 0.05
_IDLE_OVER_S = 0.5


@dataclass(frozen=True, slots=True)
class OverloadPolicy:
    """At most ``max_in_flight`` requests at once, ``initial`` to begin with.

    More than ``max_lag_s`` of delay is overload, and while that lasts, no more are let in than keep it at
    ``target_lag_s``. All large bodies that do not come in one piece may take ``max_body_bytes``.
    """

    max_in_flight: int
    max_lag_s: float
    max_body_bytes: int
    target_lag_s: float
    initial: int


class LoadLimit:
    """The limit: probes go in, ``value`` is how many may be under way."""

    def __init__(self, policy: OverloadPolicy) -> None:
        self.policy = policy
        self.is_overloaded = False
        self._value = float(min(policy.initial, policy.max_in_flight))
        self._late_intervals = 0
        # For which part of the last moments nothing was ready, as probes saw it.
        self._idle = 0.0
        # Of the interval: what its probes took, how long it is by now, the most that were under way, and its probes.
        self._probes_s = 0.0
        self._passed_s = 0.0
        self._busiest = 0
        self._probes = 0

    @property
    def value(self) -> int:
        """How many requests may be under way now."""
        return min(int(self._value), self.policy.max_in_flight)

    def probed(self, lag_s: float, passed_s: float, busiest: int) -> None:
        """Learn of a probe that took ``lag_s``.

        ``passed_s`` is the time since the one before, ``busiest`` how many requests were under way at most in it.
        """
        is_idle = lag_s < _NOTHING_READY * self.policy.target_lag_s
        self._idle += min(1.0, passed_s / _IDLE_OVER_S) * (is_idle - self._idle)
        self._probes_s += lag_s
        self._passed_s += passed_s
        self._busiest = max(self._busiest, busiest)
        self._probes += 1
        if self._passed_s >= INTERVAL_S:
            self._learn(self._probes_s / self._probes, self._busiest)
            self._begin_interval()

    def _begin_interval(self) -> None:
        self._probes_s = 0.0
        self._passed_s = 0.0
        self._busiest = 0
        self._probes = 0

    def _learn(self, delay_s: float, busiest: int) -> None:
        if not self.is_overloaded:
            self._late_intervals = self._late_intervals + 1 if self._is_late(delay_s, busiest) else 0
            if self._late_intervals >= _LATE_INTERVALS:
                # What is under way is what was too much, whatever the limit was.
                self.is_overloaded, self._value = True, min(self._value, float(busiest))
        if self.is_overloaded:
            self._hold(delay_s, busiest)
        elif busiest >= self.value and not self._late_intervals:
            self._value = min(self._value * 2, self.policy.max_in_flight)
        else:
            self._value = max(self._value * _FORGETTING, self._initial())

    def _is_late(self, delay_s: float, busiest: int) -> bool:
        policy = self.policy
        return delay_s > (policy.target_lag_s if busiest >= self.value else policy.max_lag_s)

    def _hold(self, delay_s: float, busiest: int) -> None:
        policy, is_used_up = self.policy, busiest >= self.value
        is_idle = is_used_up and self._idle > _IDLE_ALLOWED
        if delay_s > (policy.target_lag_s if is_used_up and not is_idle else policy.max_lag_s):
            self._shrink(delay_s, busiest)
            return
        growth = _STRONGEST_GROWTH * (self._growth(delay_s) if is_used_up else 1.0)
        self._value += max(growth, growth * self._value)
        if self._value >= self._initial():
            self._value, self.is_overloaded, self._late_intervals = self._initial(), False, 0

    def _shrink(self, delay_s: float, busiest: int) -> None:
        # The less, the nearer the loop is to being idle: where it would be, it grows.
        smooth = _SMOOTH * max(0.0, 1 - self._idle / _IDLE_ALLOWED)
        factor = max(_STRONGEST_SHRINK, (self.policy.target_lag_s / delay_s) ** smooth)
        self._value = max(_LEAST, min(self._value, busiest) * factor)

    def _growth(self, delay_s: float) -> float:
        return max(1 - delay_s / self.policy.target_lag_s, self._idle)

    def _initial(self) -> float:
        return float(min(self.policy.initial, self.policy.max_in_flight))
