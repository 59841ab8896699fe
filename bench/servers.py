"""``python -m bench.servers``: the router on its own server, and as an ASGI app on uvicorn and on granian.

``galleria serve`` is uvicorn with a protocol of our own, which leaves ASGI's messages out where it can. Any other
server gets the same app by these messages. Granian's HTTP is written in Rust, and it is no dependency of ours:
``pip install granian`` first. All are one process on one core, timed in turns.
"""

from __future__ import annotations

import importlib.util
import sys
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from statistics import median

import click

from bench.contestants import HERE, Contestant, Running, known_contestants, running, verify
from bench.errors import BenchError
from bench.load import Load, Sample, measure, require_wrk
from bench.operations import Operation, read_operation
from bench.stub_subgraphs import running_stub

ROUTER_CPU, LOAD_CPU = 0, 1
HEADER = "| server | operation | requests/s | p99 | CPU us/request | memory |\n|---|---|---|---|---|---|"


@click.command()
@click.option("--operations", default="a,b,c", help="Which operations, separated by commas.")
@click.option("--rounds", default=3, help="How often each is timed.")
@click.option("--seconds", default=3, help="How long each time; a third of it before, to warm up.")
@click.option("--connections", default=50, help="How many connections ask at once.")
def main(operations: str, rounds: int, seconds: int, connections: int) -> None:
    """Measure, and print a table of medians."""
    load = Load(connections, seconds, LOAD_CPU)
    try:
        require_wrk()
        with ExitStack() as stack:
            stub = stack.enter_context(running_stub(LOAD_CPU))
            servers = [stack.enter_context(running(one, ROUTER_CPU, {})) for one in _servers()]
            asked = [read_operation(name) for name in operations.split(",")]
            samples = _take_turns(servers, asked, stub, load, rounds)
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    click.echo(f"granian {version('granian')}, uvicorn {version('uvicorn')}; {connections} connections\n\n{HEADER}")
    for (server, operation), taken in samples.items():
        click.echo(_row(server, operation, taken))


def _servers() -> list[Contestant]:
    if importlib.util.find_spec("granian") is None:
        raise BenchError("granian is missing: pip install granian, and run again")
    app, root = "bench.peers.mounted:app", HERE.parent
    uvicorn = (sys.executable, "-m", "uvicorn", "--port", "{port}", "--loop", "uvloop", "--http", "httptools")
    granian = (sys.executable, "-m", "granian", "--port", "{port}", "--loop", "uvloop", "--interface", "asgi")
    return [
        known_contestants()["galleria"],
        Contestant("uvicorn", (*uvicorn, "--no-access-log", "--log-level", "warning", app), "/graphql", root),
        Contestant("granian", (*granian, "--no-ws", "--log-level", "warning", app), "/graphql", root),
    ]


def _take_turns(
    servers: list[Running], operations: list[Operation], stub: Running, load: Load, rounds: int
) -> dict[tuple[str, str], list[Sample]]:
    """The samples by server and operation. BenchError for a wrong answer."""
    samples: dict[tuple[str, str], list[Sample]] = {}
    short = replace(load, seconds=max(load.seconds // 3, 1))
    for operation in operations:
        for server in servers:
            verify(server, operation)
            measure(server, operation, short, stub)
        for _ in range(rounds):
            for server in servers:
                samples.setdefault((server.name, operation.name), []).append(measure(server, operation, load, stub))
    return samples


def _row(server: str, operation: str, samples: list[Sample]) -> str:
    requests, p99 = median(one.requests_per_s for one in samples), median(one.p99_ms for one in samples)
    cpu_us, memory = median(one.cpu_us_per_request for one in samples), max(one.memory_mb for one in samples)
    return f"| {server} | `{operation}` | {requests:,.0f} | {p99:.1f} ms | {cpu_us:,.0f} | {memory:.0f} MB |"


if __name__ == "__main__":
    main()
