"""/status tells what the router is doing, to who may inspect, and nobody's data."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from router.server.app import create_app
from router.server.config import RouterConfig, StatusSettings
from router.server.config.authorization import AuthorizationSettings
from router.server.config.subgraphs import SubgraphSettings
from router.server.config.telemetry import MetricsSettings, TelemetrySettings
from router.server.config.traffic import RetrySettings, TrafficSettings
from router.server.graphs.graph import open_graph
from router.server.metrics.worker_metrics import WorkerPeers
from router.server.status.page import render_page
from router.supergraph.read import read_supergraph
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.server.access.issuer import IssuerNow
from tests.server.access.test_authentication import bearer, settings
from tests.server.running_router import running_router, write_supergraph
from tests.server.shop import SUPERGRAPH, Shop, client_of, codes, router_over

COUNTED = TelemetrySettings(metrics=MetricsSettings(operations=True))
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def talk(exchange: Exchange) -> None:
    if b"warehouses" in exchange.body:
        await exchange.write(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")
    else:
        await exchange.write(ok(b'{"data":{"products":[{"name":"Mug"}]}}'))


@asynccontextmanager
async def over_http(config: RouterConfig) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a router whose subgraphs are at an address with credentials and a key."""
    async with raw_server(talk) as server:
        url = server.url.replace("http://", "http://user:hush-password@") + "?key=hush-key"
        sdl = re.sub(r"http://(catalog|stock)\.test/graphql", url, SUPERGRAPH)
        app = create_app(config, open_graph(read_supergraph(sdl), config))
        async with client_of(app) as client:
            yield client
        await app.service.served_graph().client.close()


async def read(client: httpx.AsyncClient) -> Any:
    response = await client.get("/status")
    assert response.status_code == 200
    return response.json()


@pytest.mark.asyncio
async def test_it_tells_of_subgraphs_replicas_rates_and_breakers() -> None:
    traffic = TrafficSettings(retries=RetrySettings(enabled=False))
    async with over_http(RouterConfig(environment="development", telemetry=COUNTED, traffic=traffic)) as client:
        await client.post("/graphql", json={"query": "query Mugs { products { name } }"})
        for _ in range(5):
            await client.post("/graphql", json={"query": "query Houses { warehouses }"})
        status = await read(client)
    catalog, stock = status["subgraphs"]
    assert (catalog["name"], catalog["failed"], catalog["limit"], catalog["inFlight"]) == ("catalog", {}, 50, 0)
    assert catalog["perSecond"] > 0
    assert catalog["p50Ms"] <= catalog["p95Ms"]
    [replica] = catalog["addresses"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\w*", replica.pop("address"))
    assert replica == {"circuit": "closed", "opensInS": 0.0, "inFlight": 0, "isDraining": False}
    assert (stock["name"], stock["failed"]) == ("stock", {"SUBGRAPH_REQUEST_FAILED": 5})
    assert (stock["addresses"][0]["circuit"], stock["addresses"][0]["opensInS"] > 0) == ("open", True)
    assert {one["name"]: one["executions"] for one in status["operations"]} == {"Mugs": 1, "Houses": 5}
    [mugs] = [one for one in status["operations"] if one["name"] == "Mugs"]
    assert mugs["plan"].startswith("#0 catalog\n")
    assert "products" in mugs["plan"]
    assert mugs["p50Ms"] <= mugs["p95Ms"] <= mugs["slowestMs"]
    assert status["router"]["worker"] is None
    assert status["router"]["memoryBytes"] > 1e6
    assert (status["operationCache"], status["reloads"]) == ({"cached": 2}, [])


@pytest.mark.asyncio
async def test_no_fetch_is_told_to_take_longer_than_the_timeout_of_its_subgraph() -> None:
    shop = Shop()
    shop.opened = asyncio.Event()
    config = RouterConfig(environment="development", subgraphs=SubgraphSettings(timeouts={"stock": 0.04}))
    async with client_of(router_over(shop, config)) as client:
        answer = await client.post("/graphql", json={"query": "{ warehouses }"})
        assert codes(answer) == ["SUBGRAPH_TIMEOUT"]
        [stock] = [one for one in (await read(client))["subgraphs"] if one["name"] == "stock"]
    assert stock["p95Ms"] == 40.0


@pytest.mark.asyncio
async def test_it_tells_of_the_ten_slowest_operations_the_slowest_first() -> None:
    async with over_http(RouterConfig(environment="development", telemetry=COUNTED)) as client:
        for number in range(12):
            await client.post("/graphql", json={"query": f"query Q{number} {{ products {{ name }} }}"})
        told = (await read(client))["operations"]
    times = [one["slowestMs"] for one in told]
    assert (len(told), times) == (10, sorted(times, reverse=True))


@pytest.mark.asyncio
async def test_a_browser_gets_a_page_that_runs_no_script(development: httpx.AsyncClient) -> None:
    response = await development.get("/status", headers=BROWSER)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
    assert response.headers["cache-control"] == "no-store"
    assert "<script" not in response.text
    style = await development.get("/status/style.css")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "config",
    [
        RouterConfig(),
        RouterConfig(environment="development", status=StatusSettings(enabled=False)),
        RouterConfig(
            status=StatusSettings(enabled=False), authorization=AuthorizationSettings(inspection_scope="inspect")
        ),
    ],
    ids=["production", "off in development", "off for the scope"],
)
async def test_it_is_not_there_where_nobody_may_see_it(config: RouterConfig) -> None:
    async with client_of(router_over(Shop(), config)) as client:
        for path in ("/status", "/status/style.css"):
            assert codes(await client.get(path)) == ["NOT_FOUND"]


@pytest.mark.asyncio
async def test_in_production_it_is_for_who_has_the_scope(tmp_path: Path) -> None:
    issuer = IssuerNow()
    scoped = {"authorization": AuthorizationSettings(inspection_scope="inspect")}
    config = settings(issuer, tmp_path).model_copy(update=scoped)
    async with client_of(router_over(Shop(), config)) as client:
        for headers in ({}, bearer(issuer.token(scope="other"))):
            refused = await client.get("/status", headers=headers)
            assert (refused.status_code, codes(refused)) == (403, ["FORBIDDEN"])
        assert (await client.get("/status", headers=bearer("garbage"))).status_code == 401
        allowed = await client.get("/status", headers=bearer(issuer.token(scope="inspect")))
        assert allowed.json()["router"]["status"] == "ready"


@pytest.mark.asyncio
async def test_everybody_sees_it_where_the_settings_say_so() -> None:
    async with client_of(router_over(Shop(), RouterConfig(status=StatusSettings(enabled=True)))) as client:
        assert (await client.get("/status")).status_code == 200


@pytest.mark.asyncio
async def test_a_router_without_a_supergraph_says_so() -> None:
    async with client_of(create_app(RouterConfig(environment="development"))) as client:
        status = await read(client)
        assert (status["router"]["status"], status["subgraphs"]) == ("unavailable", [])
        assert "No supergraph is loaded yet." in (await client.get("/status", headers=BROWSER)).text


@pytest.mark.asyncio
async def test_a_worker_says_which_one_it_is() -> None:
    app = router_over(Shop(), RouterConfig(environment="development"))
    app.join(WorkerPeers(1, (Path("0.sock"), Path("1.sock"))))
    async with client_of(app) as client:
        assert (await read(client))["router"]["worker"] == {"number": 1, "of": 2}
        assert "Worker 1 of 2" in (await client.get("/status", headers=BROWSER)).text


@pytest.mark.asyncio
async def test_reloads_are_told_with_the_reason_of_a_refusal_but_not_the_wrong_value(tmp_path: Path) -> None:
    config = tmp_path / "router.yaml"
    config.write_text("environment: development\n")
    async with raw_server(talk) as server:
        with running_router(tmp_path, "--config", str(config), catalog=server.url) as router:

            async def reloads(count: int) -> Any:
                async with httpx.AsyncClient(base_url=router.url, trust_env=False, timeout=60) as client:
                    await read(client)  # From here on it takes signals.
                    router.process.send_signal(signal.SIGHUP)
                    told: Any = []
                    while len(told) < count:
                        told = (await read(client))["reloads"]
                return told

            config.write_text('environment: development\nlimits: {max_depth: "hush-value"}\n')
            [refused] = await reloads(1)
            assert refused["outcome"] == "refused"
            assert refused["reason"].startswith("INVALID_CONFIG: ")
            assert "limits.max_depth" in refused["reason"]
            assert "hush" not in refused["reason"]
            config.write_text("environment: development\n")
            write_supergraph(tmp_path, catalog=f"{server.url}?again")
            latest, _ = await reloads(2)
            assert (latest["outcome"], latest["reason"]) == ("swapped", "")


def hostile(value: object) -> object:
    """``value`` with an attempt to inject in every text and key that is not fixed."""
    if isinstance(value, dict):
        return {key: {"<img src=x>'\"": 1} if key == "failed" else hostile(one) for key, one in value.items()}
    if isinstance(value, list):
        return [hostile(one) for one in value]
    return "<script>alert(1)</script>'\"&" if isinstance(value, str) else value


@pytest.mark.asyncio
async def test_no_text_becomes_markup() -> None:
    async with over_http(RouterConfig(environment="development", telemetry=COUNTED)) as client:
        await client.post("/graphql", json={"query": "query Mugs { products { name } }"})
        status = await read(client)
    status["reloads"] = [{"at": "now", "outcome": "refused", "reason": "no"}]
    clean, attacked = render_page(status), render_page(hostile(status))  # type: ignore[arg-type]
    assert "<script" not in attacked
    assert "<img" not in attacked
    tags = re.compile(r"<\w+")
    # The same elements, but for those that a page with failures has more of.
    assert set(tags.findall(attacked)) <= set(tags.findall(clean)) | {"<br"}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#x27;&quot;&amp;" in attacked


@pytest.mark.asyncio
async def test_no_secret_is_in_it() -> None:
    async with over_http(RouterConfig(environment="development", telemetry=COUNTED)) as client:
        literals = "query Q($n: Int) { a: products(first: 4711) { name } b: products(first: $n) { name } }"
        long = literals + " #" + "x" * 250_000  # too long for its literals to be lifted
        headers = {"authorization": "Bearer hush-token", "cookie": "a=hush-cookie"}
        for query in (literals, long):
            body = {"query": query, "variables": {"n": 4712}, "extensions": {"note": "hush-note"}}
            assert (await client.post("/graphql", json=body, headers=headers)).status_code == 200
        text = (await client.get("/status")).text + (await client.get("/status", headers=BROWSER)).text
        metrics = (await client.get("/metrics")).text
    assert "#0 catalog" in text
    assert not re.search("hush|4711|4712", text)
    assert not re.search("hush|4711|4712", metrics)
