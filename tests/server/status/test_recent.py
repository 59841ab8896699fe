"""Rates and times of the last minute, from counts that are noted every few seconds."""

from __future__ import annotations

import pytest

from router.server.request_metrics import RequestMetrics
from router.server.status.recent import RecentTraffic, quantile


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


@pytest.mark.parametrize(
    ("counts", "q", "seconds"),
    [
        ([0] * 15, 0.5, None),
        ([10] + [0] * 14, 0.5, 0.0005),  # half of the first bucket, up to 1 ms
        ([0, 4, 4] + [0] * 12, 0.5, 0.0025),  # all of the second
        ([0, 4, 4] + [0] * 12, 0.75, 0.00375),  # half of the third, from 2.5 to 5 ms
        ([0] * 14 + [3], 0.95, 30.0),  # beyond the last bound
    ],
)
def test_a_quantile_lies_within_its_bucket(counts: list[int], q: float, seconds: float | None) -> None:
    assert quantile(counts, q) == (pytest.approx(seconds) if seconds is not None else None)
