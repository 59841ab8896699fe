"""Observation beside all else that is around an operation: plugins, costs, parts, several workers, WebSockets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

import router
from router.server.config import RouterConfig
from router.server.config.telemetry import MetricsSettings, TelemetrySettings, TracingSettings
from tests.chassis.collector import Collector, running_collector
from tests.execution.raw_server import raw_server
from tests.mall import await_condition
from tests.server.deferred.test_defer import router_over as router_in_parts
from tests.server.deferred.test_defer import scripted
from tests.server.library.hosted import SETTINGS
from tests.server.observation.everything_on import families, samples
from tests.server.observation.traced import SAMPLED, TRACE, ask, products, spans_of, write_config
from tests.server.plugins import trying
from tests.server.running_router import running_router
from tests.server.shop import SUPERGRAPH, client_of


def settings(collector: Collector) -> TelemetrySettings:
    tracing = TracingSettings(endpoint=collector.endpoint)
    return TelemetrySettings(tracing=tracing, metrics=MetricsSettings(operations=True))


async def spans_at(collector: Collector, count: int) -> set[str]:
    return set(await asyncio.to_thread(spans_of, collector, TRACE, count))


@pytest.mark.asyncio
async def test_plugins_costs_and_spans_go_together() -> None:
    trying.noted.clear()
    with running_collector() as collector:
        given: dict[str, Any] = {
            **SETTINGS,
            "environment": "development",
            "plugins": [{"use": "tests.server.plugins.trying:Noting"}],
            "demand_control": {"mode": "measure"},
            "telemetry": settings(collector).model_dump(),
        }
        graph = router.Router(SUPERGRAPH, given)
        headers = {"traceparent": SAMPLED, "x-galleria-fetches": "1"}
        async with graph.lifespan(), client_of(graph) as client:
            body = (await client.post("/graphql", json={"query": "{ warehouses }"}, headers=headers)).json()
            metrics = (await client.get("/metrics")).text
            names = await spans_at(collector, 7)
    assert body["data"] == {"warehouses": ["north", "south"]}
    assert [fetch["subgraph"] for fetch in body["extensions"]["galleria"]["fetches"]] == ["stock"]
    assert trying.noted[1:5] == ["operation { warehouses }", "plan 1", "to stock", "from stock 200"]
    assert {"POST /graphql", "graphql.plan", "graphql.execute", "fetch stock", "graphql.project"} <= names
    assert 'galleria_operations_total{client="unknown",operation="anonymous"} 1.0' in metrics
    assert 'galleria_operation_cost_estimated_count{result="within"} 1.0' in metrics


@pytest.mark.asyncio
async def test_fetches_of_an_answer_in_parts_are_spans_of_the_request() -> None:
    with running_collector() as collector:
        app = router_in_parts(scripted(), RouterConfig(telemetry=settings(collector)))
        headers = {"traceparent": SAMPLED, "accept": "multipart/mixed, application/json"}
        query = '{ product { name ... @defer(label: "cost") { price } } }'
        async with app.lifespan(), client_of(app) as client:
            text = (await client.post("/graphql", json={"query": query}, headers=headers)).text
            names = await spans_at(collector, 6)
    assert '"price":5' in text
    assert {"POST /graphql", "fetch catalog", "fetch prices"} <= names


@pytest.mark.asyncio
async def test_each_of_several_workers_sends_its_spans(tmp_path: Path) -> None:
    with running_collector() as collector:
        async with raw_server(products) as server:
            config = write_config(tmp_path, collector.endpoint)
            with running_router(tmp_path, "--workers", "2", "--config", config, catalog=server.url) as served:
                await asyncio.to_thread(_ask_until_both_have_told, served.url, collector)
        requests = [span for _, span in collector.spans if span.name == "POST /graphql"]
    assert len({span.span_id for span in requests}) == len(requests)


def _ask_until_both_have_told(url: str, collector: Collector) -> None:
    """Each request is a connection of its own, which the kernel gives to one of the two; each plans for itself."""

    def both() -> bool:
        ask(url)
        return len([1 for _, span in list(collector.spans) if span.name == "graphql.plan"]) == 2

    await_condition(both, 30, "the spans of both workers")


@pytest.mark.asyncio
async def test_operations_over_a_websocket_are_counted_with_the_client_of_the_connection(tmp_path: Path) -> None:
    config = tmp_path / "router.yaml"
    config.write_text("telemetry: {metrics: {operations: true}}\n")
    async with raw_server(products) as server:
        with running_router(tmp_path, "--config", str(config), catalog=server.url) as served:
            await asyncio.to_thread(_ask_twice_over_a_websocket, served.url)
            read = await families(served.url)
    counts = samples(read["galleria_operations"])
    assert counts == {(("client", "shop-app"), ("operation", "Mugs")): 2.0}
    assert samples(read["galleria_operation_duration_seconds"]) == {(("operation", "Mugs"),): 2.0}


def _ask_twice_over_a_websocket(url: str) -> None:
    address = f"{url.replace('http', 'ws', 1)}/graphql"
    headers = {"apollographql-client-name": "shop-app"}
    protocol = Subprotocol("graphql-transport-ws")
    with connect(address, subprotocols=[protocol], additional_headers=headers, proxy=None) as socket:
        socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(socket.recv()) == {"type": "connection_ack"}
        for number in ("1", "2"):
            payload = {"query": "query Mugs { products { name } }"}
            socket.send(json.dumps({"id": number, "type": "subscribe", "payload": payload}))
            assert json.loads(socket.recv())["type"] == "next"
            assert json.loads(socket.recv()) == {"id": number, "type": "complete"}
