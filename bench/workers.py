"""``python -m bench.workers``: two worker processes beside one, on two cores that load and subgraphs share.

The load needs a part of both cores, so that requests per second cannot double here, whatever the router does. What
tells is the CPU time of a request: as long as it is the same with two workers, nothing is lost between them, and cores
of their own would give twice as much. Both are timed in turns; a round's two samples are compared with each other.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

import click

from bench.contestants import known_contestants, running, verify
from bench.errors import BenchError
from bench.load import Load, Sample, measure, require_wrk
from bench.operations import NAMES, Operation, read_operation
from bench.stub_subgraphs import running_stub

RESULT = Path(__file__).parent / "results" / "workers.md"
CORES = "0,1"
GOAL = 1.8
# Of each round the sample of one worker, and that of two.
Pairs = list[tuple[Sample, Sample]]
HEADER = (
    "| operation | requests/s, one | two | ratio | CPU us/request, one | two | two cores of their own would give |\n"
    "|---|---|---|---|---|---|---|"
)


@click.command()
@click.option("--operations", default=",".join(NAMES), help="Which operations, separated by commas.")
@click.option("--rounds", default=3, help="How often each is timed.")
@click.option("--seconds", default=2, help="How long each time.")
@click.option("--connections", default=50, help="How many connections ask at once.")
def main(operations: str, rounds: int, seconds: int, connections: int) -> None:
    """Measure for a minute and a half, and write bench/results/workers.md; exit code 1 where the goal is missed."""
    load = Load(connections, seconds, CORES)
    try:
        require_wrk()
        found = _compare([read_operation(name) for name in operations.split(",")], rounds, load)
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    about = (
        f"{connections} connections, {rounds} rounds of {seconds} s, medians. Router, load and subgraphs share two "
        "cores: the last column is what follows from the CPU time of a request alone, as a multiple of one worker."
    )
    missed = [name for name, samples in found.items() if _without_others(samples) < GOAL]
    outcome = f"missed for {', '.join(missed)}" if missed else "reached"
    goal = f"**The goal of {GOAL} x in the last column is {outcome}.**"
    rows = [_row(name, samples) for name, samples in found.items()]
    report = "\n".join(["# Two workers beside one", "", about, "", goal, "", HEADER, *rows, ""])
    RESULT.write_text(report)
    click.echo(report)
    sys.exit(bool(missed))


def _compare(operations: list[Operation], rounds: int, load: Load) -> dict[str, Pairs]:
    galleria = known_contestants()["galleria"]
    with ExitStack() as stack:
        stub = stack.enter_context(running_stub(CORES))
        counts = {"one": "1", "two": "2"}
        routers = [
            stack.enter_context(
                running(
                    replace(galleria, name=f"galleria-{name}", command=(*galleria.command, "--workers", count)),
                    CORES,
                    {},
                )
            )
            for name, count in counts.items()
        ]
        found: dict[str, Pairs] = {}
        for operation in operations:
            samples: Pairs = []
            for index in range(rounds + 1):
                for router in routers:
                    verify(router, operation)
                one, two = (measure(router, operation, load, stub) for router in routers)
                if index:  # The first round warms up.
                    samples.append((one, two))
            found[operation.name] = samples
        return found


def _without_others(samples: Pairs) -> float:
    """What two workers would give on cores of their own, as a multiple of one."""
    return median(2 * one.cpu_us_per_request / two.cpu_us_per_request for one, two in samples)


def _row(name: str, samples: Pairs) -> str:
    rates = [median(pair[which].requests_per_s for pair in samples) for which in (0, 1)]
    costs = [median(pair[which].cpu_us_per_request for pair in samples) for which in (0, 1)]
    ratio = median(two.requests_per_s / one.requests_per_s for one, two in samples)
    alone = _without_others(samples)
    figures = f"{rates[0]:.0f} | {rates[1]:.0f} | {ratio:.2f} x | {costs[0]:.0f} | {costs[1]:.0f} | {alone:.2f} x"
    return f"| {name} | {figures} |"


if __name__ == "__main__":
    main()
