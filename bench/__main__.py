"""``python -m bench``: our router and its peers on the public gateways benchmark, in one run."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import click

from bench.chart import draw
from bench.contestants import Running, install, known_contestants, running, verify
from bench.errors import BenchError
from bench.load import Load, Sample, measure, require_wrk
from bench.machine import describe
from bench.operations import NAMES, Operation, read_operation
from bench.overhead import Overhead, measure_overhead
from bench.report import render
from bench.stub_subgraphs import running_stub

RESULTS = Path(__file__).parent / "results"
ROUTER_CPU, LOAD_CPU = 0, 1
STUB_CPU_LIMIT = 0.7


@click.command()
@click.argument("contestants", nargs=-1, type=click.Choice(tuple(known_contestants())))
@click.option("--operations", default=",".join(NAMES), help="Which operations, separated by commas.")
@click.option("--rounds", default=3, help="How often each is timed.")
@click.option("--seconds", default=8, help="How long each time; a third of it before, to warm up.")
@click.option("--connections", default=50, help="How many connections ask at once.")
def main(contestants: tuple[str, ...], operations: str, rounds: int, seconds: int, connections: int) -> None:
    """Compare CONTESTANTS (all that can be installed, by default) and write bench/results/routers.{md,json,png}."""
    try:
        _compare(contestants, [read_operation(name) for name in operations.split(",")], rounds, seconds, connections)
    except BenchError as error:
        click.echo(f"cannot compare: {error}", err=True)
        sys.exit(2)


def _compare(names: tuple[str, ...], operations: list[Operation], rounds: int, seconds: int, connections: int) -> None:
    require_wrk()
    known = known_contestants()
    chosen = [known[name] for name in dict.fromkeys(["galleria", *(names or known)]) if install(known[name])]
    with ExitStack() as stack:
        stub = stack.enter_context(running_stub(LOAD_CPU))
        routers = {one.name: stack.enter_context(running(one, ROUTER_CPU, {})) for one in chosen}
        samples: dict[str, dict[str, list[Sample]]] = {}
        for operation in operations:
            timed = [routers[one.name] for one in chosen if one.takes(operation)]
            samples[operation.name] = _time(timed, operation, rounds, Load(connections, seconds, LOAD_CPU), stub)
        overhead = _time_overhead(routers, stub, rounds)
    conditions = f"{connections} connections, {rounds} rounds of {seconds} s, router alone on one core, medians"
    _write(samples, overhead, conditions)


def _time_overhead(routers: Mapping[str, Running], stub: Running, rounds: int) -> Overhead:
    """Of our router and of the ceiling, where it takes part: on a core of their own, and on the asker's."""
    known = known_contestants()
    names = [name for name in ("galleria", "ceiling") if name in routers]
    with ExitStack() as stack:
        timed = {f"{name} on a core of its own": routers[name] for name in names}
        for name in names:
            beside = replace(known[name], name=f"{name}-beside")
            timed[f"{name} on the same core"] = stack.enter_context(running(beside, LOAD_CPU, {}))
        return measure_overhead(timed, stub, rounds, LOAD_CPU)


def _write(samples: dict[str, dict[str, list[Sample]]], overhead: Overhead, conditions: str) -> None:
    """The results as a table, as JSON, and as a chart."""
    machine = describe()
    report = render(samples, overhead, conditions, machine)
    (RESULTS / "routers.md").write_text(report)
    raw = {name: {router: [asdict(one) for one in many] for router, many in of.items()} for name, of in samples.items()}
    document = {"conditions": conditions, "machine": machine, "overhead": asdict(overhead), "samples": raw}
    (RESULTS / "routers.json").write_text(json.dumps(document, indent=1) + "\n")
    if not draw(samples, RESULTS / "routers.png"):
        click.echo("no chart: matplotlib is not installed (pip install 'galleria[bench]')", err=True)
    click.echo(report)


def _time(
    routers: list[Running], operation: Operation, rounds: int, load: Load, stub: Running
) -> dict[str, list[Sample]]:
    samples: dict[str, list[Sample]] = {router.name: [] for router in routers}
    for router in routers:
        verify(router, operation)
        measure(router, operation, Load(load.connections, max(load.seconds // 3, 1), load.cpu), stub)
    for index in range(rounds):
        for router in routers if index % 2 == 0 else reversed(routers):
            sample = measure(router, operation, load, stub)
            if sample.stub_cpu > STUB_CPU_LIMIT:
                raise BenchError(f"the stub was the bottleneck for {router.name} ({sample.stub_cpu:.0%} of its core)")
            samples[router.name].append(sample)
            click.echo(
                f"{operation.name} {router.name}: {sample.requests_per_s:.0f} requests/s, p99 {sample.p99_ms:.1f} ms",
                err=True,
            )
    return samples


if __name__ == "__main__":
    main()
