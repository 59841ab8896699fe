"""``python -m bench.orders``: our own order query over the five real services, through the router and by hand.

By hand means what a client without a router would do: it asks orders, and then payments, shipping and inventory at
once, for what the first answer names; it merges nothing. All ask the same services for the same, in turns, so that
the difference is what the router takes, and what it takes from the services that share its cores. The queries are
equal, so that a router that shares (its default) asks less often than there are queries.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import click
import httpx
import psutil

from bench.contestants import Contestant, Running, running
from bench.errors import BenchError
from bench.services.load import exchange
from bench.services.running import ROOT, RunningService, running_engines, running_service
from bench.services.workloads import STAFF
from stack.environment import SERVICES

RESULT = Path(__file__).parent / "results" / "orders.md"
QUERY = ROOT / "tests" / "contract" / "operations" / "orders.graphql"
ORDERS = "{orders(first:10){edges{node{id number status total{amount currencyCode} lines{quantity product{id}}}}}}"
OF_ENTITIES = "query($r:[_Any!]!){_entities(representations:$r){%s}}"
PAYMENT = OF_ENTITIES % "... on Order{payment{status}}"
SHIPMENT = OF_ENTITIES % "... on Order{shipment{status trackingNumber}}"
STOCK = OF_ENTITIES % "... on Product{name stock{available status}}"
CORES = "0,1"
THROUGH, SHARING, BY_HAND = "through the router", "the same, sharing what is in flight", "by hand"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Ask = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Round:
    """Queries answered each second, latencies in milliseconds, CPU milliseconds of router and services a query."""

    per_s: float
    p50_ms: float
    p99_ms: float
    router_cpu_ms: float
    services_cpu_ms: float


@click.command()
@click.option("--rounds", default=3, help="How often each way is timed.")
@click.option("--seconds", default=6.0, help="How long each time.")
@click.option("--connections", default=8, help="How many queries are under way at once.")
def main(rounds: int, seconds: float, connections: int) -> None:
    """Measure for a minute and a half, and write bench/results/orders.md; exit code 1 where the goal is missed."""
    try:
        with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
            found = _measure(Path(directory), stack, rounds, seconds, connections)
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    rate = {name: median(one.per_s for one in many) for name, many in found.items()}
    missed = rate[THROUGH] < rate[BY_HAND]
    report = _render(found, f"{connections} queries at once, {rounds} rounds of {seconds:g} s", missed=missed)
    RESULT.write_text(report)
    click.echo(report)
    sys.exit(missed)


def _measure(
    directory: Path, stack: ExitStack, rounds: int, seconds: float, connections: int
) -> dict[str, list[Round]]:
    engines = stack.enter_context(running_engines(directory))
    services = {name: stack.enter_context(running_service(name, engines)) for name in SERVICES}
    alone, sharing = (
        stack.enter_context(running(_router(directory, services, share=share), CORES, {})) for share in (False, True)
    )
    token = services["orders"].token(STAFF)
    ways = {
        THROUGH: lambda: _through(alone, token),
        SHARING: lambda: _through(sharing, token),
        BY_HAND: lambda: _by_hand(services, token),
    }
    routers = [alone.pid, sharing.pid]
    found: dict[str, list[Round]] = {name: [] for name in ways}
    for index in range(rounds + 1):
        for name in ways if index % 2 else reversed(ways):
            before = _cpu_s(routers), sum(one.cpu_s() for one in services.values())
            latencies, took = asyncio.run(_load(ways[name], connections, seconds if index else seconds / 3))
            after = _cpu_s(routers), sum(one.cpu_s() for one in services.values())
            count, cuts = len(latencies), quantiles(latencies, n=100)
            each = [1000 * (late - early) / count for early, late in zip(before, after, strict=True)]
            if index:  # The first round warms up.
                found[name].append(Round(count / took, 1000 * cuts[49], 1000 * cuts[98], *each))
    return found


def _router(directory: Path, services: Mapping[str, RunningService], *, share: bool) -> Contestant:
    galleria = str(Path(sys.prefix) / "bin" / "galleria")
    supergraph, config = directory / "supergraph.graphql", directory / f"router-{share}.yaml"
    compose = [galleria, "compose", str(ROOT / "supergraph.yaml"), "--output", str(supergraph)]
    subprocess.run(compose, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ours
    addresses = {name: [f"http://127.0.0.1:{one.port}/graphql"] for name, one in services.items()}
    traffic = {"addresses": addresses, "share": share}
    config.write_text(json.dumps({"headers": {"propagate": ["authorization"]}, "traffic": traffic}))
    serve = ("serve", "--supergraph", str(supergraph), "--config", str(config), "--port", "{port}")
    return Contestant(f"galleria-orders-{share}", (galleria, *serve), "/graphql")


async def _load(way: Callable[[], Awaitable[Ask]], connections: int, seconds: float) -> tuple[list[float], float]:
    began = time.perf_counter()
    many = await asyncio.gather(*(_ask_until(way, began + seconds) for _ in range(connections)))
    return [latency for each in many for latency in each], time.perf_counter() - began


async def _ask_until(way: Callable[[], Awaitable[Ask]], deadline: float) -> list[float]:
    ask, latencies = await way(), []
    while (began := time.perf_counter()) < deadline:
        await ask()
        latencies.append(time.perf_counter() - began)
    return latencies


async def _through(router: Running, token: str) -> Ask:
    streams, body = await _open(httpx.URL(router.url).port or 80), _body(QUERY.read_text())

    async def ask() -> None:
        await exchange(streams, token, body)

    return ask


async def _by_hand(services: Mapping[str, RunningService], token: str) -> Ask:
    to = {name: await _open(services[name].port) for name in ("orders", "payments", "shipping", "inventory")}
    first = _body(ORDERS)

    async def ask() -> None:
        page = json.loads(await exchange(to["orders"], token, first))
        orders = [edge["node"] for edge in page["data"]["orders"]["edges"]]
        products = {line["product"]["id"] for order in orders for line in order["lines"]}
        of_orders = [{"__typename": "Order", "id": order["id"]} for order in orders]
        of_products = [{"__typename": "Product", "id": id_} for id_ in products]
        answers = await asyncio.gather(
            exchange(to["payments"], token, _body(PAYMENT, of_orders)),
            exchange(to["shipping"], token, _body(SHIPMENT, of_orders)),
            exchange(to["inventory"], token, _body(STOCK, of_products)),
        )
        for answer in answers:
            json.loads(answer)

    return ask


async def _open(port: int) -> Streams:
    return await asyncio.open_connection("127.0.0.1", port)


def _body(query: str, representations: list[dict[str, str]] | None = None) -> bytes:
    variables = {} if representations is None else {"variables": {"r": representations}}
    return json.dumps({"query": query, **variables}).encode()


def _cpu_s(pids: Iterable[int]) -> float:
    return sum(times.user + times.system for times in (psutil.Process(pid).cpu_times() for pid in pids))


def _render(found: Mapping[str, list[Round]], conditions: str, *, missed: bool) -> str:
    header = "| way | queries/s | p50 ms | p99 ms | router CPU ms/query | services' CPU ms/query |"
    lines = [
        "# The order query over the five services",
        "",
        f"{conditions}, medians. Router, services, their database and the load share two cores: what the router takes "
        "is missing to the services.",
        "",
        f"**The goal, as many queries/s through the router as by hand, is {'missed' if missed else 'reached'}.**",
        "",
        header,
        "|---|---|---|---|---|---|",
    ]
    for name, rounds in found.items():
        figures = [median(values) for values in zip(*map(_figures, rounds), strict=True)]
        per_s, p50, p99, router, services = figures
        router_ms = "-" if name == BY_HAND else f"{router:.2f}"
        lines.append(f"| {name} | {per_s:.0f} | {p50:.1f} | {p99:.1f} | {router_ms} | {services:.1f} |")
    return "\n".join([*lines, ""])


def _figures(one: Round) -> tuple[float, ...]:
    return one.per_s, one.p50_ms, one.p99_ms, one.router_cpu_ms, one.services_cpu_ms


if __name__ == "__main__":
    main()
