"""What /metrics tells of costs: histograms of what operations may cost, and of what they did."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import Literal

from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

BOUNDS = (0.0, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 1e5, 1e6)
# Of an operation: within the maximum, beyond it, without a slicing argument that it must have; or an event.
CostResult = Literal["within", "too_expensive", "unsliced", "event"]


class Costs:
    """A histogram of costs."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, cost: float) -> None:
        """Count one cost."""
        self.counts[bisect_left(BOUNDS, cost)] += 1
        self.total += cost

    def buckets(self) -> list[tuple[str, float]]:
        """Upper bounds, and how many costs were not higher."""
        bounds = [*map(floatToGoString, BOUNDS), "+Inf"]
        return list(zip(bounds, map(float, accumulate(self.counts)), strict=True))


class CostMetrics(Collector):
    """Costs by result: four values, whatever clients send."""

    def __init__(self) -> None:
        self.estimated: defaultdict[CostResult, Costs] = defaultdict(Costs)
        self.actual: defaultdict[CostResult, Costs] = defaultdict(Costs)

    def collect(self) -> Iterator[Metric]:
        """The families of now (of prometheus-client's Collector); none where nothing was estimated."""
        yield from self._family("galleria_operation_cost_estimated", "What operations may cost.", self.estimated)
        yield from self._family("galleria_operation_cost_actual", "What answers did cost.", self.actual)

    def _family(self, name: str, about: str, costs: dict[CostResult, Costs]) -> Iterator[Metric]:
        if costs:
            family = HistogramMetricFamily(name, about, labels=["result"])
            for result, observed in costs.items():
                family.add_metric([result], observed.buckets(), observed.total)
            yield family
