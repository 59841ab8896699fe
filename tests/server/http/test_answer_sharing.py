"""Queries in flight that are the same are executed once, where the settings say so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from typing import Any

import httpx
import pytest

from router.server.config import RouterConfig
from router.server.config.graphql import GraphQLSettings
from tests.server.shop import Shop, client_of, router_over
from tests.server.subscriptions.live import until

SHARING = RouterConfig(graphql=GraphQLSettings(share=True))
QUERY = {"query": "query ($first: Int) { products(first: $first) { name } }"}
FIRST = {**QUERY, "variables": {"first": 1}, "extensions": {"page": 1}}
MUTATION = {"query": 'mutation { rename(id: "1", name: "Pot") { name } }'}


async def post(
    client: httpx.AsyncClient, body: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> object:
    return (await client.post("/graphql", json=body, headers=headers)).json()


async def at_once(shop: Shop, *requests: Coroutine[Any, Any, object]) -> list[object]:
    """The answers to requests that are all under way before a subgraph answers the first."""
    shop.opened = asyncio.Event()
    tasks = [asyncio.create_task(request) for request in requests]
    for _ in range(50):
        await asyncio.sleep(0)
    shop.opened.set()
    return await asyncio.gather(*tasks)


@pytest.mark.asyncio
async def test_identical_queries_in_flight_are_executed_once(shop: Shop) -> None:
    async with client_of(router_over(shop, SHARING)) as client:
        await post(client, QUERY)
        answers = await at_once(shop, *(post(client, QUERY) for _ in range(5)))

    assert answers == [{"data": {"products": [{"name": "Mug"}, {"name": "Cup"}]}}] * 5
    assert shop.asked["catalog"] == 2


@pytest.mark.asyncio
async def test_an_answer_that_comes_later_is_executed_anew(shop: Shop) -> None:
    async with client_of(router_over(shop, SHARING)) as client:
        first = await post(client, QUERY)
        shop.names["1"] = "Pot"
        second = await post(client, QUERY)

    assert first != second


@pytest.mark.asyncio
async def test_a_query_after_a_mutation_is_executed_anew_though_an_equal_one_from_before_is_in_flight(
    shop: Shop,
) -> None:
    async with client_of(router_over(shop, SHARING)) as client:
        held = shop.opened = asyncio.Event()
        before = asyncio.create_task(post(client, QUERY))
        await until(lambda: shop.asked["catalog"] == 1)
        shop.opened = None
        await post(client, MUTATION)
        after = await asyncio.wait_for(post(client, QUERY), timeout=60)
        held.set()
        await before

    assert after == {"data": {"products": [{"name": "Pot"}, {"name": "Cup"}]}}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({**FIRST, "query": QUERY["query"].replace("name", "id  ")}, {}),
        ({**FIRST, "variables": {"first": 2}}, {}),
        ({**FIRST, "extensions": {"page": 2}}, {}),
        (FIRST, {"authorization": "Bearer b"}),
        (FIRST, {"x-shop": "north"}),
    ],
    ids=["operation", "variables", "extensions", "token", "a header that no subgraph gets"],
)
async def test_what_differs_is_not_shared(shop: Shop, body: Mapping[str, object], headers: Mapping[str, str]) -> None:
    """All bodies have one length: content-length, which is a header, tells nothing apart."""
    assert len(json.dumps(body)) == len(json.dumps(FIRST))
    async with client_of(router_over(shop, SHARING)) as client:
        alone = [await post(client, FIRST), await post(client, body, headers)]
        assert await at_once(shop, post(client, FIRST), post(client, body, headers)) == alone

    assert shop.asked["catalog"] == 4


@pytest.mark.asyncio
async def test_who_waits_is_answered_where_the_first_client_leaves(shop: Shop) -> None:
    async with client_of(router_over(shop, SHARING)) as client:
        alone = await post(client, QUERY)
        opened = shop.opened = asyncio.Event()
        first, second = [asyncio.create_task(post(client, QUERY)) for _ in range(2)]
        for _ in range(50):
            await asyncio.sleep(0)
        assert shop.asked["catalog"] == 2
        first.cancel()
        await until(lambda: shop.asked["catalog"] == 3)
        opened.set()
        assert await second == alone


@pytest.mark.asyncio
async def test_mutations_are_never_shared(shop: Shop) -> None:
    async with client_of(router_over(shop, SHARING)) as client:
        await post(client, MUTATION)
        await at_once(shop, *(post(client, MUTATION) for _ in range(3)))

    assert shop.asked["catalog"] == 4


@pytest.mark.asyncio
async def test_a_router_by_itself_shares_no_answers(shop: Shop) -> None:
    async with client_of(router_over(shop, RouterConfig())) as client:
        await at_once(shop, *(post(client, QUERY) for _ in range(3)))

    assert shop.asked["catalog"] == 3
