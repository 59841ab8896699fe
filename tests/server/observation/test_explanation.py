"""The plan and the fetches of an answer are told in its extensions to who asks for them and may see them."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from router.server.config import RouterConfig
from router.server.config.authorization import AuthorizationSettings
from router.server.config.batching import BatchingSettings
from router.server.config.cache_control import CacheControlSettings
from router.server.config.telemetry import TelemetrySettings
from tests.server.shop import Shop, client_of, router_over

ASKS = {"x-galleria-fetches": "1"}
QUERY = {"query": "query Q($first: Int) { products(first: $first) { name available } }", "variables": {"first": 2}}


async def answer(config: RouterConfig, headers: dict[str, str], shop: Shop | None = None) -> dict[str, Any]:
    async with client_of(router_over(shop or Shop(), config)) as client:
        body: dict[str, Any] = (await client.post("/graphql", json=QUERY, headers=headers)).json()
    return body


@pytest.mark.asyncio
async def test_each_fetch_is_told_with_its_times_and_sizes(development: httpx.AsyncClient) -> None:
    body = (await development.post("/graphql", json=QUERY, headers=ASKS)).json()
    assert body["data"] == {"products": [{"name": "Mug", "available": 10}, {"name": "Cup", "available": 20}]}
    told = body["extensions"]["galleria"]
    assert [fetch["subgraph"] for fetch in told["plan"]["fetches"]] == ["catalog", "stock"]
    first, second = told["fetches"]
    assert (first["fetch"], first["subgraph"], first["status"]) == (0, "catalog", 200)
    assert (second["fetch"], second["subgraph"], second["status"]) == (1, "stock", 200)
    assert ("representations" in first, second["representations"]) == (False, 2)
    assert min(first["requestBytes"], first["responseBytes"], second["requestBytes"], second["responseBytes"]) > 0
    assert 0 <= first["startMs"] <= first["startMs"] + first["durationMs"] <= second["startMs"]
    assert second["startMs"] + second["durationMs"] <= told["executionMs"]


@pytest.mark.asyncio
async def test_a_fetch_that_failed_is_told_with_its_code() -> None:
    shop = Shop()
    shop.names = {}
    shop.down.add("catalog")
    body = await answer(RouterConfig(environment="development"), ASKS, shop)
    [fetch] = body["extensions"]["galleria"]["fetches"]
    assert (fetch["fetch"], fetch["status"]) == (0, 503)
    assert body["errors"]


@pytest.mark.asyncio
async def test_who_does_not_ask_is_told_nothing(development: httpx.AsyncClient) -> None:
    assert "extensions" not in (await development.post("/graphql", json=QUERY)).json()
    assert (
        "extensions" not in (await development.post("/graphql", json=QUERY, headers={"x-galleria-fetches": "0"})).json()
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "config",
    [
        RouterConfig(),
        RouterConfig(authorization=AuthorizationSettings(inspection_scope="inspect")),
        RouterConfig(telemetry=TelemetrySettings(explain=True)),
        RouterConfig(environment="development", telemetry=TelemetrySettings(explain=False)),
    ],
    ids=["production", "without the scope", "nobody may inspect", "off"],
)
async def test_who_may_not_see_it_gets_the_answer_alone(config: RouterConfig) -> None:
    assert (await answer(config, ASKS)).keys() == {"data"}


@pytest.mark.asyncio
async def test_each_member_of_a_batch_has_its_own() -> None:
    config = RouterConfig(environment="development", batching=BatchingSettings(enabled=True))
    async with client_of(router_over(Shop(), config)) as client:
        batch = [QUERY, {"query": "{ warehouses }"}, {"query": "{ nothing }"}]
        bodies = (await client.post("/graphql", json=batch, headers=ASKS)).json()
    subgraphs = [[one["subgraph"] for one in body["extensions"]["galleria"]["fetches"]] for body in bodies[:2]]
    assert subgraphs == [["catalog", "stock"], ["stock"]]
    assert bodies[2].keys() == {"errors"}


@pytest.mark.asyncio
async def test_no_cache_keeps_an_answer_that_tells_of_its_fetches() -> None:
    config = RouterConfig(
        environment="development", cache_control=CacheControlSettings(enabled=True, default_max_age_s=60)
    )
    async with client_of(router_over(Shop(), config)) as client:
        told = await client.post("/graphql", json=QUERY, headers=ASKS)
    assert told.headers["cache-control"] == "no-store"


@pytest.mark.asyncio
async def test_values_that_were_sent_are_not_told(development: httpx.AsyncClient) -> None:
    body = {"query": QUERY["query"], "variables": {"first": 2047110815}}
    headers = {**ASKS, "authorization": "Bearer hush"}
    told = (await development.post("/graphql", json=body, headers=headers)).json()["extensions"]
    assert not re.search("2047110815|hush", str(told))
