"""The traffic of the last minute: what was counted since a moment that is about that long ago.

Every few seconds all counts are noted, so that no request pays for it, and a reader takes the difference.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from router.server.metrics.request_metrics import BOUNDS_S, Durations, RequestMetrics

NOTED_EVERY_S = 5.0
WINDOW_S = 60.0
Clock = Callable[[], float]
LOWER_BOUNDS_S = (0.0, *BOUNDS_S)


@dataclass(frozen=True, slots=True)
class Timed:
    """How many durations lay in each bucket, and what all came to."""

    counts: Sequence[int]
    total_s: float

    def since(self, then: Timed) -> Timed:
        """Those that are not in ``then``, which was noted before."""
        counts = [now - before for now, before in zip(self.counts, then.counts, strict=True)]
        return Timed(counts, self.total_s - then.total_s)


NOTHING = Timed((0,) * len(LOWER_BOUNDS_S), 0.0)


@dataclass(frozen=True, slots=True)
class Counted:
    """All counts at a moment of the clock."""

    at: float
    requests: Mapping[int, int]
    durations: Timed
    fetches: Mapping[tuple[str, str], int]
    fetch_durations: Mapping[str, Timed]


@dataclass(frozen=True, slots=True)
class Rates:
    """So many a second, and how long they took: None where there were none. ``failed`` are those by status or code."""

    per_second: float
    p50_s: float | None
    p95_s: float | None
    failed: Mapping[str, int]


class RecentTraffic:
    """What ``metrics`` have counted of late."""

    def __init__(self, metrics: RequestMetrics, clock: Clock = time.monotonic) -> None:
        self._metrics = metrics
        self._clock = clock
        self._noted = deque([self._now()], maxlen=int(WINDOW_S / NOTED_EVERY_S) + 1)

    def note(self) -> None:
        """Note the counts of now; to be called every NOTED_EVERY_S."""
        self._noted.append(self._now())

    @property
    def window_s(self) -> float:
        """How long ago the counts begin."""
        return max(self._clock() - self._noted[0].at, 0.001)

    def requests(self) -> Rates:
        """GraphQL requests; those failed that were answered with a status of 500 or more."""
        then, now = self._noted[0], self._now()
        failed = {str(status): n - then.requests.get(status, 0) for status, n in now.requests.items() if status >= 500}
        return self._rates(then.durations, now.durations, failed)

    def fetches(self, subgraph: str) -> Rates:
        """Requests to a subgraph; those failed that brought no GraphQL answer."""
        then, now = self._noted[0], self._now()
        failed = {
            code: count - then.fetches.get((name, code), 0)
            for (name, code), count in now.fetches.items()
            if name == subgraph and code
        }
        before = then.fetch_durations.get(subgraph, NOTHING)
        return self._rates(before, now.fetch_durations.get(subgraph, NOTHING), failed)

    def _rates(self, then: Timed, now: Timed, failed: Mapping[str, int]) -> Rates:
        timed = now.since(then)
        per_second = sum(timed.counts) / self.window_s
        happened = {name: count for name, count in failed.items() if count}
        return Rates(per_second, quantile(timed, 0.5), quantile(timed, 0.95), happened)

    def _now(self) -> Counted:
        metrics = self._metrics
        return Counted(
            at=self._clock(),
            requests=dict(metrics.requests),
            durations=_timed(metrics.durations),
            fetches=dict(metrics.fetches),
            fetch_durations={name: _timed(one) for name, one in metrics.fetch_durations.items()},
        )


def quantile(timed: Timed, q: float) -> float | None:
    """Within which time the part ``q`` of what was counted was done, in seconds; None where nothing was.

    Within a bucket evenly spread, as Prometheus' histogram_quantile takes it, and no longer than what all came to
    leaves for it: of four timeouts after 20 s none took 24. Beyond the last bound, that bound.
    """
    wanted = sum(timed.counts) * q
    if not wanted:
        return None
    # What remains of all where each took the least that its bucket holds.
    least_s = sum(count * lower for count, lower in zip(timed.counts, LOWER_BOUNDS_S, strict=True))
    left_s = max(timed.total_s - least_s, 0.0)
    below = 0
    for count, lower, upper in zip(timed.counts, LOWER_BOUNDS_S, BOUNDS_S, strict=False):
        if below + count >= wanted:
            evenly = (upper - lower) * (wanted - below) / count
            as_long = below + count + 1 - math.ceil(wanted)  # of this bucket, this one and those that took longer
            return lower + min(evenly, left_s / as_long)
        below += count
    return BOUNDS_S[-1]


def quantile_of(durations: Durations, q: float) -> float | None:
    """The same of all that was ever counted."""
    return quantile(_timed(durations), q)


def _timed(durations: Durations) -> Timed:
    return Timed(tuple(durations.counts), durations.total_s)
