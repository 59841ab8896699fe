"""What /metrics tells: counters and histograms of prometheus-client, in a registry of this router's own."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest

from router.server.demand.cost_metrics import CostMetrics
from router.server.metrics.request_metrics import RequestMetrics
from router.server.metrics.worker_metrics import WorkerPeers
from router.server.observation.operation_metrics import OperationMetrics
from router.server.observation.stage_durations import StageDurations
from router.server.status.recent import RecentTraffic

RELOADS_REMEMBERED = 10
LONGEST_REASON = 500
# The value that a setting should not have may be a secret in the wrong place: the log alone has it.
_WRONG_VALUE = re.compile(r", not ['\"{\[\d].*", re.DOTALL)
ReloadOutcome = Literal["swapped", "refused", "unreachable"]


@dataclass(frozen=True, slots=True)
class Reload:
    """What became of a changed supergraph, or of changed settings, and when (ISO 8601, UTC)."""

    at: str
    outcome: ReloadOutcome
    reason: str


class Telemetry:
    """The router's metrics; label values come from the supergraph, from us, and a few of clients in ``operations``.

    ``peers`` are the other workers, where there are any.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.peers: WorkerPeers | None = None
        self.stages = StageDurations()
        self.operations = OperationMetrics(self.stages)
        self.requests = RequestMetrics()
        self.recent = RecentTraffic(self.requests)
        self.reload_log: deque[Reload] = deque(maxlen=RELOADS_REMEMBERED)
        self.started_at = time.monotonic()
        self.registry.register(self.requests)
        self.registry.register(self.operations)
        ProcessCollector(registry=self.registry)
        self.costs = CostMetrics()
        self.registry.register(self.costs)
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
        for outcome in get_args(ReloadOutcome):  # from 0 on, or Prometheus takes the first one for no increase
            self._reloads.labels(outcome)
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

    def reloaded(self, outcome: ReloadOutcome, reason: str = "") -> None:
        """Count a changed supergraph, and remember why it was not taken over."""
        self._reloads.labels(outcome).inc()
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.reload_log.append(Reload(at, outcome, _WRONG_VALUE.sub("", reason)[:LONGEST_REASON]))
        if outcome != "unreachable":
            self._refused.set(outcome == "refused")

    def restored(self) -> None:
        """The supergraph that was refused is gone: what is served is again what was read last."""
        self._refused.set(0)

    def answered(self, status: int, seconds: float) -> None:
        """Count a GraphQL request."""
        self.requests.requests[status] += 1
        self.requests.durations.observe(seconds)

    def fetched(self, subgraph: str, seconds: float, failure_code: str | None) -> None:
        """Count a request to a subgraph (a FetchObserver)."""
        self.requests.fetches[subgraph, failure_code or ""] += 1
        self.requests.fetch_durations[subgraph].observe(seconds)

    def event_cost(self, cost: float) -> None:
        """Take note of what the answer to an event did cost (an EventObserver)."""
        self.costs.actual.note("event", cost)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
