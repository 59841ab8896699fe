"""``python -m bench.features``: a router with all on that one before the public has, beside one with all of it off.

Both get the same requests, each with a token, over the same stub, in turns; the median of the rounds' ratios counts.
With ``--each`` there is also a router for every section of the settings that has that section alone on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click

from bench.collector import running_collector
from bench.contestants import HERE, Contestant, Running, known_contestants, running, verify
from bench.errors import BenchError
from bench.feature_settings import EVERYTHING, OFF, ON, public, sections, write_settings
from bench.load import Load, Sample, measure, require_wrk
from bench.operations import Operation, read_operation
from bench.stub_subgraphs import running_stub

RESULT = HERE / "results" / "features.md"
ROUTER_CPU, LOAD_CPU = 0, 1
ALLOWED = 0.75
# The access log goes to stdout: written, and thrown away by the system.
TO_NOWHERE = ("sh", "-c", 'exec "$0" "$@" >/dev/null')
HEADER = (
    "| operation | requests/s, off | on | ratio | CPU us/request, off | on | ratio | at least {allowed:.2f} x |\n"
    "|---|---|---|---|---|---|---|---|"
)
EACH_HEADER = "| section | {names} |\n|---|{rules}"
ABOUT = """\
{command}: {connections} connections, {rounds} rounds of {seconds} s in turns; medians, and ratios are medians of those
of neighbours. The router is alone on one core, the load and the subgraphs are on the other. Every request has a token,
names of client and tenant, a language and an origin, to both routers alike, and no `accept-encoding`: answers are
looked at for compression, and none is compressed. The access log goes to /dev/null. Traces are sampled at 1% and sent
to a collector on this machine that forgets them. Nothing is shared in flight on either side; there is no TLS, NATS,
entity cache or plugin. Documents are sent in full.
"""

Pair = tuple[Sample, Sample]


@click.command()
@click.option("--operations", default="a,b,c", help="Which operations, separated by commas.")
@click.option("--rounds", default=5, help="How often each is timed.")
@click.option("--seconds", default=3, help="How long each time; a third of it before, to warm up.")
@click.option("--connections", default=50, help="How many connections ask at once.")
@click.option("--each", is_flag=True, help="Time every section alone too.")
def main(operations: str, rounds: int, seconds: int, connections: int, each: bool) -> None:
    """Measure, and write bench/results/features.md."""
    load = Load(connections, seconds, LOAD_CPU)
    try:
        require_wrk()
        with TemporaryDirectory() as folder, ExitStack() as stack:
            stand = _Stand(Path(folder), stack)
            chosen = [replace(read_operation(name), headers=stand.headers) for name in operations.split(",")]
            samples = {name: _compare(stand, name, chosen, rounds, load) for name in _compared(each)}
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    about = ABOUT.format(
        command="`python -m " + " ".join(["bench.features", *sys.argv[1:]]) + "`",
        connections=connections, rounds=rounds, seconds=seconds,
    )  # fmt: skip
    report = _render(about, samples)
    RESULT.write_text(report)
    click.echo(report)


def _compared(each: bool) -> list[str]:
    return [EVERYTHING, *(sections() if each else ())]


class _Stand:
    """The stub, the router with everything off, and what those with something on need: keys, and a collector.

    All of it ends with ``stack``.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        needed = public(folder, stack.enter_context(running_collector(LOAD_CPU)))
        self.headers = needed.headers
        self._folder = folder
        self._environment = needed.environment
        self.stub = stack.enter_context(running_stub(LOAD_CPU))
        self.off = stack.enter_context(self.router(""))

    @contextmanager
    def router(self, name: str) -> Iterator[Running]:
        """A router with ``name`` on, as write_settings says, until the block ends."""
        path = self._folder / f"{name or 'off'}.yaml"
        write_settings(path, name)
        galleria = known_contestants()["galleria"]
        command = (*TO_NOWHERE, *galleria.command[:-1], str(path))
        contestant = Contestant(f"galleria-{name or 'off'}", command, "/graphql")
        with running(contestant, ROUTER_CPU, self._environment) as router:
            yield router


def _compare(stand: _Stand, name: str, operations: list[Operation], rounds: int, load: Load) -> dict[str, list[Pair]]:
    """Rounds by operation: without, and with ``name`` on, which is one section or everything."""
    with stand.router(name) as router:
        return {one.name: _time(stand, router, one, rounds, load) for one in operations}


def _time(stand: _Stand, router: Running, operation: Operation, rounds: int, load: Load) -> list[Pair]:
    for one in (stand.off, router):
        verify(one, operation)
        measure(one, operation, replace(load, seconds=max(load.seconds // 3, 1)), stand.stub)
    pairs = []
    for index in range(rounds):
        order = (stand.off, router) if index % 2 == 0 else (router, stand.off)
        taken = {one.name: measure(one, operation, load, stand.stub) for one in order}
        if any(sample.errors for sample in taken.values()):
            raise BenchError(f"{operation.name} was answered by errors")
        pairs.append((taken[stand.off.name], taken[router.name]))
    return pairs


def _render(about: str, samples: dict[str, dict[str, list[Pair]]]) -> str:
    everything = samples.pop(EVERYTHING)
    lines = [
        "# All on beside all off",
        "",
        about,
        HEADER.format(allowed=ALLOWED),
        *(_row(*one) for one in everything.items()),
    ]
    if samples:
        names, rules = " | ".join(f"{name}: requests/s, CPU us" for name in everything), "---|" * len(everything)
        lines += ["", "One section alone on, beside all off:", "", EACH_HEADER.format(names=names, rules=rules)]
        lines += [f"| `{name}` | {' | '.join(map(_cell, of.values()))} |" for name, of in samples.items()]
    for title, path in (("On", ON), ("Off", OFF)):
        lines += ["", f"{title}:", "", "```yaml", path.read_text().rstrip(), "```"]
    return "\n".join([*lines, ""])


def _row(name: str, pairs: list[Pair]) -> str:
    rates = [median(pair[which].requests_per_s for pair in pairs) for which in (0, 1)]
    costs = [median(pair[which].cpu_us_per_request for pair in pairs) for which in (0, 1)]
    ratio, cost = _rate_ratio(pairs), median(on.cpu_us_per_request / off.cpu_us_per_request for off, on in pairs)
    verdict = "kept" if ratio >= ALLOWED else "not kept"
    figures = f"{rates[0]:.0f} | {rates[1]:.0f} | {ratio:.2f} x | {costs[0]:.0f} | {costs[1]:.0f} | {cost:.2f} x"
    return f"| {name} | {figures} | {verdict} |"


def _cell(pairs: list[Pair]) -> str:
    more = median(on.cpu_us_per_request - off.cpu_us_per_request for off, on in pairs)
    return f"{_rate_ratio(pairs):.2f} x, {more:+.0f}"


def _rate_ratio(pairs: list[Pair]) -> float:
    return median(on.requests_per_s / off.requests_per_s for off, on in pairs)


if __name__ == "__main__":
    main()
