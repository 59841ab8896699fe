"""Operations by name and client, the stages that they pass, and which of them are slow: as plain numbers.

Names are taken of valid operations alone, and of so many as the settings say; see :mod:`known_names`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from router.operation.model import Operation
from router.planning.query_plan import QueryPlan
from router.server.config.telemetry import MetricsSettings
from router.server.observation.known_names import OTHER, KnownNames
from router.server.observation.stage_durations import StageDurations
from router.server.request_metrics import Durations

ANONYMOUS = "anonymous"
UNKNOWN = "unknown"
_LONGEST_CLIENT = 50
_CLIENT_NAME = re.compile(rb"[ -~]+")
_LONGEST_NAME = 100
Counts = defaultdict[tuple[str, str], int]


@dataclass(slots=True)
class Slowest:
    """How long the slowest execution of an operation took, and the plan by which it was."""

    seconds: float
    plan: QueryPlan


class OperationMetrics(Collector):
    """What was counted since the start, of as many names as the settings allow. Stages are measured in ``stages``."""

    def __init__(self, stages: StageDurations) -> None:
        defaults = MetricsSettings()
        self.received: Counts = defaultdict(int)
        self.failed: Counts = defaultdict(int)
        self.durations: dict[str, Durations] = {}
        self.slowest: dict[str, Slowest] = {}
        self.hits = 0
        self.misses = 0
        self._stages = stages
        self._names = KnownNames(defaults.max_operations, self._forget_operation)
        self._clients = KnownNames(defaults.max_clients, self._forget_client)

    def limit(self, settings: MetricsSettings) -> None:
        """Tell so many names apart from now on."""
        self._names.limit(settings.max_operations)
        self._clients.limit(settings.max_clients)

    def receive(self, operation: Operation, client: bytes) -> None:
        """Count a valid operation that came from ``client``, as it calls itself."""
        name, client_name = _name_of(operation), _client_name(client)
        self.received[self._names.count(name), self._clients.count(client_name)] += 1

    def execute(self, operation: Operation, client: bytes, seconds: float, plan: QueryPlan, *, failed: bool) -> None:
        """Count an execution; it has ``failed`` where there were errors."""
        name = self._names.label(_name_of(operation))
        durations = self.durations.get(name)
        if durations is None:
            durations = self.durations[name] = Durations()
        durations.observe(seconds)
        slowest = self.slowest.get(name)
        if slowest is None or seconds > slowest.seconds:
            self.slowest[name] = Slowest(seconds, plan)
        if failed:
            self.failed[name, self._clients.label(_client_name(client))] += 1

    def collect(self) -> Iterator[Metric]:
        """The families of now (of prometheus-client's Collector)."""
        names = ["operation", "client"]
        received = CounterMetricFamily("galleria_operations", "Valid operations.", labels=names)
        for labels, count in self.received.items():
            received.add_metric(labels, count)
        failed = CounterMetricFamily("galleria_operation_failures", "Executions with errors.", labels=names)
        for labels, count in self.failed.items():
            failed.add_metric(labels, count)
        durations = HistogramMetricFamily(
            "galleria_operation_duration_seconds", "Time to execute and project.", labels=["operation"]
        )
        for name, observed in self.durations.items():
            durations.add_metric([name], observed.buckets(), observed.total_s)
        stages = HistogramMetricFamily("galleria_stage_duration_seconds", "Time of a stage.", labels=["stage"])
        for stage, observed in self._stages.by_stage.items():
            stages.add_metric([stage], observed.buckets(), observed.total_s)
        lookups = CounterMetricFamily("galleria_operation_lookups", "Lookups in the cache.", labels=["result"])
        lookups.add_metric(["hit"], self.hits)
        lookups.add_metric(["miss"], self.misses)
        yield from (received, failed, durations, stages, lookups)

    def _forget_operation(self, name: str) -> None:
        for counts in (self.received, self.failed):
            for key in [key for key in counts if key[0] == name]:
                counts[OTHER, key[1]] += counts.pop(key)
        durations = self.durations.pop(name, None)
        if durations is not None:
            self.durations.setdefault(OTHER, Durations()).add(durations)
        self.slowest.pop(name, None)

    def _forget_client(self, name: str) -> None:
        for counts in (self.received, self.failed):
            for key in [key for key in counts if key[1] == name]:
                counts[key[0], OTHER] += counts.pop(key)


def _name_of(operation: Operation) -> str:
    name = operation.name
    if name is None:
        return ANONYMOUS
    return name if len(name) <= _LONGEST_NAME else OTHER


@lru_cache(maxsize=1024)
def _known_client_name(client: bytes) -> str:
    return client.decode() if _CLIENT_NAME.fullmatch(client) else OTHER


def _client_name(client: bytes) -> str:
    if not client:
        return UNKNOWN
    return _known_client_name(client) if len(client) <= _LONGEST_CLIENT else OTHER
