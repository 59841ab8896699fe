"""GraphQL over WebSocket by graphql-transport-ws: what the protocol asks of a server."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from router.server.config import RouterConfig, SubscriptionSettings
from tests.server.subscriptions.live import BIDS, Stack, live_stack, until


def bid(amount: int, product: str = "1", name: str = "Mug", id_: str = "1") -> dict[str, object]:
    data = {"bids": {"amount": amount, "product": {"id": product, "name": name}}}
    return {"id": id_, "type": "next", "payload": {"data": data}}


@pytest.mark.asyncio
async def test_each_event_is_joined_with_the_other_subgraphs(stack: Stack) -> None:
    async with stack.socket() as client:
        await client.subscribe()
        await stack.auction.followed_by(1)
        stack.auction.bid(10)
        stack.auction.bid(20, "2")
        assert await client.receive() == bid(10)
        assert await client.receive() == bid(20, "2", "Cup")
        stack.auction.finish()
        assert await client.receive() == {"id": "1", "type": "complete"}


@pytest.mark.asyncio
async def test_variables_reach_the_subgraph(stack: Stack) -> None:
    async with stack.socket() as client:
        query = "subscription S($least: Int!) { top: bids(minimum: $least) { amount } }"
        await client.subscribe(query, variables={"least": 15}, operationName="S")
        await stack.auction.followed_by(1)
        stack.auction.bid(10)
        stack.auction.bid(20)
        assert (await client.receive())["payload"] == {"data": {"top": {"amount": 20}}}


@pytest.mark.asyncio
async def test_queries_run_on_the_same_connection(stack: Stack) -> None:
    async with stack.socket() as client:
        await client.subscribe("{ product { name } highest }", "q")
        data = {"product": {"name": "Mug"}, "highest": 100}
        assert await client.receive() == {"id": "q", "type": "next", "payload": {"data": data}}
        assert await client.receive() == {"id": "q", "type": "complete"}


@pytest.mark.asyncio
async def test_an_operation_that_is_not_valid_is_an_error_and_its_id_is_free_again(stack: Stack) -> None:
    async with stack.socket() as client:
        for query, code in (
            ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription {", "GRAPHQL_PARSE_FAILED"),
            ("subscription($x: Int!) { bids(minimum: $x) { amount } }", "BAD_USER_INPUT"),
        ):
            await client.subscribe(query)
            message = await client.receive()
            assert (message["id"], message["type"]) == ("1", "error")
            assert [error["extensions"]["code"] for error in message["payload"]] == [code]
        assert stack.auction.begun == 0


@pytest.mark.asyncio
async def test_a_client_that_completes_ends_it_at_the_subgraph(stack: Stack) -> None:
    async with stack.socket() as client:
        await client.subscribe()
        await stack.auction.followed_by(1)
        await client.send(type="complete", id="1")
        await stack.auction.followed_by(0)
        assert stack.service.subscriptions.count == 0


@pytest.mark.asyncio
async def test_a_client_that_goes_away_ends_all_of_its_subscriptions(stack: Stack) -> None:
    async with stack.socket() as client:
        await client.subscribe(id_="1")
        await client.subscribe("subscription { bids(minimum: 5) { amount } }", id_="2")
        await stack.auction.followed_by(2)
    await stack.auction.followed_by(0)


@pytest.mark.asyncio
async def test_a_ping_is_answered_before_and_after_the_acknowledgement(stack: Stack) -> None:
    async with stack.socket(acknowledged=False) as client:
        await client.send(type="ping")
        assert await client.receive() == {"type": "pong"}
        await client.send(type="connection_init")
        assert await client.receive() == {"type": "connection_ack"}
        await client.send(type="ping")
        assert await client.receive() == {"type": "pong"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "subscribe", "id": "1", "payload": {"query": BIDS}}, 4401),
        ({"type": "complete", "id": "1"}, 4401),
    ],
)
async def test_nothing_is_taken_before_the_acknowledgement(stack: Stack, message: dict[str, str], code: int) -> None:
    async with stack.socket(acknowledged=False) as client:
        await client.send(**message)
        assert await client.closed_with() == code


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param('{"type":"connection_init"}', 4429, id="a second opening"),
        pytest.param('{"type":"dance"}', 4400, id="an unknown type"),
        pytest.param('{"type":"subscribe","payload":{"query":"{ highest }"}}', 4400, id="no id"),
        pytest.param('{"type":"subscribe","id":"1","payload":7}', 4400, id="a number as payload"),
        pytest.param('{"type":"complete"}', 4400, id="the end of nothing"),
        pytest.param('{"type":"complete","id":"' + "x" * 1001 + '"}', 4400, id="a long id"),
        pytest.param('{"type":"ping","payload":[' + "[]," * 50_000 + "[]]}", 4400, id="many values"),
        pytest.param('{"type":"' + "ü" * 119 + '"}', 4400, id="a type that makes a long reason"),
        pytest.param('{"type":7}', 4400, id="a number as type"),
        pytest.param("[]", 4400, id="a list"),
        pytest.param("{", 4400, id="no JSON"),
        pytest.param(b"\xff\x00", 4400, id="bytes"),
    ],
)
async def test_who_breaks_the_protocol_is_closed_with_its_code(stack: Stack, text: str | bytes, code: int) -> None:
    async with stack.socket() as client:
        await client.connection.send(text)
        assert await client.closed_with() == code


@pytest.mark.asyncio
async def test_an_id_in_use_closes_the_connection(stack: Stack) -> None:
    async with stack.socket() as client:
        await client.subscribe()
        await client.subscribe()
        assert await client.closed_with() == 4409
    await stack.auction.followed_by(0)


@pytest.mark.asyncio
async def test_a_client_of_another_subprotocol_is_told_so(stack: Stack) -> None:
    url = stack.url.replace("http", "ws")
    async with connect(url, subprotocols=[Subprotocol("graphql-ws")], proxy=None) as connection:
        async with asyncio.timeout(10):
            await connection.wait_closed()
        assert connection.close_code == 4406


@pytest.mark.asyncio
async def test_a_client_that_says_nothing_is_closed() -> None:
    settings = SubscriptionSettings(connection_init_timeout_s=0.05)
    async with live_stack(RouterConfig(subscriptions=settings)) as stack, stack.socket(acknowledged=False) as client:
        assert await client.closed_with() == 4408


@pytest.mark.asyncio
async def test_a_connection_takes_only_so_many_operations() -> None:
    settings = SubscriptionSettings(max_per_connection=1)
    async with live_stack(RouterConfig(subscriptions=settings)) as stack, stack.socket() as client:
        await client.subscribe(id_="1")
        await stack.auction.followed_by(1)
        await client.subscribe(id_="2")
        message = await client.receive()
        assert (message["id"], message["payload"][0]["extensions"]["code"]) == ("2", "SUBSCRIPTION_LIMIT")
        stack.auction.bid(3)
        assert await client.receive() == bid(3)


@pytest.mark.asyncio
@pytest.mark.parametrize("payload", [{"Authorization": "Bearer a"}, {"headers": {"authorization": "Bearer a"}}])
async def test_the_payload_of_the_beginning_brings_the_forwarded_headers(stack: Stack, payload: object) -> None:
    async with stack.socket(payload) as client:
        await client.subscribe()
        await stack.auction.followed_by(1)
        assert stack.auction.authorizations == ["Bearer a"]


@pytest.mark.asyncio
@pytest.mark.parametrize("value", ["Bearer a\r\nx-evil: 1", "Bearer ü", 7, None])
async def test_what_is_no_header_value_is_not_forwarded(stack: Stack, value: object) -> None:
    async with stack.socket({"authorization": value}) as client:
        await client.subscribe()
        await stack.auction.followed_by(1)
        assert stack.auction.authorizations == [None]


@pytest.mark.asyncio
async def test_at_the_end_of_the_router_clients_are_told_to_come_again(stack: Stack) -> None:
    """1012 (service restart): the npm package connects and subscribes again after it."""
    async with stack.socket() as client:
        await client.subscribe()
        await stack.auction.followed_by(1)
        stack.app.end_streams()
        stack.router.server.should_exit = True
        assert await client.closed_with() == 1012
        await until(lambda: not stack.auction.followers)


@pytest.mark.asyncio
async def test_operations_count_as_requests_and_are_refused_as_they_are(stack: Stack) -> None:
    async with stack.socket() as client:
        stack.app.overload.in_flight = 2000
        await client.subscribe("{ highest }")
        refused = await client.receive()
        assert (refused["type"], refused["payload"][0]["extensions"]) == ("error", {"code": "OVERLOADED"})
        stack.app.overload.in_flight = 0
        await client.subscribe()
        await stack.auction.followed_by(1)
        await client.subscribe("{ highest }", id_="2")
        assert (await client.receive())["payload"] == {"data": {"highest": 100}}
        assert await client.receive() == {"id": "2", "type": "complete"}
        assert stack.app.overload.in_flight == 0  # a subscription that waits for events is no load
