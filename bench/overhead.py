"""What the router adds to one small request: the same query through it and straight to its subgraph, one connection.

One connection leaves both cores idle most of the time, and whoever answers on another core than the asker's must be
woken up, which costs more than answering. The subgraph runs on the asker's core and the router on its own, so that
each request through the router wakes four times. Therefore everything is timed twice, the second time with the router
on the core of the others, where nobody is woken; and the ceiling is timed beside it, as what Python allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from bench.contestants import Running
from bench.load import Load, measure
from bench.operations import Operation, read_operation

STRAIGHT = Operation("b", '{"query":"{topProducts(first:3){upc name price weight}}"}', None, unique=False)


@dataclass(frozen=True, slots=True)
class Overhead:
    """Median latencies in microseconds, of requests through each router by its name and core, and straight."""

    through_us: Mapping[str, float]
    straight_us: float

    def added_us(self, name: str) -> float:
        """What the router ``name`` adds."""
        return self.through_us[name] - self.straight_us


def measure_overhead(routers: Mapping[str, Running], stub: Running, rounds: int, cpu: int) -> Overhead:
    """Time operation b through ``routers`` and to the subgraph in turns."""
    load = Load(connections=1, seconds=2, cpu=cpu)
    products = Running("products", f"{stub.url}/products", stub.pid)
    through: dict[str, list[float]] = {name: [] for name in routers}
    straight: list[float] = []
    for _ in range(rounds):
        for name, router in routers.items():
            through[name].append(measure(router, read_operation("b"), load, stub).p50_ms * 1000)
        straight.append(measure(products, STRAIGHT, load, stub).p50_ms * 1000)
    return Overhead({name: median(many) for name, many in through.items()}, median(straight))
