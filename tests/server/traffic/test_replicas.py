"""Several replicas of a subgraph over real sockets: they may come, go and fail without a query being lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from router.server.app import RouterApp, create_app
from router.server.config import RouterConfig
from router.server.graphs.graph import open_graph
from router.supergraph.read import read_supergraph
from tests.server.shop import SUPERGRAPH, Shop, client_of
from tests.server.subscriptions.live import Served, serve, until

QUERY = "{ products(first: 2) { id name available } }"
PRODUCTS = [{"id": "1", "name": "Mug", "available": 10}, {"id": "2", "name": "Cup", "available": 20}]


class StockReplica:
    """One replica of the subgraph stock; it may say that it is not ready, or answer with 503."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.is_ready = True
        self._app = self.shop.app("stock")

    @property
    def asked(self) -> int:
        return self.shop.asked["stock"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/health/ready":
            status = 200 if self.is_ready else 503
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body"})
        else:
            await self._app(scope, receive, send)


@dataclass(slots=True)
class Market:
    """A router over one catalog and two replicas of stock."""

    replicas: list[StockReplica]
    stock: list[Served]
    app: RouterApp
    router: httpx.AsyncClient
    answers: list[dict[str, Any]] = field(default_factory=list)
    is_over: bool = False

    async def ask(self) -> dict[str, Any]:
        response = await self.router.post("/graphql", json={"query": QUERY})
        answer: dict[str, Any] = response.json()
        return answer

    async def keep_asking(self) -> None:
        while not self.is_over:
            self.answers.append(await self.ask())

    async def answered(self, more: int) -> None:
        """Wait for ``more`` answers of those that keep asking."""
        wanted = len(self.answers) + more
        await until(lambda: len(self.answers) >= wanted)

    def labels(self, index: int) -> str:
        """Those of a replica's metrics."""
        return f'{{address="http://{self.stock[index].address}/graphql",subgraph="stock"}}'

    async def metrics(self) -> str:
        return (await self.router.get("/metrics")).text


@asynccontextmanager
async def market(**traffic: Any) -> AsyncIterator[Market]:
    shop, replicas = Shop(), [StockReplica(), StockReplica()]
    async with AsyncExitStack() as resources:
        catalog = await serve(shop.app("catalog"))
        resources.push_async_callback(catalog.stop)
        stock = [await serve(replica) for replica in replicas]
        for served in stock:
            resources.push_async_callback(served.stop)
        sdl = SUPERGRAPH.replace("http://catalog.test/", f"http://{catalog.address}/")
        addresses = {"stock": [f"http://{served.address}/graphql" for served in stock]}
        config = RouterConfig.model_validate({"traffic": {"addresses": addresses, **traffic}})
        graph = open_graph(read_supergraph(sdl), config)
        resources.push_async_callback(graph.client.close)
        app = create_app(config, graph)
        router = await resources.enter_async_context(client_of(app))
        yield Market(replicas, stock, app, router)


@pytest.mark.asyncio
async def test_both_replicas_are_asked() -> None:
    async with market() as shop:
        for _ in range(20):
            assert await shop.ask() == {"data": {"products": PRODUCTS}}
        assert [replica.asked > 0 for replica in shop.replicas] == [True, True]


@pytest.mark.asyncio
async def test_a_rolling_restart_under_load_loses_no_query() -> None:
    async with market() as shop:
        load = [asyncio.create_task(shop.keep_asking()) for _ in range(10)]
        await shop.answered(30)
        for index, served in enumerate(list(shop.stock)):
            port = served.port
            await served.stop()
            await shop.answered(30)
            shop.stock[index] = await serve(shop.replicas[index], port)
            asked = shop.replicas[index].asked
            await until(lambda replica=shop.replicas[index], asked=asked: replica.asked > asked)  # type: ignore[misc]
        await shop.answered(30)
        shop.is_over = True
        await asyncio.gather(*load)
        assert [answer for answer in shop.answers if answer != {"data": {"products": PRODUCTS}}] == []
        for served in shop.stock:
            await served.stop()


@pytest.mark.asyncio
async def test_a_replica_that_is_not_ready_gets_nothing_new() -> None:
    async with market(health_path="/health/ready", watch_interval_s=0.01) as shop:
        await shop.ask()
        leaving = shop.replicas[0]
        leaving.is_ready = False
        assert shop.app.service.graph is not None
        assert shop.app.service.graph.traffic is not None
        replica = shop.app.service.graph.traffic.balancing.replicas["stock"][0]
        await until(lambda: replica.is_draining)
        assert f"galleria_subgraph_draining{shop.labels(0)} 1.0" in await shop.metrics()
        before = leaving.asked
        for _ in range(20):
            await shop.ask()
        assert leaving.asked == before
        leaving.is_ready = True
        async with asyncio.timeout(10):
            while leaving.asked == before:
                await shop.ask()


@pytest.mark.asyncio
async def test_a_replica_that_keeps_failing_is_left_out() -> None:
    async with market(breaker={"pause_s": 3600, "longest_pause_s": 3600}, retries={"first_pause_s": 0.001}) as shop:
        failing = shop.replicas[0]
        failing.shop.down.add("stock")
        async with asyncio.timeout(20):
            while f"galleria_subgraph_circuit{shop.labels(0)} 2.0" not in await shop.metrics():
                assert await shop.ask() == {"data": {"products": PRODUCTS}}
        for _ in range(20):
            assert await shop.ask() == {"data": {"products": PRODUCTS}}
        assert failing.asked == 5
        metrics = await shop.metrics()
        assert 'galleria_subgraph_retries_total{subgraph="stock"} 5.0' in metrics


@pytest.mark.asyncio
async def test_a_replica_that_works_again_is_taken_back() -> None:
    async with market(breaker={"pause_s": 0.01}, retries={"first_pause_s": 0.001}) as shop:
        failing = shop.replicas[0]
        failing.shop.down.add("stock")
        async with asyncio.timeout(10):
            while failing.asked < 5:
                assert await shop.ask() == {"data": {"products": PRODUCTS}}
            failing.shop.down.clear()
            while failing.asked < 10:
                assert await shop.ask() == {"data": {"products": PRODUCTS}}


@pytest.mark.asyncio
async def test_where_no_replica_works_its_fields_alone_are_null_and_soon_nobody_is_asked() -> None:
    # However long the requests take, none is too old to count, and no pause is over.
    breaker = {"window_s": 3600, "pause_s": 3600, "longest_pause_s": 3600}
    async with market(breaker=breaker, retries={"enabled": False}) as shop:
        for replica in shop.replicas:
            replica.shop.down.add("stock")
        answers = [await shop.ask() for _ in range(20)]
        nothing = [{**product, "available": None} for product in PRODUCTS]
        assert [answer["data"]["products"] for answer in answers] == [nothing] * 20
        codes = [answer["errors"][0]["extensions"]["code"] for answer in answers]
        assert codes[0] == "SUBGRAPH_REQUEST_FAILED"
        assert codes[-1] == "SUBGRAPH_UNAVAILABLE"
        assert [replica.asked for replica in shop.replicas] == [5, 5]
