"""``python -m bench.composition``: our composer and the reference composer, one after the other on one core."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click

from bench.composition.schemas import SETS, count_elements
from bench.contestants import Contestant, install
from bench.errors import BenchError
from bench.services.machine import describe_machine

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
ROOT = HERE.parents[1]
CPU = 0
TIMEOUT_S = 300
COMPOSERS = (
    Contestant("galleria", (sys.executable, "-m", "bench.composition.galleria"), "", ROOT),
    Contestant("apollo", ("node", "compose.mjs"), "", HERE.parent / "peers" / "composition", needs_node=True),
)
HEADER = "| set | subgraphs | types and fields | composer | first ms | median ms | ours is | peak memory MB |"


@click.command()
@click.option("--rounds", default=5, help="How often each set is composed in one process.")
def main(rounds: int) -> None:
    """Compare the composers on generated sets of subgraphs and write bench/results/composition.md."""
    chosen = [composer for composer in COMPOSERS if install(composer)]
    rows: list[str] = []
    try:
        with tempfile.TemporaryDirectory() as directory:
            for name, generate in SETS.items():
                file = Path(directory) / f"{name}.json"
                file.write_text(generate())
                timings = {composer.name: _time(composer, file, rounds) for composer in chosen}
                rows.extend(_rows(name, file.read_text(), timings))
    except BenchError as error:
        click.echo(f"cannot compare: {error}", err=True)
        sys.exit(2)
    conditions = f"`make bench-composition`: {rounds} rounds in one process a set, from SDL to supergraph, on one core."
    machine = describe_machine(("graphql-core",))
    report = "\n".join(["# Composers side by side", "", conditions, machine, "", HEADER, "|---" * 8 + "|", *rows, ""])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "composition.md").write_text(report)
    click.echo(report)


@dataclass(frozen=True, slots=True)
class Timing:
    """The milliseconds of each round, and the peak memory of the composer's own process."""

    ms: tuple[float, ...]
    peak_mb: float


def _time(composer: Contestant, file: Path, rounds: int) -> Timing:
    command = ["taskset", "-c", str(CPU), *composer.command, str(file), str(rounds)]
    try:
        done = subprocess.run(  # noqa: S603 - ours
            command, cwd=composer.folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"{composer.name} did not compose {file.stem} within {TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise BenchError(f"{composer.name} does not compose {file.stem}: {done.stderr.strip()[-300:]}")
    sample = json.loads(done.stdout)
    return Timing(tuple(sample["ms"]), sample["peak_mb"])


def _rows(name: str, text: str, timings: Mapping[str, Timing]) -> list[str]:
    size = f"{len(json.loads(text)['subgraphs'])} | {count_elements(text)}"
    ours = median(timings["galleria"].ms)
    rows = []
    for composer, timing in timings.items():
        ratio = "" if composer == "galleria" else f"{median(timing.ms) / ours:.1f} x"
        times = f"{timing.ms[0]:.0f} | {median(timing.ms):.0f}"
        rows.append(f"| {name} | {size} | {composer} | {times} | {ratio} | {timing.peak_mb:.0f} |")
    return rows


if __name__ == "__main__":
    main()
