"""``python -m bench.feature_costs``: the CPU time that each setting of a public router costs, in one process.

One router with everything off, one with everything on and one for each section alone, in turns; see
:mod:`bench.in_process` for what they stand in. A round takes the time of some hundred requests of each; the least of
all rounds counts, as what other processes do can only add to it. No system call of a socket is in these figures:
``python -m bench.features`` has them.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench.collector import running_collector
from bench.errors import BenchError
from bench.feature_settings import EVERYTHING, public, sections, write_settings
from bench.in_process import Client, RecordedLoop, log_to_nowhere, request_of, serving
from bench.operations import Operation, read_operation
from bench.stub_subgraphs import running_stub
from router.server.processes.process import COLLECT_AFTER_ALLOCATIONS
from stack.daemon import free_port

CONNECTIONS = 10
ROUND_S = 0.01
OFF = ""


@click.command()
@click.option("--operations", default="a,b,c", help="Which operations, separated by commas.")
@click.option("--rounds", default=150, help="How often each is timed.")
@click.option("--only", default="", help="Sections to time, separated by commas; all where it is left out.")
def main(operations: str, rounds: int, only: str) -> None:
    """Measure, and print what each section adds."""
    names = [OFF, EVERYTHING, *(only.split(",") if only else sections())]
    try:
        with TemporaryDirectory() as folder, ExitStack() as stack:
            port = free_port()
            stack.enter_context(running_stub("0-1", port))
            collector = stack.enter_context(running_collector("0-1"))
            stack.enter_context(log_to_nowhere())
            with asyncio.Runner(loop_factory=lambda: RecordedLoop(port)) as runner:
                report = runner.run(_measure(Path(folder), collector, names, operations.split(","), rounds))
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    click.echo(report)


async def _measure(folder: Path, collector: str, names: Sequence[str], operations: Sequence[str], rounds: int) -> str:
    needed = public(folder, collector)
    chosen = [replace(read_operation(name), headers=needed.headers) for name in operations]
    async with AsyncExitStack() as stack:
        routers = {}
        for name in names:
            path = folder / f"{name or 'off'}.yaml"
            write_settings(path, name)
            routers[name] = await stack.enter_async_context(serving(path, needed.environment, CONNECTIONS))
        gc.collect()
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER_ALLOCATIONS)
        taken = [await _least(routers, operation, rounds) for operation in chosen]
    return _table(names, operations, taken)


async def _least(routers: dict[str, list[Client]], operation: Operation, rounds: int) -> dict[str, float]:
    """Microseconds of CPU time for a request, by router."""
    request = request_of(operation)
    least = dict.fromkeys(routers, float("inf"))
    times = {}
    for name, clients in routers.items():
        first = await clients[0].ask(request)
        if b" 200 OK" not in first[:20]:
            raise BenchError(f"'{name}' answers {operation.name} by {first[:300]!r}")
        await _time(clients, request, 3)
        times[name] = max(3, int(ROUND_S / max(await _time(clients, request, 3), 1e-6) / CONNECTIONS))
    for _ in range(rounds):
        for name, clients in routers.items():
            least[name] = min(least[name], await _time(clients, request, times[name]) * 1e6)
    return least


async def _time(clients: list[Client], request: bytes, times: int) -> float:
    """Seconds of CPU time for a request, where all ``clients`` ask at once so many times."""
    began = time.process_time()
    for _ in range(times):
        for answer in [client.ask(request) for client in clients]:
            await answer
    return (time.process_time() - began) / times / len(clients)


def _table(names: Sequence[str], operations: Sequence[str], taken: list[dict[str, float]]) -> str:
    lines = ["| on | " + " | ".join(f"{name}: us" for name in operations) + " |", "|---|" + "---|" * len(operations)]
    for name in names:
        cells = [f"{one[name]:.1f}" if name == OFF else f"{one[name] - one[OFF]:+.1f}" for one in taken]
        if name == EVERYTHING:
            cells = [f"{cell} ({one[OFF] / one[name]:.2f} x)" for cell, one in zip(cells, taken, strict=True)]
        lines.append(f"| {name or 'nothing'} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
