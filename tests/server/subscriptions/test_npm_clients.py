"""The clients that browsers use, from npm, subscribe at the router: graphql-ws, graphql-sse and Apollo Client."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.npm_packages import node_with_packages
from tests.server.subscriptions.live import BIDS, Stack, until

CLIENTS = Path(__file__).parent / "clients"


@pytest.fixture(scope="module")
def node() -> str:
    """Node's path, with the clients installed."""
    return node_with_packages(CLIENTS, "the subscription clients of npm did not run")


@asynccontextmanager
async def subscribed(node: str, client: str, stack: Stack, query: str = BIDS) -> AsyncIterator[asyncio.StreamReader]:
    """What the client prints."""
    command = [node, "subscribe.mjs", client, stack.url, query, "Bearer a"]
    process = await asyncio.create_subprocess_exec(*command, cwd=CLIENTS, stdout=PIPE)
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line(output: asyncio.StreamReader) -> str:
    async with asyncio.timeout(30):
        return (await output.readline()).decode().strip()


async def data(output: asyncio.StreamReader) -> Any:
    return json.loads(await line(output))["data"]


@pytest.mark.asyncio
@pytest.mark.parametrize("client", ["graphql-ws", "graphql-sse", "apollo-client"])
async def test_it_receives_joined_events_and_the_end(node: str, client: str, stack: Stack) -> None:
    async with subscribed(node, client, stack) as output:
        async with asyncio.timeout(30):
            while not stack.auction.followers:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)
        assert stack.auction.authorizations == ["Bearer a"]
        stack.auction.bid(1)
        stack.auction.bid(2, "2")
        assert (await data(output))["bids"]["product"]["name"] == "Mug"
        assert (await data(output))["bids"]["product"]["name"] == "Cup"
        stack.auction.finish()
        assert await line(output) == "complete"


@pytest.mark.asyncio
@pytest.mark.parametrize("client", ["graphql-ws", "graphql-sse", "apollo-client"])
async def test_it_is_told_what_is_wrong_with_its_operation(node: str, client: str, stack: Stack) -> None:
    async with subscribed(node, client, stack, "subscription { nothing }") as output:
        assert "Cannot query field 'nothing' on type 'Subscription'." in await line(output)


@pytest.mark.asyncio
async def test_a_client_that_is_gone_is_noticed(node: str, stack: Stack) -> None:
    async with subscribed(node, "graphql-ws", stack):
        async with asyncio.timeout(30):
            while not stack.auction.followers:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)
    await until(lambda: not stack.auction.followers)
