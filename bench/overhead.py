"""What the router adds to one small request: the same query through it and straight to its subgraph, one connection."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from bench.contestants import Running
from bench.load import Load, measure
from bench.operations import Operation, read_operation

STRAIGHT = Operation("b", '{"query":"{topProducts(first:3){upc name price weight}}"}', None, unique=False)


@dataclass(frozen=True, slots=True)
class Overhead:
    """Median latencies in microseconds."""

    through_us: float
    straight_us: float


def measure_overhead(router: Running, stub: Running, rounds: int, cpu: int) -> Overhead:
    """Time operation b through ``router`` and to the subgraph in turns."""
    load = Load(connections=1, seconds=2, cpu=cpu)
    products = Running("products", f"{stub.url}/products", stub.pid)
    through: list[float] = []
    straight: list[float] = []
    for _ in range(rounds):
        through.append(measure(router, read_operation("b"), load, stub).p50_ms * 1000)
        straight.append(measure(products, STRAIGHT, load, stub).p50_ms * 1000)
    return Overhead(median(through), median(straight))
