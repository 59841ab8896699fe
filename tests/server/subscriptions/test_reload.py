"""Subscriptions go on over a reload; only those that are not valid any more are closed, and hear why."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Any, cast

import pytest

from router.server.access.caller import Caller
from router.server.access.gate import Gate
from router.server.config import HeaderSettings, RouterConfig
from router.server.graphs.graph import GraphInput
from router.server.graphs.supergraph_file import SupergraphSource
from router.server.http.graphql_request import GraphQLRequest
from router.server.operations.compiled_operation import CompiledOperation
from router.server.subscriptions.hub import SETTINGS_CHANGED
from tests.server.subscriptions.live import BIDS, Stack, auction_app, live_stack, serve, until
from tests.server.subscriptions.test_sharing import AMOUNTS, subscribe


async def replace(stack: Stack, **sdls: str) -> None:
    """Serve a graph in which some subgraphs have another SDL."""
    old = stack.service.served_graph()
    stack.app.replace_graph(stack.graph(**sdls))
    await old.client.close()


@pytest.mark.asyncio
async def test_it_goes_on_without_a_break_where_the_subgraph_is_asked_the_same(stack: Stack) -> None:
    client = await subscribe(stack, BIDS)
    await stack.auction.followed_by(1)
    await replace(stack, catalog=stack.sdls["catalog"].replace("name: String!", "name: String!\n  size: Int"))
    stack.auction.bid(1)
    expected = {"data": {"bids": {"amount": 1, "product": {"id": "1", "name": "Mug"}}}}
    assert json.loads(await client.next() or b"") == expected
    assert stack.auction.begun == 1
    client.close()


@pytest.mark.asyncio
async def test_it_follows_a_subgraph_that_moved(stack: Stack) -> None:
    client = await subscribe(stack)
    await stack.auction.followed_by(1)
    old, moved = stack.subgraphs["auction"], await serve(auction_app(stack.auction)[1])
    stack.subgraphs["auction"] = moved
    await replace(stack)
    await until(lambda: stack.auction.begun == 2 and len(stack.auction.followers) == 1)
    stack.auction.bid(2)
    assert await client.next() == b'{"data":{"bids":{"amount":2}}}'
    client.close()
    await old.stop()
    await stack.auction.followed_by(0)
    await moved.stop()


@pytest.mark.asyncio
async def test_a_client_that_leaves_in_the_moment_of_a_move_leaves_no_subscription_behind(stack: Stack) -> None:
    client = await subscribe(stack)
    await stack.auction.followed_by(1)
    old, moved = stack.subgraphs["auction"], await serve(auction_app(stack.auction)[1])
    stack.subgraphs["auction"] = moved
    graph = stack.graph()
    [(shared, (_, task))] = stack.app._subscriptions._shared.items()
    await shared.replan(graph, stack.service.gate)  # it is told to move,
    client.close()  # and to end, before it has done either
    await until(task.done)
    assert stack.auction.begun == 1
    await stack.auction.followed_by(0)
    for closing in (graph.client.close(), old.stop(), moved.stop()):
        await closing


@pytest.mark.asyncio
async def test_only_what_is_not_valid_any_more_is_closed_and_told(stack: Stack) -> None:
    broken, kept = await subscribe(stack, BIDS), await subscribe(stack, AMOUNTS)
    await stack.auction.followed_by(2)
    await replace(stack, catalog=stack.sdls["catalog"].replace("name: String!", "title: String!"))
    assert await broken.next() is None
    assert broken.ending is not None
    codes = [error["extensions"] for error in broken.ending.errors]
    assert codes == [{"code": "SUBSCRIPTION_NO_LONGER_VALID"}, {"code": "GRAPHQL_VALIDATION_FAILED"}]
    broken.close()
    await stack.auction.followed_by(1)
    stack.auction.bid(3)
    assert await kept.next() == b'{"data":{"bids":{"amount":3}}}'
    kept.close()


def with_claim_header(stack: Stack) -> None:
    """Serve on with settings by which ``x-user`` tells a claim of the token, and nothing that a client says."""
    issuer = {"issuer": "https://id.test", "audiences": ["mall"], "jwks_url": "https://id.test/keys"}
    authentication = {"issuers": [issuer], "claims_to_headers": {"sub": "x-user"}}
    config = RouterConfig.model_validate({"authentication": authentication})
    made_from = GraphInput(SupergraphSource(Path("supergraph.graphql")), config)
    stack.app.replace_graph(dataclasses.replace(stack.service.served_graph(), made_from=made_from))


@pytest.mark.asyncio
async def test_a_header_of_the_client_that_tells_a_claim_from_now_on_is_told_no_more() -> None:
    config = RouterConfig(headers=HeaderSettings(propagate=("x-user",)))
    async with live_stack(config) as stack, stack.socket({"x-user": "ada"}) as idle, stack.socket() as nobody:
        async with stack.socket({"x-user": "ada"}) as client:
            await client.subscribe()
            await stack.auction.followed_by(1)
            with_claim_header(stack)
            assert await client.closed_with() == 1012
            assert client.connection.close_reason == "The router's settings have changed. Subscribe again."
        await stack.auction.followed_by(0)
        await idle.subscribe("{ highest }")
        assert await idle.closed_with() == 1012
        await nobody.subscribe("{ highest }")
        assert (await nobody.receive())["payload"] == {"data": {"highest": 100}}


@pytest.mark.asyncio
async def test_a_subscription_that_was_compiled_while_its_graph_was_replaced_comes_again() -> None:
    config = RouterConfig(headers=HeaderSettings(propagate=("x-user",)))
    async with live_stack(config) as stack:
        service, request = stack.service, GraphQLRequest(BIDS, None, {})
        caller = Caller(((b"x-user", b"ada"),))
        graph, compiled = await service.compiled_operation(request, caller)
        with_claim_header(stack)
        client = service.subscribe(graph, compiled, request, caller)
        assert await client.next() is None
        assert client.ending is SETTINGS_CHANGED
        client.close()
        assert (stack.app._subscriptions.count, stack.app._subscriptions.shared_count) == (0, 0)
        assert stack.auction.begun == 0


class HeldGate:
    """The gate of a reload, whose answer is held back."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.is_asked = asyncio.Event()
        self.is_let = asyncio.Event()

    async def open(self, *asked: Any) -> CompiledOperation:
        self.is_asked.set()
        await self.is_let.wait()
        return await self._gate.open(*asked)


@pytest.mark.asyncio
async def test_of_two_reloads_the_last_counts_though_the_first_takes_longer(stack: Stack) -> None:
    client = await subscribe(stack, BIDS)
    await stack.auction.followed_by(1)
    [(shared, _)] = stack.app._subscriptions._shared.items()
    gate = HeldGate(stack.service.gate)
    broken = stack.graph(catalog=stack.sdls["catalog"].replace("name: String!", "title: String!"))
    slow = asyncio.create_task(shared.replan(broken, cast("Gate", gate)))
    await gate.is_asked.wait()
    mended = stack.graph()
    await shared.replan(mended, stack.service.gate)
    gate.is_let.set()
    await slow
    stack.auction.bid(4)
    expected = {"data": {"bids": {"amount": 4, "product": {"id": "1", "name": "Mug"}}}}
    assert json.loads(await client.next() or b"") == expected
    client.close()
    for graph in (broken, mended):
        await graph.client.close()
