"""``python -m bench.caching``: operations answered out of the entity cache beside the same without it, in one run."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import click

from bench.check import CONNECTIONS, LOAD_CPU, MODULE, ROOT, ROUTER_CPU
from bench.contestants import SUPERGRAPH, Contestant, Running, running, verify
from bench.errors import BenchError
from bench.load import Load, Sample, measure, require_wrk
from bench.operations import NAMES, Operation, read_operation
from bench.stub_subgraphs import running_stub

CONFIGS = Path(__file__).parent / "configs"


@click.command()
@click.option("--rounds", default=3, help="How often each is timed; medians count.")
@click.option("--seconds", default=4, help="How long each time.")
def main(rounds: int, seconds: int) -> None:
    """Print requests/s, p99 and CPU time of each operation, without and with the cache, and the ratio."""
    try:
        require_wrk()
        with ExitStack() as stack:
            stub = stack.enter_context(running_stub(LOAD_CPU))
            routers = [stack.enter_context(running(_router(name), ROUTER_CPU, {})) for name in ("alone", "caching")]
            for name in NAMES:
                click.echo(_row(name, *_samples(routers, read_operation(name), rounds, seconds, stub)))
    except BenchError as error:
        click.echo(f"cannot compare: {error}", err=True)
        sys.exit(2)


def _router(config: str) -> Contestant:
    path = str(CONFIGS / f"{config}.yaml")
    serve = ("serve", "--supergraph", str(SUPERGRAPH), "--config", path, "--port", "{port}")
    return Contestant(config, (sys.executable, "-c", MODULE, *serve), "/graphql", ROOT)


def _samples(
    routers: list[Running], operation: Operation, rounds: int, seconds: int, stub: Running
) -> list[list[Sample]]:
    samples: list[list[Sample]] = [[] for _ in routers]
    for router in routers:
        verify(router, operation)
        measure(router, operation, Load(CONNECTIONS, 1, LOAD_CPU), stub)
    for _ in range(rounds):
        for router, taken in zip(routers, samples, strict=True):
            taken.append(measure(router, operation, Load(CONNECTIONS, seconds, LOAD_CPU), stub))
    return samples


def _row(name: str, alone: list[Sample], caching: list[Sample]) -> str:
    without, cached = (median(one.requests_per_s for one in taken) for taken in (alone, caching))
    cpu_without, cpu_cached = (median(one.cpu_us_per_request for one in taken) for taken in (alone, caching))
    p99_without, p99_cached = (median(one.p99_ms for one in taken) for taken in (alone, caching))
    fetches = median(one.fetches_per_request for one in caching)
    return (
        f"{name}: {without:,.0f} requests/s, p99 {p99_without:.0f} ms, {cpu_without:,.0f} us of CPU; "
        f"out of the cache {cached:,.0f}, {p99_cached:.0f} ms, {cpu_cached:,.0f} us: "
        f"{cached / without:.2f} x, {fetches:.2f} fetches each"
    )


if __name__ == "__main__":
    main()
