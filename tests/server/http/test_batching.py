"""Arrays of operations: off by default, limited, each result at its place; mutations in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from router.server.config import BatchingSettings, RouterConfig
from tests.execution.traffic.clients import settle
from tests.server.shop import Shop, client_of, codes, router_over
from tests.server.subscriptions.live import until


@pytest_asyncio.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    settings = BatchingSettings(enabled=True, max_operations=3)
    async with client_of(router_over(shop, RouterConfig(batching=settings))) as client:
        yield client


@pytest.mark.asyncio
async def test_results_come_in_the_order_of_the_operations(client: httpx.AsyncClient) -> None:
    batch = [
        {"query": "{ warehouses }"},
        {"query": "query($n: Int) { products(first: $n) { name } }", "variables": {"n": 1}},
    ]
    response = await client.post("/graphql", json=batch)
    assert response.status_code == 200
    assert response.json() == [
        {"data": {"warehouses": ["north", "south"]}},
        {"data": {"products": [{"name": "Mug"}]}},
    ]


@pytest.mark.asyncio
async def test_one_that_cannot_be_run_is_an_error_at_its_place(client: httpx.AsyncClient, shop: Shop) -> None:
    response = await client.post("/graphql", json=[{"query": "{ nothing }"}, {"query": "{ warehouses }"}])
    first, second = response.json()
    assert first["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert second == {"data": {"warehouses": ["north", "south"]}}
    assert shop.asked == {"catalog": 0, "stock": 1}


@pytest.mark.asyncio
async def test_a_batch_with_a_mutation_runs_as_it_is_written(client: httpx.AsyncClient) -> None:
    names = "{ products(first: 1) { name } }"
    rename = 'mutation { rename(id: "1", name: "Bowl") { name } }'
    response = await client.post("/graphql", json=[{"query": names}, {"query": rename}, {"query": names}])
    assert [result["data"] for result in response.json()] == [
        {"products": [{"name": "Mug"}]},
        {"rename": {"name": "Bowl"}},
        {"products": [{"name": "Bowl"}]},
    ]


@pytest.mark.asyncio
async def test_what_follows_a_mutation_waits_for_its_end(client: httpx.AsyncClient, shop: Shop) -> None:
    shop.opened = asyncio.Event()
    batch = [{"query": 'mutation { rename(id: "1", name: "Bowl") { name } }'}, {"query": "{ warehouses }"}]
    response = asyncio.create_task(client.post("/graphql", json=batch))
    await until(lambda: shop.asked["catalog"] == 1)
    await settle()
    assert shop.asked["stock"] == 0
    shop.opened.set()
    assert (await response).json()[1] == {"data": {"warehouses": ["north", "south"]}}


@pytest.mark.asyncio
async def test_queries_run_at_once(client: httpx.AsyncClient, shop: Shop) -> None:
    shop.opened = asyncio.Event()
    batch = [{"query": "{ products { name } }"}, {"query": "{ warehouses }"}]
    response = asyncio.create_task(client.post("/graphql", json=batch))
    await until(lambda: shop.asked == {"catalog": 1, "stock": 1})
    shop.opened.set()
    assert (await response).status_code == 200


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [0, 4])
async def test_a_batch_of_none_or_too_many_is_refused_whole(client: httpx.AsyncClient, shop: Shop, size: int) -> None:
    response = await client.post("/graphql", json=[{"query": "{ warehouses }"}] * size)
    assert (response.status_code, codes(response)) == (400, ["BATCH_SIZE"])
    assert response.json()["errors"][0]["message"] == f"An array of {size} operations is not taken: send from 1 to 3."
    assert shop.asked == {"catalog": 0, "stock": 0}


@pytest.mark.asyncio
async def test_a_member_that_is_no_request_refuses_the_batch(client: httpx.AsyncClient, shop: Shop) -> None:
    response = await client.post("/graphql", json=[{"query": "{ warehouses }"}, 7])
    assert (response.status_code, codes(response)) == (400, ["INVALID_REQUEST"])
    assert shop.asked == {"catalog": 0, "stock": 0}


@pytest.mark.asyncio
async def test_batches_are_refused_by_default(production: httpx.AsyncClient, shop: Shop) -> None:
    response = await production.post("/graphql", json=[{"query": "{ warehouses }"}])
    assert (response.status_code, codes(response)) == (400, ["BATCHING_DISABLED"])
    assert shop.asked == {"catalog": 0, "stock": 0}
