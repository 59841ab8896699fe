"""``python -m bench.orders``: our own order query over the five real services, through the router and by hand.

By hand means what a client without a router would do: it asks orders, and then payments, shipping and inventory at
once, for what the first answer names; it merges nothing. All ask the same services for the same, in turns, so that
the difference is what the router takes, and what it takes from the services that share its cores. The queries are
equal, so that a router that shares (its default) asks less often than there are queries.

Two routers more have everything on that one before the public has, and all of it off: see :mod:`bench.features`, which
asks them for what no service takes any time for.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import click
import httpx
import psutil

from bench.collector import running_collector
from bench.contestants import Contestant, Running, running
from bench.errors import BenchError
from bench.feature_settings import OFF, ON, read_settings
from bench.features import TO_NOWHERE
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
ALL_OFF, ALL_ON = "through one with everything off", "through one with everything on"
ALLOWED = 0.75

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
    """Measure for two and a half minutes, and write bench/results/orders.md; exit code 1 where a goal is missed."""
    try:
        with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
            found = _measure(Path(directory), stack, rounds, seconds, connections)
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    rate = {name: median(one.per_s for one in many) for name, many in found.items()}
    kept = median(on.per_s / off.per_s for on, off in zip(found[ALL_ON], found[ALL_OFF], strict=True))
    goals = {
        "as many queries/s through the router as by hand": rate[THROUGH] >= rate[BY_HAND],
        f"everything on keeps {ALLOWED:.0%} of the queries/s of everything off ({kept:.0%})": kept >= ALLOWED,
    }
    report = _render(found, f"{connections} queries at once, {rounds} rounds of {seconds:g} s", goals)
    RESULT.write_text(report)
    click.echo(report)
    sys.exit(not all(goals.values()))


def _measure(
    directory: Path, stack: ExitStack, rounds: int, seconds: float, connections: int
) -> dict[str, list[Round]]:
    engines = stack.enter_context(running_engines(directory))
    key = f"bench:{secrets.token_hex(32)}"
    services = {name: stack.enter_context(running_service(name, engines, router_keys=key)) for name in SERVICES}
    environment = {
        "BENCH_COLLECTOR": stack.enter_context(running_collector(CORES)),
        "BENCH_JWKS": str(directory / "keys" / "jwks.json"),
        "BENCH_SIGNING_KEY": key,
    }
    routers = {
        name: stack.enter_context(running(contestant, CORES, environment))
        for name, contestant in _routers(directory, services).items()
    }
    token = services["orders"].token(STAFF)
    ways = {name: partial(_through, router, token) for name, router in routers.items()}
    ways[BY_HAND] = partial(_by_hand, services, token)
    pids = [router.pid for router in routers.values()]
    found: dict[str, list[Round]] = {name: [] for name in ways}
    for index in range(rounds + 1):
        for name in ways if index % 2 else reversed(ways):
            before = _cpu_s(pids), sum(one.cpu_s() for one in services.values())
            latencies, took = asyncio.run(_load(ways[name], connections, seconds if index else seconds / 3))
            after = _cpu_s(pids), sum(one.cpu_s() for one in services.values())
            count, cuts = len(latencies), quantiles(latencies, n=100)
            each = [1000 * (late - early) / count for early, late in zip(before, after, strict=True)]
            if index:  # The first round warms up.
                found[name].append(Round(count / took, 1000 * cuts[49], 1000 * cuts[98], *each))
    return found


def _routers(directory: Path, services: Mapping[str, RunningService]) -> dict[str, Contestant]:
    """Routers before the services, by what they have on."""
    galleria = str(Path(sys.prefix) / "bin" / "galleria")
    supergraph = directory / "supergraph.graphql"
    compose = [galleria, "compose", str(ROOT / "supergraph.yaml"), "--output", str(supergraph)]
    subprocess.run(compose, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ours
    addresses = {name: [f"http://127.0.0.1:{one.port}/graphql"] for name, one in services.items()}
    routers = {}
    for index, (name, settings) in enumerate(_settings().items()):
        config = directory / f"router-{index}.yaml"
        config.write_text(json.dumps({**settings, "traffic": {**settings["traffic"], "addresses": addresses}}))
        serve = ("serve", "--supergraph", str(supergraph), "--config", str(config), "--port", "{port}")
        routers[name] = Contestant(f"galleria-orders-{index}", (*TO_NOWHERE, galleria, *serve), "/graphql")
    return routers


def _settings() -> dict[str, dict[str, Any]]:
    """The settings of each router; all hand the token on, by which the services know who asks."""
    token = {"headers": {"propagate": ["authorization"]}}
    off, on = read_settings(OFF), read_settings(ON)
    [issuer] = on["authentication"]["issuers"]
    ours = {**on["authentication"], "issuers": [{**issuer, "issuer": "galleria", "audiences": ["galleria"]}]}
    return {
        THROUGH: {**token, "traffic": {"share": False}},
        SHARING: {**token, "traffic": {"share": True}},
        ALL_OFF: {**off, **token},
        ALL_ON: {**off, **on, "authentication": ours},
    }


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


def _render(found: Mapping[str, list[Round]], conditions: str, goals: Mapping[str, bool]) -> str:
    header = "| way | queries/s | p50 ms | p99 ms | router CPU ms/query | services' CPU ms/query |"
    lines = [
        "# The order query over the five services",
        "",
        f"{conditions}, medians. Router, services, their database and the load share two cores: what the router takes "
        "is missing to the services.",
        "",
        *(f"- {'Reached' if reached else '**Missed**'}: {goal}." for goal, reached in goals.items()),
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
