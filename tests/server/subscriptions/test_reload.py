"""Subscriptions go on over a reload; only those that are not valid any more are closed, and hear why."""

from __future__ import annotations

import json

import pytest

from tests.server.subscriptions.live import BIDS, Stack, auction_app, serve, until
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
