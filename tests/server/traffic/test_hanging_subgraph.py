"""A subgraph that takes requests and never answers, asked by one request at a time over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from router.server.app import create_app
from router.server.config import RouterConfig
from router.server.graphs.graph import open_graph
from router.supergraph.read import read_supergraph
from tests.server.shop import SUPERGRAPH, Shop, client_of, codes
from tests.server.subscriptions.live import serve

QUERY = "{ products(first: 1) { id name available } }"


class Hanging:
    """An app that reads its requests until their client leaves, and answers none."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, _: Scope, receive: Receive, __: Send) -> None:
        self.asked += 1
        while (await receive())["type"] != "http.disconnect":
            pass


@asynccontextmanager
async def router_over(catalog: ASGIApp, stock: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a router for which each timeout of ``stock`` is longer ago than its window by the next one."""
    async with AsyncExitStack() as resources:
        sdl = SUPERGRAPH
        for name, app in (("catalog", catalog), ("stock", stock)):
            served = await serve(app)
            resources.push_async_callback(served.stop)
            sdl = sdl.replace(f"http://{name}.test/", f"http://{served.address}/")
        breaker = {"window_s": 0.01, "pause_s": 3600, "longest_pause_s": 3600}
        settings = {"subgraphs": {"timeouts": {"stock": 0.05}}, "traffic": {"breaker": breaker}}
        config = RouterConfig.model_validate(settings)
        graph = open_graph(read_supergraph(sdl), config)
        resources.push_async_callback(graph.client.close)
        yield await resources.enter_async_context(client_of(create_app(config, graph)))


@pytest.mark.asyncio
async def test_after_five_timeouts_one_after_the_other_it_is_asked_no_more() -> None:
    stock, told = Hanging(), []
    async with router_over(Shop().app("catalog"), stock) as router:
        for _ in range(7):
            response = await router.post("/graphql", json={"query": QUERY})
            assert [one["name"] for one in response.json()["data"]["products"]] == ["Mug"]
            told += codes(response)
    assert told == ["SUBGRAPH_TIMEOUT"] * 5 + ["SUBGRAPH_UNAVAILABLE"] * 2
    assert stock.asked == 5
