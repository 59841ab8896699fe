"""``python -m bench.overload.at_once``: clients that come again at once after a refusal, in a closed loop.

First a burst of more connections than there is room for, which makes the router overloaded; then fewer, none of which
pauses after a refusal as ``retry-after`` asks. What is answered is to be near what the same connections get when
nothing is refused: the first line.
"""

from __future__ import annotations

import sys

import click

from bench import load as closed_loop
from bench.contestants import Running, known_contestants, running, verify
from bench.errors import BenchError
from bench.load import Load
from bench.operations import Operation, read_operation
from bench.stub_subgraphs import running_stub

ROUTER_CPU, LOAD_CPU = 0, 1
CONNECTIONS = (50, 600, 50, 200, 50)


@click.command()
@click.option("--seconds", default=5, help="How long each number of connections asks.")
@click.option("--operation", "name", default="a", help="Which operation.")
def main(seconds: int, name: str) -> None:
    """A line for each number of connections, one after another."""
    try:
        closed_loop.require_wrk()
        operation = read_operation(name)
        with running_stub(LOAD_CPU), running(known_contestants()["galleria"], ROUTER_CPU, {}) as router:
            verify(router, operation)
            for connections in CONNECTIONS:
                click.echo(_told(router, operation, Load(connections, seconds, LOAD_CPU)))
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)


def _told(router: Running, operation: Operation, load: Load) -> str:
    answered_per_s, refused_per_s = closed_loop.answered_and_refused(router, operation, load)
    return f"{load.connections:4d} connections: {answered_per_s:6.0f} answered/s, {refused_per_s:6.0f} refused/s"


if __name__ == "__main__":
    main()
