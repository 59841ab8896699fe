"""``python -m bench.in_process_share``: which share of the ceiling the router is, by CPU time in one process.

Both behind uvicorn's protocol, with functions in place of the sockets (:mod:`bench.in_process`), in turns. The least of
all rounds counts, as what else the machine does can only add to it. No system call of a socket is in these figures, nor
what the kernel leaves of the caches between two requests: ``python -m bench`` has them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bench.errors import BenchError
from bench.in_process import Client, RecordedLoop, request_of, serving
from bench.operations import read_operation
from bench.peers.ceiling.app import Ceiling
from bench.peers.ceiling.client import Pool
from bench.peers.ceiling.plans import Plans
from bench.stub_subgraphs import running_stub
from router.server.process import COLLECT_AFTER_ALLOCATIONS
from stack.daemon import free_port

SETTINGS = Path(__file__).parent / "configs" / "alone.yaml"
CONNECTIONS = 50
REQUESTS = 300


@click.command()
@click.option("--operations", default="b,c,b2,c2", help="Which operations, separated by commas.")
@click.option("--rounds", default=120, help="How often each is timed.")
def main(operations: str, rounds: int) -> None:
    """Measure, and print a table."""
    try:
        with ExitStack() as stack:
            port = free_port()
            stack.enter_context(running_stub("0-1", port))
            with asyncio.Runner(loop_factory=lambda: RecordedLoop(port)) as runner:
                report = runner.run(_measure(operations.split(","), rounds))
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    click.echo(report)


async def _measure(operations: Sequence[str], rounds: int) -> str:
    async with serving(SETTINGS, os.environ, CONNECTIONS) as router:
        both = {"router": router, "ceiling": _ceiling()}
        gc.collect()
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER_ALLOCATIONS)
        rows = [(name, await _least(both, request_of(read_operation(name)), rounds)) for name in operations]
    lines = ["| operation | router: us | ceiling: us | share |", "|---|---|---|---|"]
    for name, least in rows:
        router_us, ceiling_us = least["router"], least["ceiling"]
        lines.append(f"| {name} | {router_us:.1f} | {ceiling_us:.1f} | {ceiling_us / router_us:.0%} |")
    return "\n".join(lines)


def _ceiling() -> list[Client]:
    app = Ceiling()
    app.plans = Plans(Pool("127.0.0.1", 1))  # No address is connected to in a RecordedLoop.
    config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, server_header=False)
    config.load()
    loop, state = asyncio.get_running_loop(), ServerState()
    return [
        Client(HttpToolsProtocol(config=config, server_state=state, app_state={}, _loop=loop))
        for _ in range(CONNECTIONS)
    ]


async def _least(both: Mapping[str, list[Client]], request: bytes, rounds: int) -> dict[str, float]:
    """Microseconds of CPU time for a request."""
    least = dict.fromkeys(both, float("inf"))
    for _ in range(rounds + 1):  # The first is for what is made once.
        for name, clients in both.items():
            least[name] = min(least[name], await _time(clients, request) * 1e6)
    return least


async def _time(clients: Sequence[Client], request: bytes) -> float:
    """Seconds of CPU time for a request, where all ``clients`` ask at once."""
    began = time.process_time()
    for _ in range(REQUESTS // CONNECTIONS):
        for answer in [client.ask(request) for client in clients]:
            await answer
    return (time.process_time() - began) / REQUESTS


if __name__ == "__main__":
    main()
