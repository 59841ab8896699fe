"""``python -m tests.faults`` is what ``make faults`` runs: the long ordeal. Exit code 1 where it found something."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom

import click

from subgraphs.chassis.observation.logs import configure_logs
from tests.faults.ordeal import SETTINGS, undergo
from tests.mall import running_mall


@click.command()
@click.option("--kills", type=click.IntRange(min=1), default=200, show_default=True, help="How many SIGKILLs.")
@click.option("--shoppers", type=click.IntRange(min=1), default=24, show_default=True, help="How many order at a time.")
@click.option("--seed", type=int, help="Repeats the schedule of an earlier run (default: a new one).")
def main(kills: int, shoppers: int, seed: int | None) -> None:
    """Kill and pause the processes of a mall at random under a load of orders; then audit its five databases."""
    seed = SystemRandom().randrange(1_000_000) if seed is None else seed
    configure_logs("text", "faults", "warning")
    directory = Path(tempfile.mkdtemp(prefix="galleria-faults-"))
    click.echo(f"seed {seed}; the mall's data and log are in {directory}")
    started_at = time.monotonic()

    def tell(text: str) -> None:
        click.echo(f"{time.monotonic() - started_at:6.0f} s  {text}")

    with running_mall(directory, **SETTINGS) as mall:
        report = undergo(mall, seed, kills, shoppers, tell)
    click.echo(report.text())
    if report.findings:
        sys.exit(1)
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
