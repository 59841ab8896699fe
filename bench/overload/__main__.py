"""``python -m bench.overload``: twice the load that the router can carry, and a subgraph that hangs.

First goodput, in turns of a closed loop and of an open one at twice its rate (``goodput.py`` says why so). Then twice
the median of their peaks for as long as is asked: latency of what is let in, failures, memory and recovery. After that
one subgraph hangs, and what does not need it is timed.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import click

from bench import load as closed_loop
from bench.contestants import Contestant, Running, known_contestants, running, verify
from bench.errors import BenchError
from bench.machine import describe
from bench.operations import Operation, read_operation
from bench.overload.goodput import Turn, median_share, take_turns
from bench.overload.measure import Answers, Load, OpenLoad, loaded
from bench.overload.open_loop import MAX_CONNECTIONS
from bench.stub_subgraphs import running_stub

RESULT = Path(__file__).parents[1] / "results" / "overload.md"
ROUTER_CPU, LOAD_CPU = 0, 1
NORMAL = 0.7  # of the peak: what a router is sized for
SETTLING_S = 5
GOODPUT = 0.9  # of the peak


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was promised, what was seen, and whether that is as promised."""

    promise: str
    seen: str
    is_kept: bool


@click.command()
@click.option("--seconds", default=300, help="How long the overload lasts.")
@click.option("--turns", default=5, help="How often peak and goodput are compared before that; half a minute each.")
@click.option(
    "--operation",
    "name",
    default="a",
    help="Which operation: the sender carries twice its peak.",
)
@click.option("--write/--no-write", default=True, help="Whether bench/results/overload.md is written.")
def main(seconds: int, turns: int, name: str, write: bool) -> None:
    """Exit code 1 where a promise is not kept."""
    try:
        verdicts, told = _measure(read_operation(name), seconds, turns)
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    report = render(verdicts, told)
    if write:
        RESULT.write_text(report)
    click.echo(report)
    sys.exit(not all(one.is_kept for one in verdicts))


def _measure(operation: Operation, seconds: int, count: int) -> tuple[list[Verdict], str]:
    closed_loop.require_wrk()
    contestant = known_contestants()["galleria"]
    with running_stub(LOAD_CPU) as stub, running(contestant, ROUTER_CPU, {}) as router:
        verify(router, operation)
        turns = take_turns(router, operation, stub, LOAD_CPU, count)
        verdicts, told = under_overload(router, operation, median(turn.peak for turn in turns), seconds)
    with running_stub(LOAD_CPU) as stub, _hanging_port() as port, _with_hanging_reviews(port) as hanging:
        verdicts.append(beside_a_hanging_subgraph(hanging, min(seconds, 15)))
    verdicts.insert(0, goodput_of(turns))
    return verdicts, f"operation {operation.name}, overload for {seconds} s, {told}"


def goodput_of(turns: list[Turn]) -> Verdict:
    """Whether enough of the peak is answered under twice the load."""
    share, shares = median_share(turns), ", ".join(f"{turn.share:.0%}" for turn in turns)
    return Verdict("goodput within 10% of the peak", f"{share:.0%}, the median of {shares}", share >= GOODPUT)


def under_overload(router: Running, operation: Operation, peak: float, seconds: int) -> tuple[list[Verdict], str]:
    """What twice the ``peak`` does to latency and memory for long, and how soon it is over afterwards."""
    loaded(router, operation, Load(peak * NORMAL, 5, LOAD_CPU))
    normal = loaded(router, operation, Load(peak * NORMAL, SETTLING_S * 2, LOAD_CPU))
    begin = loaded(router, operation, Load(peak * 2, SETTLING_S * 2, LOAD_CPU))
    over = loaded(router, operation, Load(peak * 2, seconds, LOAD_CPU))
    after = loaded(router, operation, Load(peak * NORMAL, SETTLING_S * 2, LOAD_CPU))
    p99_ms, normal_ms = over.p99_ms(SETTLING_S), normal.p99_ms(SETTLING_S)
    grown_mb = over.memory_mb - begin.memory_mb
    verdicts = [
        Verdict(
            "p99 of what is let in below twice the normal",
            f"{p99_ms:.1f} ms, normally {normal_ms:.1f} ms",
            p99_ms < 2 * normal_ms,
        ),
        Verdict("memory does not grow", f"{grown_mb:+.1f} MB from {begin.memory_mb:.0f} MB", grown_mb < 10),
        Verdict("nothing fails but by being refused", f"{over.failed} of {over.sent}", over.failed == 0),
        _recovered(after, normal),
    ]
    told = (
        f"at twice a peak of {peak:.0f} requests/s (the median of those of the turns): "
        f"{over.goodput(SETTLING_S):.0f} answered and {over.refusals():.0f} refused a second, with "
        f"{over.router_busy:.0%} of its core. {_of_the_sender(normal, over)}"
    )
    return verdicts, told


def _of_the_sender(normal: Answers, over: Answers) -> str:
    """How much of the latencies is its own."""
    return (
        f"The sender took {over.outcome.busy:.0%} of its own, and "
        f"sent 99% within {over.late_ms():.1f} ms of their time ({normal.late_ms():.1f} ms under the normal load), "
        f"which counts as latency; {over.outcome.retried} were sent again, as their connection was closed unanswered"
    )


def _recovered(after: Answers, normal: Answers) -> Verdict:
    refused, p99_ms = after.refused(SETTLING_S), after.p99_ms(SETTLING_S)
    is_normal = refused == 0 and p99_ms < 2 * normal.p99_ms(SETTLING_S)
    return Verdict("recovered within five seconds", f"{refused} refused after that, p99 {p99_ms:.1f} ms", is_normal)


def beside_a_hanging_subgraph(router: Running, seconds: int) -> Verdict:
    """How long takes what needs products alone, with and without requests beside it that need the reviews."""
    alone, needing = read_operation("b"), _of_reviews()
    loaded(router, alone, Load(300, 3, LOAD_CPU))
    normal = loaded(router, alone, Load(300, seconds, LOAD_CPU))
    hanging = OpenLoad(router, needing, Load(30, seconds, LOAD_CPU))
    try:
        beside = loaded(router, alone, Load(300, seconds, LOAD_CPU))
    finally:
        hanging.stop()
    is_kept = beside.p99_ms() < 2 * normal.p99_ms() and not beside.refused() and not beside.failed
    seen = f"p99 {beside.p99_ms():.1f} ms, without {normal.p99_ms():.1f} ms"
    seen += f", {beside.refused()} refused, {beside.failed} failed"
    return Verdict("what does not need a hanging subgraph keeps its p99", seen, is_kept)


def _of_reviews() -> Operation:
    return Operation(
        "reviews", json.dumps({"query": "{ topProducts(first: 3) { reviews { body } } }"}), None, unique=False
    )


@contextmanager
def _hanging_port() -> Iterator[int]:
    """A port that takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=2000) as listener:
        yield listener.getsockname()[1]


@contextmanager
def _with_hanging_reviews(port: int) -> Iterator[Running]:
    galleria = known_contestants()["galleria"]
    settings = {"traffic": {"share": False, "addresses": {"reviews": [f"http://127.0.0.1:{port}/reviews"]}}}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "router.yaml"
        config.write_text(json.dumps(settings))
        command = tuple(str(config) if "alone.yaml" in part else part for part in galleria.command)
        contestant: Contestant = replace(galleria, name="galleria-hanging", command=command)
        with running(contestant, ROUTER_CPU, {}) as router:
            yield router


def render(verdicts: list[Verdict], told: str) -> str:
    """The report, as Markdown."""
    rows = [f"| {one.promise} | {one.seen} | {'yes' if one.is_kept else 'NO'} |" for one in verdicts]
    machine = "; ".join(f"{name} {value}" for name, value in describe().items())
    table = "\n".join(rows)
    return (
        f"# Under twice the load\n\n{told}. An open loop of requests that come by chance, on up to {MAX_CONNECTIONS:,} "
        f"connections; the router alone on one of two cores, the load and the subgraphs on the other.\n\n"
        f"| promised | seen | kept |\n|---|---|---|\n{table}\n\nMeasured on {machine}.\n"
    )


if __name__ == "__main__":
    main()
