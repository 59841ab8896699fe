"""WebSockets and streams: who may open them, what they may hold, and what a flood of messages costs the others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.security.attacks.target import FRIENDLY_ORIGIN, Target

pytestmark = [pytest.mark.xdist_group("attacks"), pytest.mark.asyncio]

TICKS = "subscription { ticks }"


@asynccontextmanager
async def opened(target: Target, payload: object = None, **headers: str) -> AsyncIterator[ClientConnection]:
    async with socket(target, **headers) as client:
        await client.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(await client.recv()) == {"type": "connection_ack"}
        yield client


def socket(target: Target, subprotocol: str = "graphql-transport-ws", **headers: str) -> connect:
    return connect(
        target.websocket_url,
        subprotocols=[Subprotocol(subprotocol)],
        additional_headers={name.replace("_", "-"): value for name, value in headers.items()},
        proxy=None,
        ping_interval=None,
        max_size=None,
    )


async def subscribe(client: ClientConnection, query: str, id_: str = "1") -> None:
    await client.send(json.dumps({"type": "subscribe", "id": id_, "payload": {"query": query}}))


async def received(client: ClientConnection, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(30):
        return [json.loads(await client.recv()) for _ in range(count)]


async def closed_with(client: ClientConnection) -> int | None:
    await asyncio.wait_for(client.wait_closed(), 30)
    return client.close_code


@pytest.mark.parametrize("origin", ["https://evil.test", "null", f"{FRIENDLY_ORIGIN}.evil.test", "http://127.0.0.1:1"])
async def test_no_foreign_page_opens_a_socket(target: Target, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await socket(target, origin=origin, cookie=f"session={target.token()}")
    assert caught.value.response.status_code == 403


async def test_a_page_of_ones_own_does(target: Target) -> None:
    async with opened(target, origin=FRIENDLY_ORIGIN) as client:
        await subscribe(client, "{ __typename }")
        [result] = await received(client, 1)
        assert result["payload"] == {"data": {"__typename": "Query"}}


async def test_who_says_nothing_is_closed_and_so_is_who_speaks_too_early(target: Target) -> None:
    async with socket(target) as silent, socket(target) as early, socket(target, "graphql-ws") as other:
        await subscribe(early, "{ headers }")
        assert (await closed_with(early), await closed_with(other), await closed_with(silent)) == (4401, 4406, 4408)


@pytest.mark.parametrize("payload", [{"x-user-id": "bob"}, {"headers": {"X-User-Id": "bob"}}, {"sub": "bob"}])
async def test_nobody_says_in_the_payload_who_they_are(target: Target, payload: object) -> None:
    async with opened(target, payload, x_user_id="bob") as client:
        await subscribe(client, "{ me { name } headers }")
        [result] = await received(client, 1)
        assert result["payload"]["data"]["me"] is None
        assert "bob" not in str(result)


async def test_a_forged_token_in_the_payload_is_refused(target: Target) -> None:
    async with socket(target) as client:
        await client.send(json.dumps({"type": "connection_init", "payload": {"authorization": "Bearer a.b.c"}}))
        assert await closed_with(client) == 4403


async def test_the_schema_is_not_read_over_a_socket(target: Target) -> None:
    async with opened(target) as client:
        await subscribe(client, "{ __schema { types { name } } }")
        [refused] = await received(client, 1)
        told = refused["payload"][0]["extensions"]
        assert (told["code"], sorted(told)) == ("INTROSPECTION_DISABLED", ["code", "traceId"])


async def test_a_thousand_subscriptions_of_one_client_are_a_hundred(target: Target) -> None:
    async with opened(target) as client:
        for number in range(1000):
            await subscribe(client, TICKS, str(number))
        refused = 0
        while refused < 900:
            [message] = await received(client, 1)
            refused += message["type"] == "error"
            assert message["type"] in ("error", "next")


async def test_each_of_a_flood_of_operations_is_answered_or_refused(target: Target) -> None:
    async with opened(target) as client:
        for number in range(3000):
            await subscribe(client, "{ __typename }", str(number))
        ended = 0
        while ended < 3000:
            [message] = await received(client, 1)
            ended += message["type"] in ("error", "complete")


async def test_a_flood_of_pings_costs_nobody_else(target: Target) -> None:
    async with opened(target) as client:
        for _ in range(20_000):
            await client.send('{"type":"ping"}')
        assert await received(client, 100) == [{"type": "pong"}] * 100


async def test_a_flood_of_subscriptions_with_one_id_is_one_and_closes_the_socket(target: Target) -> None:
    async with opened(target) as client:
        with suppress(ConnectionClosed):
            for _ in range(1000):
                await subscribe(client, TICKS, "same")
        assert await closed_with(client) in (4409, 1006)


@pytest.mark.parametrize(
    "frame",
    [
        b"\xc1\x85" + bytes(4) + b"\x4a\x4c\x84\x02\x00",
        b"\xa1\x81" + bytes(4) + b"x",
        b"\x81\x01x",
        b"\x81\xff" + b"\xff" * 8 + bytes(4),
        b"\x89\xfe\x04\x00" + bytes(4) + b"x" * 1024,
        b"\x09\x80" + bytes(4),
        b"\x80\x81" + bytes(4) + b"x",
        b"\x83\x81" + bytes(4) + b"x",
    ],
    ids=[
        "compressed, which nobody agreed to", "a reserved bit", "without a mask", "longer than all", "a long ping",
        "a ping in pieces", "the rest of nothing", "of a kind that is none",
    ],
)  # fmt: skip
async def test_a_frame_that_is_none_closes_the_socket(target: Target, frame: bytes) -> None:
    async with opened(target) as client:
        client.transport.write(frame)
        assert await closed_with(client) in (1002, 1009, 1006)


async def test_a_flood_of_pings_of_the_socket_costs_nobody_else(target: Target) -> None:
    async with opened(target) as client:
        client.transport.write((b"\x89\xfd" + bytes(4) + b"x" * 125) * 50_000)
        await subscribe(client, "{ __typename }")
        [result] = await received(client, 1)
        assert result["payload"] == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("message", "codes"),
    [
        ("x" * 2_000_000, {1009, 1006}),
        ("[" * 400_000, {4400}),
        ('{"type":"ping","payload":[' + "[]," * 200_000 + "[]]}", {4400}),
        (b"\xff\xfe", {4400}),
        ('{"type":"subscribe","id":"' + "x" * 500_000 + '","payload":{}}', {4400}),
        ('{"type":"subscribe","id":{},"payload":{}}', {4400}),
        ('{"type":"connection_init"}', {4429}),
    ],
    ids=["too large", "nested", "values", "no text", "a long id", "an id that is none", "a second beginning"],
)
async def test_a_message_that_is_none_closes_the_socket(target: Target, message: str | bytes, codes: set[int]) -> None:
    async with opened(target) as client:
        with suppress(ConnectionClosed):
            await client.send(message)
        assert await closed_with(client) in codes


async def test_a_message_in_frames_without_number_closes_the_socket(target: Target) -> None:
    async def frames() -> AsyncIterator[str]:
        for _ in range(50_000):
            yield ""

    async with opened(target) as client:
        with suppress(ConnectionClosed):
            await client.send(frames())
        assert await closed_with(client) in (1008, 1006)


async def test_beginnings_of_messages_are_not_all_held(target: Target) -> None:
    beginning = b"\x81\xff" + (990_000).to_bytes(8, "big") + bytes(4) + b"x" * 989_000
    async with AsyncExitStack() as resources:
        sockets = [await resources.enter_async_context(opened(target)) for _ in range(200)]
        for one in sockets:
            one.transport.write(beginning)
        await asyncio.to_thread(target.assert_answers)
        for one in sockets:
            one.transport.abort()


async def test_messages_of_operations_that_last_are_not_all_held(target: Target) -> None:
    async with AsyncExitStack() as resources:
        clients = [await resources.enter_async_context(opened(target)) for _ in range(10)]
        for number in range(60):
            for client in clients:
                payload = {"query": TICKS, "variables": {"undeclared": "x" * 900_000}}
                with suppress(ConnectionClosed):
                    await client.send(json.dumps({"type": "subscribe", "id": str(number), "payload": payload}))
        await asyncio.to_thread(target.assert_answers)
        for client in clients:
            client.transport.abort()


async def test_beginnings_of_connections_are_not_all_held(target: Target) -> None:
    async with AsyncExitStack() as resources:
        for _ in range(300):
            client = await resources.enter_async_context(socket(target))
            await client.send(json.dumps({"type": "connection_init", "payload": {"x": "x" * 900_000}}))
            assert json.loads(await client.recv()) == {"type": "connection_ack"}
        await asyncio.to_thread(target.assert_answers)


async def test_results_that_nobody_reads_are_not_all_written(target: Target) -> None:
    query = "query { " + " ".join(f'a{n}: echo(text: "{"x" * 5000}")' for n in range(40)) + " }"
    async with opened(target) as client:
        for number in range(90):
            await subscribe(client, query, str(number))
        await asyncio.to_thread(target.assert_answers)
        client.transport.abort()


async def test_a_crowd_of_streams_costs_the_others_nothing_but_their_events(target: Target) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30, limits=httpx.Limits(max_connections=300)) as client:

        async def first_event() -> str:
            accept = {"accept": "text/event-stream"}
            async with client.stream("POST", target.url, json={"query": TICKS}, headers=accept) as response:
                async for line in response.aiter_lines():
                    if line.startswith("data:"):
                        return line
            return ""

        events = await asyncio.gather(*[first_event() for _ in range(200)])
        assert set(events) == {'data: {"data":{"ticks":1}}'}
