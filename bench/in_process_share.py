"""``python -m bench.in_process_share``: which share of the ceiling the router is, by CPU time in one process.

Both behind uvicorn's protocol, with functions in place of the sockets (:mod:`bench.in_process`), in turns. The least of
all rounds counts, as what else the machine does can only add to it. A head that the router has not seen before is
parsed: that is timed too, as some clients, or proxies before them, name each request in it.

No system call of a socket is in these figures, nor what the kernel leaves of the caches between two requests:
``python -m bench`` has them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
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
from router.server.processes.process import COLLECT_AFTER_ALLOCATIONS
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


@dataclass(frozen=True, slots=True)
class Side:
    """Kept connections to one server, whose requests all have the same head, or each one of its own."""

    clients: Sequence[Client]
    has_new_heads: bool = False


async def _measure(operations: Sequence[str], rounds: int) -> str:
    async with serving(SETTINGS, os.environ, CONNECTIONS) as router:
        sides = {"router": Side(router), "new": Side(router, has_new_heads=True), "ceiling": Side(_ceiling())}
        gc.collect()
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER_ALLOCATIONS)
        rows = [(name, await _least(sides, request_of(read_operation(name)), rounds)) for name in operations]
    lines = ["| operation | router: us | its heads new: us | ceiling: us | share |", "|---|---|---|---|---|"]
    for name, least in rows:
        share = least["ceiling"] / least["router"]
        figures = " | ".join(f"{microseconds:.1f}" for microseconds in least.values())
        lines.append(f"| {name} | {figures} | {share:.0%} |")
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


async def _least(sides: Mapping[str, Side], request: bytes, rounds: int) -> dict[str, float]:
    """Microseconds of CPU time for a request."""
    least = dict.fromkeys(sides, float("inf"))
    numbers = count()
    for _ in range(rounds + 1):  # The first is for what is made once.
        for name, side in sides.items():
            requests = [_numbered(request, next(numbers)) if side.has_new_heads else request for _ in range(REQUESTS)]
            least[name] = min(least[name], await _time(side.clients, requests) * 1e6)
    return least


def _numbered(request: bytes, number: int) -> bytes:
    """``request`` with a header that no other one has."""
    return request.replace(b"\r\n", b"\r\nx-number: %016d\r\n" % number, 1)


async def _time(clients: Sequence[Client], requests: Sequence[bytes]) -> float:
    """Seconds of CPU time for one of the ``requests``, of which all ``clients`` ask one each at once."""
    began = time.process_time()
    for first in range(0, len(requests), len(clients)):
        for answer in [client.ask(requests[first + index]) for index, client in enumerate(clients)]:
            await answer
    return (time.process_time() - began) / len(requests)


if __name__ == "__main__":
    main()
