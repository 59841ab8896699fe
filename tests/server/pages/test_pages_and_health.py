"""What the router serves beside GraphQL, and where it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from router.errors import InputError
from router.server.app import create_app
from router.server.config import ExplorerSettings, RouterConfig
from tests.server.shop import Shop, client_of, codes, router_over


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["/", "/explorer/config.json", "/explorer/assets/index.js", "/plan"])
async def test_the_explorer_is_not_there_in_production(production: httpx.AsyncClient, path: str) -> None:
    response = await production.get(path)
    assert (response.status_code, codes(response)) == (404, ["NOT_FOUND"])


@pytest.mark.asyncio
async def test_the_page_is_there_in_development(development: httpx.AsyncClient) -> None:
    response = await development.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert '<main id="explorer">' in response.text


@pytest.mark.asyncio
async def test_the_page_knows_endpoints_headers_and_tabs(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "orders.graphql").write_text("{ orders }")
    (tmp_path / "orders.json").write_text('{"first": 1}')
    (tmp_path / "other.graphql").write_text("{ other }")
    tabs = (tmp_path / "orders.graphql", tmp_path / "other.graphql")
    explorer = ExplorerSettings(enabled=True, title="Shop", headers={"authorization": "", "x-a": "1"}, tabs=tabs)
    async with client_of(router_over(shop, RouterConfig(explorer=explorer))) as client:
        response = await client.get("/explorer/config.json")
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "title": "Shop",
        "endpoint": "/graphql",
        "planEndpoint": "/plan",
        "fetchesHeader": "x-galleria-fetches",
        "headers": {"x-a": "1"},
        "tabs": [
            {"name": "orders", "query": "{ orders }", "variables": {"first": 1}},
            {"name": "other", "query": "{ other }", "variables": None},
        ],
    }


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda _: None, "explorer.tabs: {path}: No such file or directory."),
        (lambda path: path.write_bytes(b"\xff"), "explorer.tabs: {path} or its variables beside it cannot be read."),
    ],
)
def test_a_tab_that_cannot_be_read_is_told_at_the_start(
    tmp_path: Path, write: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / "tab.graphql"
    write(path)
    with pytest.raises(InputError) as caught:
        create_app(RouterConfig(explorer=ExplorerSettings(enabled=True, tabs=(path,))))
    assert caught.value.message == message.format(path=path)


@pytest.mark.asyncio
async def test_a_plan_is_shown_as_text_and_json_and_fetches_nothing(development: httpx.AsyncClient, shop: Shop) -> None:
    response = await development.post("/plan", json={"query": "{ products { available } }"})
    assert response.status_code == 200
    body = response.json()
    assert "2 fetches, 2 deep" in body["text"]
    assert [fetch["subgraph"] for fetch in body["json"]["fetches"]] == ["catalog", "stock"]
    assert shop.asked == {"catalog": 0, "stock": 0}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "code"), [({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"), ({}, "INVALID_REQUEST")]
)
async def test_a_plan_of_what_is_wrong_is_explained(
    development: httpx.AsyncClient, body: dict[str, str], code: str
) -> None:
    response = await development.post("/plan", json=body)
    assert (response.status_code, codes(response)) == (400, [code])


@pytest.mark.asyncio
async def test_the_router_is_ready_while_its_subgraphs_are_down(production: httpx.AsyncClient, shop: Shop) -> None:
    shop.down |= {"catalog", "stock"}
    assert (await production.get("/health/live")).json() == {"status": "live"}
    response = await production.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ready", "missing": []})


@pytest.mark.asyncio
async def test_without_a_supergraph_the_router_is_live_and_not_ready() -> None:
    async with client_of(create_app(RouterConfig())) as client:
        assert (await client.get("/health/live")).status_code == 200
        response = await client.get("/health/ready")
        assert (response.status_code, response.json()) == (503, {"status": "unavailable", "missing": ["supergraph"]})
        response = await client.post("/graphql", json={"query": "{ __typename }"})
        assert (response.status_code, codes(response)) == (503, ["NOT_READY"])


@pytest.mark.asyncio
async def test_metrics_count_requests_fetches_and_cached_operations(production: httpx.AsyncClient, shop: Shop) -> None:
    for _ in range(3):
        await production.post("/graphql", json={"query": "{ products { available } }"})
    shop.down.add("stock")
    await production.post("/graphql", json={"query": "{ warehouses }"})
    await production.post("/graphql", content=b"garbage", headers={"content-type": "application/json"})
    lines = (await production.get("/metrics")).text.splitlines()
    assert 'galleria_requests_total{status="200"} 4.0' in lines
    assert 'galleria_requests_total{status="400"} 1.0' in lines
    assert "galleria_request_duration_seconds_count 5.0" in lines
    assert 'galleria_fetches_total{code="",subgraph="catalog"} 3.0' in lines
    assert 'galleria_fetches_total{code="SUBGRAPH_REQUEST_FAILED",subgraph="stock"} 1.0' in lines
    assert "galleria_operations_compiled_total 2.0" in lines
    assert "galleria_operations_cached 2.0" in lines


@pytest.mark.asyncio
async def test_metrics_are_told_to_who_says_their_secret(shop: Shop) -> None:
    metrics = {"telemetry": {"metrics": {"secret": "correct horse battery"}}}
    async with client_of(router_over(shop, RouterConfig.model_validate(metrics))) as client:
        for said in ({}, {"authorization": "Bearer wrong horse battery"}, {"authorization": "Bearer "}):
            response = await client.get("/metrics", headers=said)
            assert (response.status_code, response.text, response.headers["www-authenticate"]) == (401, "", "Bearer")
        response = await client.get("/metrics", headers={"authorization": "Bearer correct horse battery"})
        assert "galleria_requests_total" in response.text
        assert (await client.get("/health/ready")).status_code == 200
