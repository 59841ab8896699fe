"""A router with every metric turned on, after some of everything has happened."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.execution.raw_server import Exchange, ok, raw_server
from tests.server.running_router import RunningRouter, running_router, write_supergraph

SETTINGS = {
    "environment": "development",
    "telemetry": {"metrics": {"operations": True}, "trace_context": True},
    "demand_control": {"mode": "measure"},
    "entity_cache": {"enabled": True, "admit": "always", "default_ttl_s": 60},
    "rate_limits": {"rules": [{"name": "all", "limit": 100_000}], "shared": True},
    "nats": {"url": "nats://127.0.0.1:9"},  # where nobody is: each counts for itself
}
BROKEN = "{ warehouses }"
MUGS = "query Mugs { products { name } }"


async def talk(exchange: Exchange) -> None:
    if b"warehouses" in exchange.body:
        await exchange.write(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")
    else:
        await exchange.write(ok(b'{"data":{"products":[{"name":"Mug"}]}}'))


async def post(url: str, query: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.post(f"{url}/graphql", json={"query": query}, headers=headers)


async def families(url: str) -> dict[str, Metric]:
    """What /metrics prints, by name."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        text = (await client.get(f"{url}/metrics")).text
    return {family.name: family for family in text_string_to_metric_families(text)}


def samples(family: Metric) -> dict[tuple[tuple[str, str], ...], float]:
    """The values of a counter or gauge by its labels; of a histogram the counts."""
    of_interest = {family.name, f"{family.name}_total", f"{family.name}_count"}
    return {tuple(sorted(s.labels.items())): s.value for s in family.samples if s.name in of_interest}


@asynccontextmanager
async def busy_router(folder: Path) -> AsyncIterator[RunningRouter]:
    """A router that has answered, failed, retried, subscribed nothing, and reloaded."""
    config = folder / "router.yaml"
    config.write_text(json.dumps(SETTINGS))
    async with raw_server(talk) as server:
        with running_router(folder, "--config", str(config), catalog=server.url, stock=server.url) as router:
            for _ in range(2):
                await post(router.url, MUGS, **{"apollographql-client-name": "shop-web"})
            await post(router.url, BROKEN)
            await post(router.url, "{ nothing }", **{"apollographql-client-name": "stranger"})
            write_supergraph(folder, catalog=server.url, stock=f"{server.url}?again")
            router.process.send_signal(signal.SIGHUP)
            while not any(samples((await families(router.url))["galleria_supergraph_reloads"]).values()):
                continue
            # The way to the subgraphs is a new one: it has learned nothing yet.
            await post(router.url, MUGS)
            await post(router.url, BROKEN)
            yield router
