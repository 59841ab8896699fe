"""``python -m bench.check BASE``: whether a request costs more CPU time than it did in another version of the router.

Both versions run side by side, and each round times one right after the other. The median of the rounds' ratios
counts: what else the machine does slows both of a round alike, and a round that was hit by chance does not decide.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import click

from bench.contestants import SUPERGRAPH, Contestant, Running, running, verify
from bench.errors import BenchError
from bench.load import Load, measure, require_wrk
from bench.operations import NAMES, Operation, read_operation
from bench.stub_subgraphs import running_stub

ROOT = Path(__file__).parent.parent
ROUTER_CPU, LOAD_CPU = 0, 1
CONNECTIONS, SECONDS = 50, 3
MODULE = "import sys; from router.commands.main import main; sys.exit(main())"


@click.command()
@click.argument("base", default="main")
@click.option("--rounds", default=5, help="How often each version is timed.")
@click.option("--allowed", default=1.10, help="The ratio up to which the new version may cost more.")
def main(base: str, rounds: int, allowed: float) -> None:
    """Fail (exit code 1) where a request costs more CPU time than in the version BASE of this repository."""
    try:
        ratios = _compare(base, rounds)
    except BenchError as error:
        click.echo(f"cannot compare: {error}", err=True)
        sys.exit(2)
    for name, ratio in ratios.items():
        click.echo(f"{name}: {ratio:.2f} x the CPU time of {base}{'' if ratio <= allowed else '  <- too much'}")
    sys.exit(any(ratio > allowed for ratio in ratios.values()))


def _compare(base: str, rounds: int) -> dict[str, float]:
    require_wrk()
    with ExitStack() as stack:
        stub = stack.enter_context(running_stub(LOAD_CPU))
        old_root = stack.enter_context(checkout(base))
        old, new = (
            stack.enter_context(running(_version(name, root), ROUTER_CPU, {"PYTHONPATH": str(root)}))
            for name, root in (("base", old_root), ("here", ROOT))
        )
        return {name: _ratio(old, new, read_operation(name), rounds, stub) for name in NAMES}


@contextmanager
def checkout(base: str) -> Iterator[Path]:
    """The files of the version ``base``, for as long as the block runs."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", base], cwd=ROOT, capture_output=True, check=False)  # noqa: S603, S607
        if archive.returncode:
            raise BenchError(f"there is no version {base!r}: {archive.stderr.decode().strip()}")
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)  # noqa: S603, S607
        yield Path(folder)


def _version(name: str, root: Path) -> Contestant:
    serve = ("serve", "--supergraph", str(SUPERGRAPH), "--port", "{port}")
    return Contestant(name, (sys.executable, "-c", MODULE, *serve), "/graphql", root)


def _ratio(old: Running, new: Running, operation: Operation, rounds: int, stub: Running) -> float:
    load = Load(CONNECTIONS, SECONDS, LOAD_CPU)
    ratios: list[float] = []
    for version in (old, new):
        verify(version, operation)
        measure(version, operation, Load(CONNECTIONS, 1, LOAD_CPU), stub)
    for index in range(rounds):
        pair = (old, new) if index % 2 == 0 else (new, old)
        costs = {version.name: measure(version, operation, load, stub).cpu_us_per_request for version in pair}
        ratios.append(costs[new.name] / costs[old.name])
    return median(ratios)


if __name__ == "__main__":
    main()
