"""Rates and times of the last minute, from counts that are noted every few seconds."""

from __future__ import annotations

import math
import random
from bisect import bisect_left

import pytest

from router.server.metrics.request_metrics import BOUNDS_S, Durations, RequestMetrics
from router.server.status.recent import RecentTraffic, Timed, quantile


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rates_are_those_since_the_oldest_note_within_the_minute() -> None:
    clock, metrics = Clock(), RequestMetrics()
    recent = RecentTraffic(metrics, clock)
    for tick in range(60):
        clock.now += 5
        busy = tick < 40  # until 200 seconds; then there is nothing
        for _ in range(10 if busy else 0):
            metrics.requests[200] += 1
            metrics.durations.observe(0.004)
        recent.note()
        if tick == 20:
            assert (recent.window_s, recent.requests().per_second) == (60, 2.0)
    rates = recent.requests()
    assert (rates.per_second, rates.p50_s, rates.p95_s) == (0, None, None)


def test_before_the_first_minute_is_over_all_counts() -> None:
    clock, metrics = Clock(), RequestMetrics()
    recent = RecentTraffic(metrics, clock)
    metrics.requests[200] = 30
    metrics.durations.counts[2] = 30
    clock.now += 15
    assert recent.requests().per_second == 2.0


def test_failures_are_told_by_status_and_by_code() -> None:
    metrics = RequestMetrics()
    metrics.requests[500] = 1
    recent = RecentTraffic(metrics)
    metrics.requests.update({200: 5, 400: 2, 500: 4, 503: 1})
    metrics.fetches.update({("stock", ""): 5, ("stock", "TIMEOUT"): 2, ("catalog", "TIMEOUT"): 9})
    assert recent.requests().failed == {"500": 3, "503": 1}
    assert recent.fetches("stock").failed == {"TIMEOUT": 2}


def timed(*seconds: float) -> Timed:
    durations = Durations()
    durations.observe_all(seconds)
    return Timed(durations.counts, durations.total_s)


@pytest.mark.parametrize(
    ("seconds", "q", "expected"),
    [
        ([], 0.5, None),
        ([0.0001] * 10, 0.5, 0.00005),  # half of the first bucket, up to 0.1 ms
        ([0.001] * 4 + [0.0025] * 4, 0.5, 0.001),  # all of the bucket up to 1 ms
        ([0.001] * 4 + [0.0025] * 4, 0.75, 0.00175),  # half of the next, up to 2.5 ms
        ([40.0] * 3, 0.95, 30.0),  # beyond the last bound
    ],
)
def test_a_quantile_lies_within_its_bucket(seconds: list[float], q: float, expected: float | None) -> None:
    assert quantile(timed(*seconds), q) == (pytest.approx(expected) if expected is not None else None)


@pytest.mark.parametrize("timeout_s", [0.5, 2.0, 10.0, 20.0])
def test_what_ended_by_a_timeout_took_little_longer_than_it(timeout_s: float) -> None:
    """Of ten that ended a millisecond after it, the last one may have had what all had beyond it, and no more."""
    assert quantile(timed(timeout_s + 0.001), 0.95) == pytest.approx(timeout_s + 0.001)
    assert quantile(timed(*[0.004] * 90, *[timeout_s + 0.001] * 10), 0.95) == pytest.approx(timeout_s, abs=0.05)


def test_a_quantile_is_in_the_bucket_of_what_it_tells_of_and_leaves_as_much_to_those_that_took_longer() -> None:
    draw = random.Random(7)  # noqa: S311 - no secret
    for _ in range(300):
        seconds = sorted(draw.lognormvariate(draw.choice([-8, -3, 1]), 1.5) for _ in range(draw.randint(1, 60)))
        for q in (0.5, 0.95, 1.0):
            told = quantile(timed(*seconds), q)
            rank = math.ceil(len(seconds) * q)
            meant = seconds[rank - 1]
            bucket = bisect_left(BOUNDS_S, meant)
            assert told is not None
            if bucket == len(BOUNDS_S):
                assert told == BOUNDS_S[-1]
            else:
                lower = BOUNDS_S[bucket - 1] if bucket else 0.0
                assert lower <= told <= BOUNDS_S[bucket]
                assert told * (len(seconds) - rank + 1) <= sum(seconds) + 1e-9


def test_what_ended_before_the_window_leaves_no_time_to_what_is_in_it() -> None:
    clock, metrics = Clock(), RequestMetrics()
    metrics.fetch_durations["stock"].observe(29.0)
    recent = RecentTraffic(metrics, clock)
    metrics.fetch_durations["stock"].observe(20.5)
    clock.now += 30
    rates = recent.fetches("stock")
    assert rates.p95_s == pytest.approx(20.5)
