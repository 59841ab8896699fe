"""The clients that browsers use, from npm, are answered in parts: Apollo Client in both of its forms, and urql."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.execution.scripted import ScriptedSubgraphs
from tests.npm_packages import node_with_packages
from tests.server.deferred.test_defer import router_over, scripted
from tests.server.subscriptions.live import serve

CLIENTS = Path(__file__).parent / "clients"
EVERY_CLIENT = pytest.mark.parametrize("client", ["apollo-2022", "apollo-current", "urql"])


@pytest.fixture(scope="module")
def node() -> str:
    """Node's path, with the clients installed."""
    return node_with_packages(CLIENTS, "Apollo Client and urql were not answered in parts")


class Shown:
    """What a client shows, result by result."""

    def __init__(self, output: asyncio.StreamReader) -> None:
        self._output = output

    async def result(self) -> Any:
        """The next result: data, messages of errors, and whether more is to come."""
        return json.loads(await self._line())

    async def is_complete(self) -> bool:
        return await self._line() == b"complete\n"

    async def _line(self) -> bytes:
        async with asyncio.timeout(30):
            return await self._output.readline()


@asynccontextmanager
async def asking(node: str, client: str, subgraphs: ScriptedSubgraphs, query: str) -> AsyncIterator[Shown]:
    """What ``client`` shows of the answer to ``query`` that it gets from a router over ``subgraphs``."""
    router = await serve(router_over(subgraphs))
    command = [node, "ask.mjs", client, f"http://{router.address}/graphql", query]
    process = await asyncio.create_subprocess_exec(*command, cwd=CLIENTS, stdout=PIPE)
    assert process.stdout is not None
    try:
        yield Shown(process.stdout)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await router.stop()


@EVERY_CLIENT
@pytest.mark.asyncio
async def test_it_shows_the_first_part_while_a_subgraph_is_slow_and_then_the_whole(node: str, client: str) -> None:
    subgraphs = scripted()
    prices = subgraphs.gate("prices")
    query = '{ product { id name size { width } ... @defer(label: "cost") { price size { height } } } }'
    async with asking(node, client, subgraphs, query) as shown:
        first = {"id": "1", "name": "Mug", "size": {"width": 8}}
        assert await shown.result() == {"data": {"product": first}, "errors": [], "hasNext": True}
        await subgraphs.until_asked("prices")
        prices.set()
        whole = first | {"price": 5, "size": {"width": 8, "height": 9}}
        assert await shown.result() == {"data": {"product": whole}, "errors": [], "hasNext": False}
        assert await shown.is_complete()


@EVERY_CLIENT
@pytest.mark.asyncio
async def test_it_shows_each_of_nested_parts(node: str, client: str) -> None:
    subgraphs = scripted()
    prices, stock = subgraphs.gate("prices"), subgraphs.gate("stock")
    query = "{ product { id ... @defer { price ... @defer { available } } } }"
    async with asking(node, client, subgraphs, query) as shown:
        assert (await shown.result())["data"] == {"product": {"id": "1"}}
        await subgraphs.until_asked("prices")
        prices.set()
        assert (await shown.result())["data"] == {"product": {"id": "1", "price": 5}}
        await subgraphs.until_asked("stock")
        stock.set()
        whole = {"product": {"id": "1", "price": 5, "available": 3}}
        assert await shown.result() == {"data": whole, "errors": [], "hasNext": False}
        assert await shown.is_complete()


@EVERY_CLIENT
@pytest.mark.asyncio
async def test_it_shows_what_a_failed_subgraph_leaves_and_why(node: str, client: str) -> None:
    subgraphs = scripted()
    subgraphs.scripts["stock"] = b"<html>"
    async with asking(node, client, subgraphs, "{ product { id ... @defer { available } } }") as shown:
        assert await shown.result() == {"data": {"product": {"id": "1"}}, "errors": [], "hasNext": True}
        message = "Subgraph 'stock' answered with something other than JSON of GraphQL."
        left = {"product": {"id": "1", "available": None}}
        assert await shown.result() == {"data": left, "errors": [message], "hasNext": False}
        assert await shown.is_complete()


@EVERY_CLIENT
@pytest.mark.asyncio
async def test_it_is_told_what_is_wrong_with_its_operation(node: str, client: str) -> None:
    subgraphs = scripted()
    async with asking(node, client, subgraphs, "{ product { nothing ... @defer { price } } }") as shown:
        message = "Cannot query field 'nothing' on type 'Product'."
        assert await shown.result() == {"data": None, "errors": [message], "hasNext": False}
        assert await shown.is_complete()
    assert subgraphs.names == []
