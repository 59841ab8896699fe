"""A service of the mall answers the router, and who bears a user's token; nobody else."""

from __future__ import annotations

import json

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.mall import RunningMall

pytestmark = [pytest.mark.xdist_group("mall"), pytest.mark.timeout(300)]
PRODUCTS = "{ products(first: 1) { edges { node { id } } } }"


def test_anybody_is_answered_through_the_router_and_nobody_without_a_token_beside_it(mall: RunningMall) -> None:
    found = mall.data(PRODUCTS)
    assert len(found["products"]["edges"]) == 1
    refused = mall.ask(PRODUCTS, name="inventory")
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["UNAUTHENTICATED"]
    assert mall.data(PRODUCTS, "customer", "inventory") == found


def test_a_subscription_through_the_router_reaches_its_service(mall: RunningMall) -> None:
    product = mall.data(PRODUCTS)["products"]["edges"][0]["node"]["id"]
    query = "subscription($ids: [ID!]!) { stockChanged(productIds: $ids) { id } }"
    url = f"ws://127.0.0.1:{mall.ports['router']}/graphql"
    with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as socket:
        socket.send('{"type":"connection_init"}')
        assert json.loads(socket.recv(10))["type"] == "connection_ack"
        subscribe = {"query": query, "variables": {"ids": [product]}}
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": subscribe}))
        first = json.loads(socket.recv(20))
    assert (first["type"], first["payload"]) == ("next", {"data": {"stockChanged": {"id": product}}})
