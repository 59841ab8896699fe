"""What /metrics tells: counters and histograms of prometheus-client, in a registry of this router's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

ReloadOutcome = Literal["swapped", "refused", "unreachable"]

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Telemetry:
    """The router's metrics; label values come from the supergraph and from us, never from clients."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "galleria_requests", "GraphQL requests by HTTP status.", ["status"], registry=self.registry
        )
        self._durations = Histogram(
            "galleria_request_duration_seconds", "Time to answer.", buckets=_BUCKETS, registry=self.registry
        )
        self._fetches = Counter(
            "galleria_fetches",
            "Requests to subgraphs; code is empty on success.",
            ["subgraph", "code"],
            registry=self.registry,
        )
        self._fetch_durations = Histogram(
            "galleria_fetch_duration_seconds",
            "Time of a subgraph to answer.",
            ["subgraph"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._compilations = Counter(
            "galleria_operations_compiled", "Operations that were not in the cache.", registry=self.registry
        )
        self._cached = Gauge("galleria_operations_cached", "Compiled operations in the cache.", registry=self.registry)
        self._reloads = Counter(
            "galleria_supergraph_reloads",
            "Changed supergraphs by outcome: swapped, refused (it does not build), unreachable (a subgraph is down).",
            ["outcome"],
            registry=self.registry,
        )
        self._refused = Gauge(
            "galleria_supergraph_refused",
            "1 while the supergraph that was read last is refused and an older one is served.",
            registry=self.registry,
        )
        self._subscriptions = Gauge(
            "galleria_subscriptions", "Subscriptions of clients under way.", registry=self.registry
        )
        self._shared_subscriptions = Gauge(
            "galleria_subscriptions_at_subgraphs",
            "Subscriptions at subgraphs, which equal ones of clients share.",
            registry=self.registry,
        )
        self._fetch_counters: dict[tuple[str, str | None], Counter] = {}
        self._fetch_histograms: dict[str, Histogram] = {}
        self._request_counters: dict[int, Counter] = {}

    def watch_cache(self, size: Callable[[], int]) -> None:
        """Read the number of cached operations from ``size`` when asked."""
        self._cached.set_function(size)

    def watch_subscriptions(self, clients: Callable[[], int], subgraphs: Callable[[], int]) -> None:
        """Read the numbers of subscriptions when asked."""
        self._subscriptions.set_function(clients)
        self._shared_subscriptions.set_function(subgraphs)

    def compiled(self) -> None:
        """Count an operation that had to be compiled."""
        self._compilations.inc()

    def reloaded(self, outcome: ReloadOutcome) -> None:
        """Count a changed supergraph."""
        self._reloads.labels(outcome).inc()
        if outcome != "unreachable":
            self._refused.set(outcome == "refused")

    def restored(self) -> None:
        """The supergraph that was refused is gone: what is served is again what was read last."""
        self._refused.set(0)

    def answered(self, status: int, seconds: float) -> None:
        """Count a GraphQL request."""
        counter = self._request_counters.get(status)
        if counter is None:
            counter = self._request_counters[status] = self._requests.labels(status)
        counter.inc()
        self._durations.observe(seconds)

    def fetched(self, subgraph: str, seconds: float, failure_code: str | None) -> None:
        """Count a request to a subgraph (a FetchObserver)."""
        counter = self._fetch_counters.get((subgraph, failure_code))
        if counter is None:
            counter = self._fetch_counters[subgraph, failure_code] = self._fetches.labels(subgraph, failure_code or "")
        counter.inc()
        histogram = self._fetch_histograms.get(subgraph)
        if histogram is None:
            histogram = self._fetch_histograms[subgraph] = self._fetch_durations.labels(subgraph)
        histogram.observe(seconds)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
