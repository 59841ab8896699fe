"""``python -m bench.planning``: our planner and ``@apollo/query-planner`` over the same operations, in one run."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from bench.errors import BenchError
from bench.planning.cases import read_cases
from bench.planning.comparison import Comparison, render
from bench.planning.planners import plan_ours, running_peer

REPORT = Path(__file__).parent.parent / "results" / "planning.md"


@click.command()
@click.option("--seed", default="galleria", help="What the operations are drawn from.")
@click.option("--operations", default=4, help="How many are drawn for each supergraph.")
def main(seed: str, operations: int) -> None:
    """Compare plans over the shared composition cases, and write bench/results/planning.md.

    Ends with 1 where ours refuses an operation, or its plan is worse and no rule says why.
    """
    comparison = Comparison()
    try:
        with running_peer() as peer:
            for case in read_cases(seed, operations):
                comparison.add(case, plan_ours(case), peer.plan(case), partial(peer.plan_texts, case))
    except BenchError as error:
        click.echo(f"cannot compare: {error}", err=True)
        sys.exit(2)
    report = render(comparison, f"{operations} drawn for each, seed `{seed}`")
    REPORT.write_text(report)
    click.echo(report)
    if comparison.unexplained or comparison.refused_by_us:
        sys.exit(1)


if __name__ == "__main__":
    main()
