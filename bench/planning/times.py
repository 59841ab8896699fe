"""``python -m bench.planning.times``: how long a plan takes, uncached, cached, at its hardest and under attack."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

import click

from bench import machine
from bench.errors import BenchError
from bench.planning.cases import ROOT, read_cases
from bench.planning.planners import plan_ours
from router import Subgraph, compose
from router.operation import build_operation, parse_document
from router.planning import plan_operation
from router.planning.override_labels import NO_LABELS
from router.server.operations.compiled_operation import OperationCompiler
from router.server.operations.operation_cache import operation_cache
from router.server.operations.recently_used import CacheSize
from router.supergraph import Supergraph, read_supergraph
from tests.planning.adversarial import ATTACKS

REPORT = ROOT / "bench" / "results" / "planning-times.md"
ORDER_QUERY = ROOT / "tests" / "contract" / "operations" / "orders.graphql"
PLANS = 200
LOOKUPS = 10_000
SIZE = CacheSize(100, 50_000_000)
Row = tuple[str, str, str]


@click.command()
@click.option("--seed", default="galleria", help="What the operations over the shared supergraphs are drawn from.")
@click.option("--operations", default=4, help="How many are drawn for each supergraph.")
def main(seed: str, operations: int) -> None:
    """Measure planning, and write bench/results/planning-times.md."""
    try:
        rows = [*_of_the_order_query(), _hardest(seed, operations), *_under_attack()]
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    table = ["| what | wanted | measured |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    told = ", ".join(f"{name} {value}" for name, value in machine.describe().items() if name in ("CPU", "Python"))
    lines = [
        "# How long a plan takes",
        "",
        f"`make bench-planning-times`; CPU time of one thread; {told}.",
        "",
        *table,
        "",
    ]
    report = "\n".join(lines)
    REPORT.write_text(report)
    click.echo(report)


def _of_the_order_query() -> Iterator[Row]:
    """The query that the mall is built around: from a normalised operation, from its text, and from the cache."""
    supergraph, text = _mall(), ORDER_QUERY.read_text()
    operation = build_operation(supergraph.api_schema, parse_document(text))
    planned = _median_ms(lambda: plan_operation(supergraph, operation), PLANS)
    yield "order query, planned", "5 ms", f"{planned:.2f} ms"
    compiled = _median_ms(lambda: OperationCompiler(supergraph, SIZE)(text, None), PLANS)
    yield "order query, from its text to a compiled plan", "-", f"{compiled:.2f} ms"
    cache = operation_cache(OperationCompiler(supergraph, SIZE), SIZE)
    key = (text, None, NO_LABELS, None)
    asyncio.run(cache.compiled(key))
    found = _median_ms(lambda: [cache.known(key) for _ in range(LOOKUPS)], 10) / LOOKUPS
    yield "order query, found in the cache", "50 microseconds", f"{found * 1000:.2f} microseconds"


def _mall() -> Supergraph:
    files = sorted((ROOT / "subgraphs").glob("*/schema.graphql"))
    subgraphs = [Subgraph(file.parent.name, f"http://{file.parent.name}.test", file.read_text()) for file in files]
    sdl = compose(subgraphs).supergraph_sdl
    if sdl is None:
        raise BenchError("the mall's subgraphs do not compose")
    return read_supergraph(sdl)


def _median_ms(work: Callable[[], object], rounds: int) -> float:
    def once() -> float:
        started = time.process_time()
        work()
        return (time.process_time() - started) * 1000

    return median(once() for _ in range(rounds))


def _hardest(seed: str, operations: int) -> Row:
    plans = [
        (plan.ms, case.name) for case in read_cases(seed, operations) for plan in plan_ours(case, time.process_time)
    ]
    longest, name = max(plans)
    what = f"hardest of {len(plans):,} operations over the shared supergraphs (case {name})"
    return what, "1 s", f"{longest:.0f} ms (median {median(ms for ms, _ in plans):.2f} ms)"


def _under_attack() -> Iterator[Row]:
    """What tests/planning/adversarial.py holds, each in a process of its own."""
    for name in ATTACKS:
        command = [sys.executable, "-m", "tests.planning.adversarial", name]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - ours
        outcome, seconds, megabytes = told.stdout.split()
        yield f"{name.replace('_', ' ')}: {outcome}", "2 s, 200 MB", f"{seconds} s, {megabytes} MB"


if __name__ == "__main__":
    main()
