"""What /metrics tells of operations: noted of each request, and counted in batches, or when somebody asks.

Counting takes its time wherever it is done, but most of that is finding the way to it: two hundred notes in a row take
a tenth of what they take one by one between all else that a request does.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from router.server.config.telemetry import MetricsSettings
from router.server.observation.operation_counts import Executed, Note, OperationCounts, executed_in
from router.server.observation.stage_durations import StageDurations

_MOST_NOTED = 400


class OperationMetrics(Collector):
    """Notes what happens of operations, which is counted by when ``counts`` are read. Stages are measured in
    ``stages``; ``hits`` and ``misses`` are lookups in the cache of operations."""

    def __init__(self, stages: StageDurations) -> None:
        self.hits = 0
        self.misses = 0
        self._stages = stages
        self._counts = OperationCounts()
        self._noted: list[Note] = []

    @property
    def counts(self) -> OperationCounts:
        """All that was noted until now."""
        self._settle()
        return self._counts

    def limit(self, settings: MetricsSettings) -> None:
        """Tell so many names apart from now on."""
        self.counts.limit(settings)

    def receive(self, name: str | None, client: bytes) -> None:
        """Note a valid operation that came from ``client``, as it calls itself."""
        noted = self._noted
        noted.append((name, client))
        if len(noted) >= _MOST_NOTED:
            self._settle()

    def execute(self, executed: Executed) -> None:
        """Note the execution of an operation that was received before."""
        self._noted.append(executed)

    def _settle(self) -> None:
        noted, self._noted = self._noted, []
        if noted:
            self._counts.count(noted)
            self._stages.ran([(executed_s, over_s) for _, _, executed_s, over_s, _, _ in executed_in(noted)])

    def collect(self) -> Iterator[Metric]:
        """The families of now (of prometheus-client's Collector)."""
        counts, names = self.counts, ["operation", "client"]
        received = CounterMetricFamily("galleria_operations", "Valid operations.", labels=names)
        for labels, count in counts.received.items():
            received.add_metric(labels, count)
        failed = CounterMetricFamily("galleria_operation_failures", "Executions with errors.", labels=names)
        for labels, count in counts.failed.items():
            failed.add_metric(labels, count)
        durations = HistogramMetricFamily(
            "galleria_operation_duration_seconds", "Time to execute and project.", labels=["operation"]
        )
        for name, observed in counts.durations.items():
            durations.add_metric([name], observed.buckets(), observed.total_s)
        stages = HistogramMetricFamily("galleria_stage_duration_seconds", "Time of a stage.", labels=["stage"])
        for stage, observed in self._stages.by_stage.items():
            stages.add_metric([stage], observed.buckets(), observed.total_s)
        lookups = CounterMetricFamily("galleria_operation_lookups", "Lookups in the cache.", labels=["result"])
        lookups.add_metric(["hit"], self.hits)
        lookups.add_metric(["miss"], self.misses)
        yield from (received, failed, durations, stages, lookups)
