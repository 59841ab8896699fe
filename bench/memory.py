"""``python -m bench.memory``: what the router weighs with many operations cached, and whether it grows under load.

Two routers in turn. The first caches 10,000 operations of five fields and four objects, no two of which share anything
that is compiled: all their fields have names of their own. The second has the default settings and is loaded for some
minutes by two loads at once: operation ``c2``, with another argument in each request, and operations that nobody sent
before, far more than it caches.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
import httpx
import psutil

from bench.contestants import HERE, Running, known_contestants, running
from bench.errors import BenchError
from bench.load import Load, require_wrk, wrk_command
from bench.operations import read_operation
from bench.stub_subgraphs import running_stub

RESULT = Path(__file__).parent / "results" / "memory.md"
ROUTER_CPU, LOAD_CPU = 0, 1
OPERATIONS, AT_ONCE = 10_000, 4
SAMPLES = 30
MOST_CACHED_MB, MOST_LOADED_MB, MOST_GROWN_MB = 300.0, 100.0, 5.0
# Every number in a text is another name, so that texts of different numbers share nothing.
DIFFERENT = (
    "query Q{n} {{ p{n}: topProducts {{ u{n}: upc n{n}: name r{n}: reviews {{ b{n}: body a{n}: author "
    "{{ n{n}: name w{n}: reviews {{ b{n}: body }} }} }} }} }}"
)


@click.command()
@click.option("--operations", default=OPERATIONS, help="How many different operations are cached.")
@click.option("--minutes", default=5.0, help="How long the load lasts.")
def main(operations: int, minutes: float) -> None:
    """Measure, and write bench/results/memory.md."""
    try:
        require_wrk()
        with running_stub(LOAD_CPU):
            lines = [*_cached(operations), *_loaded(minutes)]
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    report = "\n".join(["# Memory of one router process", "", *lines, ""])
    RESULT.write_text(report)
    click.echo(report)


def _cached(operations: int) -> Iterator[str]:
    with _router("memory.yaml") as router:
        empty = _resident_mb(router)
        asyncio.run(_send_all(router.url, operations))
        full = _resident_mb(router)
    each = 1000 * (full - empty) / operations
    yield (
        f"{operations} different operations of five fields and four objects cached: {full:.0f} MB resident, of "
        f"{empty:.0f} MB before the first: {each:.1f} kB each. "
        + _told(full < MOST_CACHED_MB, f"{MOST_CACHED_MB:.0f} MB")
    )


async def _send_all(url: str, operations: int) -> None:
    numbers = iter(range(operations))

    async def send_next(client: httpx.AsyncClient) -> None:
        for number in numbers:
            (await client.post(url, json={"query": DIFFERENT.format(n=number)})).raise_for_status()

    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        await asyncio.gather(*(send_next(client) for _ in range(AT_ONCE)))
        metrics = (await client.get(url.replace("/graphql", "/metrics"))).text
    cached = re.search(r"^galleria_operations_cached (\S+)$", metrics, re.MULTILINE)
    if cached is None or float(cached[1]) < operations:
        raise BenchError(f"the router has not cached {operations} operations")


def _loaded(minutes: float) -> Iterator[str]:
    with _router("alone.yaml") as router:
        c2, different = read_operation("c2"), DIFFERENT.replace("{n}", "1000000").replace("{{", "{").replace("}}", "}")
        new = replace(c2, body=f'{{"query": "{different}"}}', expected=None)
        seconds = int(minutes * 60)
        with _load(router, c2.body, Load(8, seconds, LOAD_CPU)), _load(router, new.body, Load(2, seconds, LOAD_CPU)):
            samples = list(_sample(router, seconds))
    first, last = samples[len(samples) // 5], samples[-1]
    is_flat = last < MOST_LOADED_MB and last - first < MOST_GROWN_MB
    yield ""
    yield (
        f"Under load for {minutes:g} minutes: {first:.0f} MB resident after a fifth of the time, {last:.0f} MB at the "
        f"end, {max(samples):.0f} MB at most. "
        + _told(is_flat, f"{MOST_LOADED_MB:.0f} MB at the end, and {MOST_GROWN_MB:.0f} MB more than after a fifth")
    )
    yield f"Every {seconds / SAMPLES:.0f} s: {', '.join(f'{one:.0f}' for one in samples)}."


def _told(reached: bool, goal: str) -> str:
    return f"**The goal, less than {goal}, is {'reached' if reached else 'missed'}.**"


def _sample(router: Running, seconds: int) -> Iterator[float]:
    for _ in range(SAMPLES):
        time.sleep(seconds / SAMPLES)
        yield _resident_mb(router)


@contextmanager
def _load(router: Running, body: str, load: Load) -> Iterator[None]:
    with wrk_command(router.url, body, load, unique=True) as (command, environment):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - ours
        try:
            yield
        finally:
            process.terminate()
            process.wait()


@contextmanager
def _router(settings: str) -> Iterator[Running]:
    galleria = known_contestants()["galleria"]
    command = (*galleria.command[:-1], str(HERE / "configs" / settings))
    with running(replace(galleria, name="galleria-memory", command=command), ROUTER_CPU, {}) as router:
        yield router


def _resident_mb(router: Running) -> float:
    return float(psutil.Process(router.pid).memory_info().rss / 1e6)


if __name__ == "__main__":
    main()
