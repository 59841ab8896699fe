"""Samples -> a table in Markdown: medians, and the ratio to ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from bench.load import Sample
from bench.overhead import Overhead

Samples = Mapping[str, Mapping[str, Sequence[Sample]]]
"""Operation -> contestant -> its samples, one a round."""

COLUMNS = (
    "operation", "router", "requests/s", "ours is", "p50 ms", "p99 ms", "CPU", "CPU us/request", "memory MB",
    "fetches/request", "errors",
)  # fmt: skip
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def render(samples: Samples, overhead: Overhead, conditions: str, machine: Mapping[str, str]) -> str:
    """The whole report as Markdown; ``conditions`` says how it was measured, ``machine`` on what."""
    rows = [
        _row(name, router, of_router, of_name)
        for name, of_name in samples.items()
        for router, of_router in of_name.items()
    ]
    added = "; ".join(f"{name} adds {overhead.added_us(name):.0f} us" for name in overhead.through_us)
    return "\n".join(
        [
            "# Routers side by side",
            "",
            f"{conditions}. a, b and c are the same in every request, b2 and c2 differ in each.",
            "",
            HEADER,
            *rows,
            "",
            f"One connection, operation b, medians: {overhead.straight_us:.0f} us straight to the subgraph; {added}.",
            "",
            "Measured on " + "; ".join(f"{name} {value}" for name, value in machine.items()) + ".",
            "",
        ]
    )


def _row(name: str, router: str, samples: Sequence[Sample], others: Mapping[str, Sequence[Sample]]) -> str:
    ours = median(sample.requests_per_s for sample in others["galleria"])
    rate = median(sample.requests_per_s for sample in samples)
    ratio = "" if router == "galleria" else f"{ours / rate:.1f} x"
    p50, p99 = median(sample.p50_ms for sample in samples), median(sample.p99_ms for sample in samples)
    work = median(sample.cpu_us_per_request for sample in samples)
    cpu, memory = median(sample.cpu for sample in samples), max(sample.memory_mb for sample in samples)
    fetches, errors = median(sample.fetches_per_request for sample in samples), sum(sample.errors for sample in samples)
    return (
        f"| {name} | {router} | {rate:.0f} | {ratio} | {p50:.1f} | {p99:.1f} | {cpu:.0%} | {work:.0f} | {memory:.0f} "
        f"| {fetches:.2f} | {errors} |"
    )
