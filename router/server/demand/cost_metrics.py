"""What /metrics tells of costs: histograms of what operations may cost, and of what they did."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import Literal

from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

BOUNDS = (0.0, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 1e5, 1e6)
_MOST_NOTED = 200
# Of an operation: within the maximum, beyond it, without a slicing argument that it must have; or an event.
CostResult = Literal["within", "too_expensive", "unsliced", "event"]


class Costs:
    """A histogram of costs."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, cost: float, times: int) -> None:
        """Count one cost, that came so many times."""
        self.counts[bisect_left(BOUNDS, cost)] += times
        self.total += cost * times

    def buckets(self) -> list[tuple[str, float]]:
        """Upper bounds, and how many costs were not higher."""
        bounds = [*map(floatToGoString, BOUNDS), "+Inf"]
        return list(zip(bounds, map(float, accumulate(self.counts)), strict=True))


class CostsByResult:
    """A histogram for each result: four, whatever clients send. What is noted is counted in batches: most operations
    of a batch cost the same."""

    def __init__(self) -> None:
        self._by_result: defaultdict[CostResult, Costs] = defaultdict(Costs)
        self._noted: list[tuple[CostResult, float]] = []

    def note(self, result: CostResult, cost: float) -> None:
        """One operation more."""
        noted = self._noted
        noted.append((result, cost))
        if len(noted) >= _MOST_NOTED:
            self._count()

    def family(self, name: str, about: str) -> Iterator[Metric]:
        """What was noted until now; nothing where that is nothing."""
        self._count()
        if self._by_result:
            family = HistogramMetricFamily(name, about, labels=["result"])
            for result, observed in self._by_result.items():
                family.add_metric([result], observed.buckets(), observed.total)
            yield family

    def _count(self) -> None:
        noted, self._noted = self._noted, []
        for (result, cost), times in Counter(noted).items():
            self._by_result[result].observe(cost, times)


class CostMetrics(Collector):
    """What operations may cost, and what they did."""

    def __init__(self) -> None:
        self.estimated = CostsByResult()
        self.actual = CostsByResult()

    def collect(self) -> Iterator[Metric]:
        """The families of now (of prometheus-client's Collector); none where nothing was estimated."""
        yield from self.estimated.family("galleria_operation_cost_estimated", "What operations may cost.")
        yield from self.actual.family("galleria_operation_cost_actual", "What answers did cost.")
