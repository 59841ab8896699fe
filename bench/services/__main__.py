"""``python -m bench.services``: each service's hottest query and mutation, and where its time goes."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click
import httpx

from bench.errors import BenchError
from bench.services.load import Sample, Target, load
from bench.services.report import Result, own_in_top, render
from bench.services.running import Engines, RunningService, running_engines, running_service
from bench.services.workloads import Workload, workloads
from subgraphs.chassis.events import nats_bus
from subgraphs.chassis.events.event import Event
from subgraphs.demo import demo_shop

RESULTS = Path(__file__).parent.parent / "results"
LEARNER = "recommendations"
LEARN_WITHIN_S = 120.0


@click.command()
@click.argument("services", nargs=-1)
@click.option("--seconds", default=8.0, help="How long each operation is timed; a quarter of it before, to warm up.")
@click.option("--connections", default=16, help="How many requests are open at once.")
@click.option("--orders", default=200, help="How many orders recommendations learns.")
def main(services: tuple[str, ...], seconds: float, connections: int, orders: int) -> None:
    """Measure SERVICES (all, by default), one after the other, and write bench/results/services.md."""
    chosen = [workload for workload in workloads() if not services or workload.service in services]
    try:
        report, own = _measure_all(chosen, seconds, connections, orders)
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "services.md").write_text(report)
    click.echo(report)
    if own:
        click.echo(f"own code is among the most expensive functions: {'; '.join(own)}", err=True)
        sys.exit(1)


def _measure_all(chosen: Sequence[Workload], seconds: float, connections: int, orders: int) -> tuple[str, list[str]]:
    busy, results, events = os.getloadavg()[0], [], {}
    with tempfile.TemporaryDirectory() as directory, running_engines(Path(directory)) as engines:
        for workload in chosen:
            result = _measure(workload, engines, seconds, connections)
            results.append(result)
            click.echo(f"{result.service}, {result.operation}: {result.sample.requests_per_s:.0f}/s", err=True)
        if any(workload.service == LEARNER for workload in chosen):
            with running_service(LEARNER, engines) as service:
                events[LEARNER] = asyncio.run(_learn(service, engines, orders))
    conditions = (
        f"{connections} requests at once for {seconds:g} s. The service, the embedded database (which syncs each write"
        " to the disk), NATS and the load share the cores, whose load average was"
        f" {busy:.1f} before and {os.getloadavg()[0]:.1f} at the end. CPU ms is what the service itself takes for one"
        " request, all its threads together; the shares are of that, profiled in a run of its own. What Python makes of"
        " dataclasses and named tuples is in no file, and counted as other."
    )
    return render(results, events, conditions), own_in_top(results)


def _measure(workload: Workload, engines: Engines, seconds: float, connections: int) -> Result:
    with running_service(workload.service, engines) as service:
        _ask(workload, service, connections, seconds / 4)
        before_s = service.cpu_s()
        sample = _ask(workload, service, connections, seconds)
        cpu_ms = (service.cpu_s() - before_s) / sample.requests * 1000
    profile = engines.directory / "profile.json"
    with running_service(workload.service, engines, profile) as service:
        _ask(workload, service, connections, seconds / 4)
        service.process.send_signal(signal.SIGUSR1)
        _ask(workload, service, connections, seconds)
    return Result(workload.service, workload.name, sample, cpu_ms, json.loads(profile.read_text()))


def _ask(workload: Workload, service: RunningService, connections: int, seconds: float) -> Sample:
    target = Target(service.port, service.token(workload.role) if workload.role else None)
    return asyncio.run(load(target, workload.bodies(), connections, seconds))


async def _learn(service: RunningService, engines: Engines, count: int) -> float:
    """Publish ``count`` orders, and return how many are learned each second from then on."""
    bus = await nats_bus.connect(engines.nats, "bench")
    before = _consumed(service)
    for event in _orders(count):
        await bus.publish(event)
    await bus.close()
    began, start = time.monotonic(), _consumed(service)
    while (done := _consumed(service)) < before + count:
        if time.monotonic() > began + LEARN_WITHIN_S:
            raise BenchError(f"{service.name} learned {done - before:.0f} of {count} orders in {LEARN_WITHIN_S:.0f} s")
        await asyncio.sleep(0.05)
    return (done - start) / (time.monotonic() - began)


def _orders(count: int) -> list[Event]:
    now = datetime.now(UTC)
    shop = demo_shop(now)
    baskets = itertools.cycle([order.lines for order in shop.orders if order.confirmed_at])
    events = []
    for number, lines in zip(range(count), baskets, strict=False):
        order_id = f"ord_{uuid4().hex}"
        data = {
            "orderId": order_id,
            "customerId": f"cus_bench_{number % 50}",
            "lines": [{"productId": line.product_id} for line in lines],
            "confirmedAt": now.isoformat(),
        }
        events.append(Event(str(uuid4()), "/orders", "order.confirmed", order_id, now, data))
    return events


def _consumed(service: RunningService) -> float:
    text = httpx.get(f"http://127.0.0.1:{service.port}/metrics", trust_env=False).text
    lines = [line for line in text.splitlines() if "order.confirmed" in line and '"consumed"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines if "_created" not in line)


if __name__ == "__main__":
    main()
