"""What is counted of every request and fetch: plain numbers, made into Prometheus' families when they are asked for.

prometheus-client's own counters and histograms take a lock each time, which costs as much as executing a small query.
The router counts in one thread.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

# From less than the router takes up to the default `graphql.timeout_s`. Timeouts are round numbers, as bounds are
# from a second on: what ended by one lies at the lower end of its bucket, where the sum tells how far it goes.
BOUNDS_S = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0),
)


class Durations:
    """A histogram of seconds."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.total_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds

    def observe_all(self, seconds: Iterable[float]) -> None:
        """Count durations: where they are many, each bound is looked for once, and not once for each of them."""
        ordered = sorted(seconds)
        if len(ordered) < len(BOUNDS_S):
            for one in ordered:
                self.observe(one)
            return
        counted = 0
        for index, bound in enumerate(BOUNDS_S):
            within = bisect_right(ordered, bound)
            self.counts[index] += within - counted
            counted = within
        self.counts[-1] += len(ordered) - counted
        self.total_s += sum(ordered)

    def add(self, other: Durations) -> None:
        """Count all that ``other`` has counted."""
        self.counts = [mine + others for mine, others in zip(self.counts, other.counts, strict=True)]
        self.total_s += other.total_s

    def buckets(self) -> list[tuple[str, float]]:
        """Upper bounds, and how many durations were not longer."""
        bounds = [*map(floatToGoString, BOUNDS_S), "+Inf"]
        return list(zip(bounds, map(float, accumulate(self.counts)), strict=True))


class RequestMetrics(Collector):
    """Requests by status, fetches by subgraph and failure code, and how long both took."""

    def __init__(self) -> None:
        self.requests: defaultdict[int, int] = defaultdict(int)
        self.durations = Durations()
        self.fetches: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.fetch_durations: defaultdict[str, Durations] = defaultdict(Durations)

    def collect(self) -> Iterator[Metric]:
        """The families of now (of prometheus-client's Collector)."""
        requests = CounterMetricFamily("galleria_requests", "GraphQL requests by HTTP status.", labels=["status"])
        for status, count in self.requests.items():
            requests.add_metric([str(status)], count)
        yield requests
        durations = HistogramMetricFamily("galleria_request_duration_seconds", "Time to answer.", labels=[])
        durations.add_metric([], self.durations.buckets(), self.durations.total_s)
        yield durations
        about = "Requests to subgraphs; code is empty on success."
        fetches = CounterMetricFamily("galleria_fetches", about, labels=["subgraph", "code"])
        for (subgraph, code), count in self.fetches.items():
            fetches.add_metric([subgraph, code], count)
        yield fetches
        about = "Time of a subgraph to answer."
        of_fetches = HistogramMetricFamily("galleria_fetch_duration_seconds", about, labels=["subgraph"])
        for subgraph, observed in self.fetch_durations.items():
            of_fetches.add_metric([subgraph], observed.buckets(), observed.total_s)
        yield of_fetches
