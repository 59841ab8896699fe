"""What was measured -> Markdown: a table, and the ten most expensive functions of each operation."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.services.load import Sample

SHARES = ("Strawberry", "graphql-core", "driver", "HTTP and loop", "chassis", "service", "other")
OWN = ("chassis", "service")
TOP = 10
HEADER = f"""| service | operation | requests/s | p50 ms | p99 ms | {" | ".join(SHARES)} |
|---|---|---|---|---|{"---|" * len(SHARES)}"""


@dataclass(frozen=True, slots=True)
class Result:
    """One operation: its sample, and CPU seconds by "package|function" from another run that was profiled."""

    service: str
    operation: str
    sample: Sample
    seconds: Mapping[str, float]

    def top(self) -> list[tuple[str, float]]:
        """The functions that took most CPU time themselves, with their share of all."""
        total = sum(self.seconds.values()) or 1.0
        ranked = sorted(self.seconds, key=lambda name: -self.seconds[name])
        return [(name, self.seconds[name] / total) for name in ranked[:TOP]]


def render(results: Sequence[Result], events: Mapping[str, float], conditions: str) -> str:
    """The whole report; ``events`` has events learned each second, by service."""
    machine = f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}"
    lines = ["# Services alone", "", f"{conditions}; {machine}.", "", HEADER, *(_row(result) for result in results), ""]
    lines += [f"{name}: {rate:.0f} events of order.confirmed learned each second." for name, rate in events.items()]
    lines += ["", "## Where the time goes", ""]
    for result in results:
        lines += [f"### {result.service}: {result.operation}", "", *(_function(*each) for each in result.top()), ""]
    return "\n".join(lines)


def _row(result: Result) -> str:
    shares = dict.fromkeys(SHARES, 0.0)
    for name, seconds in result.seconds.items():
        shares[name.partition("|")[0]] += seconds
    total = sum(shares.values()) or 1.0
    sample = result.sample
    cells = [f"{shares[name] / total:.0%}" for name in SHARES]
    figures = f"{sample.requests_per_s:.0f} | {sample.p50_ms:.1f} | {sample.p99_ms:.1f}"
    return f"| {result.service} | {result.operation} | {figures} | {' | '.join(cells)} |"


def _function(name: str, share: float) -> str:
    package, _, function = name.partition("|")
    return f"- {share:.1%} {function}{' (ours)' if package in OWN else ''}"
