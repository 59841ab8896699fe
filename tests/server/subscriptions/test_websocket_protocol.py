"""Messages that are not whole yet take no more memory together than there is room for, and no endless frames."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from functools import partial

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from router.server.app import create_app
from router.server.config import RouterConfig
from router.server.connections.websocket_protocol import BoundedWebSocketProtocol
from router.server.shedding.overload import Overload
from tests.server.subscriptions.live import Served, serve, until

# The head of a text frame of 200,000 bytes, and all of it but the end.
BEGINNING = b"\x81\xff" + (200_000).to_bytes(8, "big") + bytes(4) + b"x" * 190_000


async def serve_router(resources: AsyncExitStack, **subscriptions: float) -> tuple[Served, Overload]:
    config = RouterConfig.model_validate(
        {"traffic": {"shedding": {"max_body_bytes": 500_000}}, "subscriptions": subscriptions}
    )
    app = create_app(config)
    served = await serve(app, ws=partial(BoundedWebSocketProtocol, app.overload))
    resources.push_async_callback(served.stop)
    return served, app.overload


async def open_socket(served: Served, resources: AsyncExitStack) -> ClientConnection:
    subprotocols = [Subprotocol("graphql-transport-ws")]
    client = connect(f"ws://{served.address}/graphql", subprotocols=subprotocols, proxy=None, ping_interval=None)
    return await resources.enter_async_context(client)


@pytest.mark.asyncio
async def test_beginnings_of_messages_beyond_the_room_are_closed_and_leave_it() -> None:
    async with AsyncExitStack() as resources:
        served, overload = await serve_router(resources)
        first, second, third = [await open_socket(served, resources) for _ in range(3)]
        for socket, held in ((first, 190_000), (second, 380_000)):
            socket.transport.write(BEGINNING)
            await until(lambda held=held: overload.body_bytes >= held)  # type: ignore[misc]
        third.transport.write(BEGINNING)
        await asyncio.wait_for(third.wait_closed(), 10)
        assert (third.close_code, overload.refused) == (1013, 1)
        first.transport.abort()
        second.transport.abort()
        await until(lambda: overload.body_bytes == 0)


@pytest.mark.asyncio
async def test_small_beginnings_beyond_the_room_close_the_socket_that_began_first() -> None:
    small = b"\x81\xff" + (60_000).to_bytes(8, "big") + bytes(4) + b"x" * 55_000
    async with AsyncExitStack() as resources:
        served, overload = await serve_router(resources)
        sockets = [await open_socket(served, resources) for _ in range(11)]
        for number, socket in enumerate(sockets[:9]):
            socket.transport.write(small)
            await until(lambda held=55_000 * (number + 1): overload.unfinished.total_bytes >= held)  # type: ignore[misc]
        assert overload.refused == 0
        sockets[9].transport.write(small)
        await asyncio.wait_for(sockets[0].wait_closed(), 10)
        assert (sockets[0].close_code, overload.refused, overload.body_bytes) == (1013, 1, 0)
        for socket in sockets[1:]:
            socket.transport.abort()
        await until(lambda: overload.unfinished.total_bytes == 0)


@pytest.mark.asyncio
async def test_a_message_in_endless_frames_ends_the_connection() -> None:
    async def frames() -> AsyncIterator[str]:
        for _ in range(5000):
            yield ""

    async with AsyncExitStack() as resources:
        served, _ = await serve_router(resources)
        socket = await open_socket(served, resources)
        with suppress(ConnectionClosed):
            await socket.send(frames())
        await asyncio.wait_for(socket.wait_closed(), 10)
        assert socket.close_code in (1008, 1006)  # the latter where it was still writing


@pytest.mark.asyncio
async def test_what_a_client_goes_on_to_send_after_the_close_is_not_held() -> None:
    async with AsyncExitStack() as resources:
        served, overload = await serve_router(resources, connection_init_timeout_s=0.1)
        socket = await open_socket(served, resources)
        socket.transport.write(BEGINNING)
        await until(lambda: overload.body_bytes > 0)
        async with asyncio.timeout(10):
            while not socket.transport.is_closing():
                socket.transport.write(b"x" * 10)
                await asyncio.sleep(0.01)
        await until(lambda: overload.body_bytes == 0)
