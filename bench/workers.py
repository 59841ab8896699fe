"""``python -m bench.workers``: two worker processes beside one, each with a part of a core and no more.

Where all cores are busy, the load that a second worker needs takes from the first what it gives. Therefore each worker
may run for a fixed part of the time (Linux' SCHED_DEADLINE, see sched(7)), so small that two workers, load and
subgraphs leave the cores idle in between, which is checked. What two answer is then what two cores of their own would:
anything that workers share, as a lock, a socket or the time of their parent, shows as less than twice as much.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

import click
import psutil

from bench.contestants import Running, known_contestants, running, verify
from bench.errors import BenchError
from bench.load import Load, Sample, measure, require_wrk
from bench.operations import NAMES, Operation, read_operation
from bench.stub_subgraphs import running_stub

RESULT = Path(__file__).parent / "results" / "workers.md"
# A process whose turn comes by deadline may not be kept from any core.
CORES = f"0-{(os.cpu_count() or 1) - 1}"
GOAL = 1.8
PERIOD_US = 10_000
BUSIEST = 0.9
# Of each round the sample of one worker, and that of two.
Pairs = list[tuple[Sample, Sample]]
HEADER = (
    "| operation | requests/s, one | two | ratio | CPU us/request, one | two | busy, two |\n"
    "|---|---|---|---|---|---|---|"
)


@click.command()
@click.option("--operations", default=",".join(NAMES), help="Which operations, separated by commas.")
@click.option("--rounds", default=5, help="How often each is timed.")
@click.option("--seconds", default=4, help="How long each time.")
@click.option("--connections", default=50, help="How many connections ask at once.")
@click.option("--share", default=0.2, help="Which part of a core each worker may have.")
def main(operations: str, rounds: int, seconds: int, connections: int, share: float) -> None:
    """Measure for four minutes, and write bench/results/workers.md; exit code 1 where the goal is missed."""
    load = Load(connections, seconds, CORES)
    try:
        require_wrk()
        found = _compare([read_operation(name) for name in operations.split(",")], rounds, load, share)
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    about = (
        f"{connections} connections, {rounds} rounds of {seconds} s in turns, medians. Each worker may run for "
        f"{share:.0%} of the time and no more; load and subgraphs have the rest of {os.cpu_count()} cores, of which "
        f"the last column tells how busy they were. The ratio is the median of the rounds' own."
    )
    missed = [name for name, pairs in found.items() if _ratio(pairs) < GOAL]
    outcome = f"missed for {', '.join(missed)}" if missed else "reached"
    goal = f"**The goal of {GOAL} x is {outcome}.**"
    rows = [_row(name, pairs) for name, pairs in found.items()]
    report = "\n".join(["# Two workers beside one", "", about, "", goal, "", HEADER, *rows, ""])
    RESULT.write_text(report)
    click.echo(report)
    sys.exit(bool(missed))


def _compare(operations: list[Operation], rounds: int, load: Load, share: float) -> dict[str, Pairs]:
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
        for router in routers:
            _ration(router, share)
        return {operation.name: _time(routers, operation, rounds, load, stub) for operation in operations}


def _ration(router: Running, share: float) -> None:
    """Let each worker of ``router`` run for ``share`` of every PERIOD_US, and not at all when that is used up."""
    parent = psutil.Process(router.pid)
    period_ns = PERIOD_US * 1000
    for worker in parent.children() or [parent]:
        runtime = ["--sched-runtime", str(int(share * period_ns)), "--sched-period", str(period_ns)]
        command = ["chrt", "--deadline", "--reset-on-fork", *runtime, "--sched-deadline", str(period_ns)]
        ended = subprocess.run([*command, "--pid", "0", str(worker.pid)], capture_output=True, text=True)  # noqa: S603
        if ended.returncode:
            raise BenchError(f"a worker cannot be rationed, for which CAP_SYS_NICE is needed: {ended.stderr.strip()}")


def _time(routers: list[Running], operation: Operation, rounds: int, load: Load, stub: Running) -> Pairs:
    pairs: Pairs = []
    for index in range(rounds + 1):
        for router in routers:
            verify(router, operation)
        one, two = (measure(router, operation, load, stub) for router in routers)
        if two.machine_cpu > BUSIEST:
            raise BenchError(f"the cores were busy ({two.machine_cpu:.0%}): let workers have less of them (--share)")
        if index:  # The first round warms up.
            pairs.append((one, two))
    return pairs


def _ratio(pairs: Pairs) -> float:
    return median(two.requests_per_s / one.requests_per_s for one, two in pairs)


def _row(name: str, pairs: Pairs) -> str:
    rates = [median(pair[which].requests_per_s for pair in pairs) for which in (0, 1)]
    costs = [median(pair[which].cpu_us_per_request for pair in pairs) for which in (0, 1)]
    busy = median(two.machine_cpu for _, two in pairs)
    figures = f"{rates[0]:.0f} | {rates[1]:.0f} | {_ratio(pairs):.2f} x | {costs[0]:.0f} | {costs[1]:.0f} | {busy:.0%}"
    return f"| {name} | {figures} |"


if __name__ == "__main__":
    main()
