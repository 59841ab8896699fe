"""The traffic of the last minute: what was counted since a moment that is about that long ago.

Every few seconds all counts are noted, so that no request pays for it, and a reader takes the difference.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from router.server.request_metrics import BOUNDS_S, Durations, RequestMetrics

NOTED_EVERY_S = 5.0
WINDOW_S = 60.0
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Counted:
    """All counts at a moment of the clock."""

    at: float
    requests: Mapping[int, int]
    durations: tuple[int, ...]
    fetches: Mapping[tuple[str, str], int]
    fetch_durations: Mapping[str, tuple[int, ...]]


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
        before = then.fetch_durations.get(subgraph, ())
        return self._rates(before, now.fetch_durations.get(subgraph, ()), failed)

    def _rates(self, then: tuple[int, ...], now: tuple[int, ...], failed: Mapping[str, int]) -> Rates:
        counts = [count - (then[index] if then else 0) for index, count in enumerate(now)]
        per_second = sum(counts) / self.window_s
        happened = {name: count for name, count in failed.items() if count}
        return Rates(per_second, quantile(counts, 0.5), quantile(counts, 0.95), happened)

    def _now(self) -> Counted:
        metrics = self._metrics
        return Counted(
            at=self._clock(),
            requests=dict(metrics.requests),
            durations=tuple(metrics.durations.counts),
            fetches=dict(metrics.fetches),
            fetch_durations={name: tuple(one.counts) for name, one in metrics.fetch_durations.items()},
        )


def quantile(counts: list[int], q: float) -> float | None:
    """Within which time the part ``q`` of what was counted was done, in seconds; None where nothing was.

    Within a bucket evenly spread, as Prometheus' histogram_quantile takes it; beyond the last bound, that bound.
    """
    wanted = sum(counts) * q
    if not wanted:
        return None
    below, lower = 0, 0.0
    for count, upper in zip(counts, BOUNDS_S, strict=False):
        if below + count >= wanted:
            return lower + (upper - lower) * (wanted - below) / count
        below, lower = below + count, upper
    return BOUNDS_S[-1]


def quantile_of(durations: Durations, q: float) -> float | None:
    """The same of all that was ever counted."""
    return quantile(durations.counts, q)
