"""What was measured -> Markdown: a table, and the ten most expensive functions of each operation.

None of the ten may be ours: :func:`own_in_top` names those that are, and the run fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.services.load import Sample
from bench.services.machine import describe_machine

SHARES = ("Strawberry", "graphql-core", "driver", "HTTP and loop", "chassis", "service", "other")
OWN = ("chassis", "service")
TOP = 10
COLUMNS = ("service", "operation", "requests/s", "p50 ms", "p99 ms", "CPU ms", *SHARES)
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


@dataclass(frozen=True, slots=True)
class Result:
    """One operation: its sample, the CPU time of the service for one request, and CPU seconds by "package|function".

    The last are of another run that was profiled.
    """

    service: str
    operation: str
    sample: Sample
    cpu_ms: float
    seconds: Mapping[str, float]

    def top(self) -> list[tuple[str, float]]:
        """The functions that took most CPU time themselves, with their share of all."""
        total = sum(self.seconds.values()) or 1.0
        ranked = sorted(self.seconds, key=lambda name: -self.seconds[name])
        return [(name, self.seconds[name] / total) for name in ranked[:TOP]]


def render(results: Sequence[Result], events: Mapping[str, float], conditions: str) -> str:
    """The whole report; ``events`` has events learned each second, by service."""
    lines = ["# Services alone", "", describe_machine(), "", conditions, "", HEADER, *map(_row, results), ""]
    lines += [f"{name}: {rate:.0f} events of order.confirmed learned each second.\n" for name, rate in events.items()]
    lines += ["## Where the time goes", "", *(_verdict(results)), ""]
    for result in results:
        lines += [f"### {result.service}: {result.operation}", "", *(_function(*each) for each in result.top()), ""]
    return "\n".join(lines)


def own_in_top(results: Sequence[Result]) -> list[str]:
    """What of ours is among the ten most expensive functions of an operation: "service, operation: share function"."""
    return [
        f"{result.service}, {result.operation}: {_function(*each).removeprefix('- ')}"
        for result in results
        for each in result.top()
        if _is_ours(each[0])
    ]


def _verdict(results: Sequence[Result]) -> list[str]:
    """What the profiles say of our own code."""
    found = own_in_top(results)
    if not found:
        return [f"No function of chassis or service is among the {TOP} that took most CPU time of any operation."]
    return ["Own code among the ten:", "", *(f"- {each}" for each in found)]


def _row(result: Result) -> str:
    shares = dict.fromkeys(SHARES, 0.0)
    for name, seconds in result.seconds.items():
        shares[name.partition("|")[0]] += seconds
    total = sum(shares.values()) or 1.0
    sample = result.sample
    cells = [f"{shares[name] / total:.0%}" for name in SHARES]
    figures = f"{sample.requests_per_s:.0f} | {sample.p50_ms:.1f} | {sample.p99_ms:.1f} | {result.cpu_ms:.2f}"
    return f"| {result.service} | {result.operation} | {figures} | {' | '.join(cells)} |"


def _function(name: str, share: float) -> str:
    _, _, function = name.partition("|")
    return f"- {share:.1%} {function}{' (ours)' if _is_ours(name) else ''}"


def _is_ours(name: str) -> bool:
    return name.partition("|")[0] in OWN
