"""All sources of a subgraph's events keep one contract; then what is each one's own."""

from __future__ import annotations

import asyncio
import http
import json
import os
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from time import process_time
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from router.execution.answer import SubgraphAnswer
from router.execution.errors import INVALID_RESPONSE, REQUEST_FAILED, SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.http.tls import Tls
from router.execution.json_numbers import decode_exact, encode
from router.execution.subscription.event_source import EventRequest, EventSource, SubscriptionRefused
from router.execution.subscription.event_stream import EventStreamError, EventStreamReader
from router.execution.subscription.sse_source import SseSource
from router.execution.subscription.websocket_source import WebSocketSource, websocket_url
from tests.execution.event_subgraphs import (
    BODY,
    HEADERS,
    EventSubgraph,
    Stream,
    Tell,
    older_websocket_subgraph,
    sse_subgraph,
    websocket_subgraph,
)
from tests.execution.raw_server import Exchange, ok, raw_server, silent_server

Start = Callable[[Tell, asyncio.Event], AbstractAsyncContextManager[EventSubgraph]]
ALL = pytest.mark.parametrize(
    "start", [websocket_subgraph, older_websocket_subgraph, sse_subgraph], ids=["websocket", "older websocket", "sse"]
)


async def read_all(subgraph: EventSubgraph) -> list[SubgraphAnswer]:
    return await read(subgraph.source, subgraph.request())


async def read(source: EventSource, request: EventRequest) -> list[SubgraphAnswer]:
    async with asyncio.timeout(10), source.open(request) as events:
        return [event async for event in events]


@ALL
@pytest.mark.asyncio
async def test_events_come_until_the_subgraph_completes(start: Start) -> None:
    async def tell(stream: Stream) -> None:
        await stream.result('{"data":{"ticks":1}}')
        await stream.result('{"data":null,"errors":[{"message":"no tick"}]}')
        await stream.complete()

    async with start(tell, asyncio.Event()) as subgraph:
        assert await read_all(subgraph) == [
            SubgraphAnswer({"ticks": 1}, []),
            SubgraphAnswer(None, [{"message": "no tick"}]),
        ]
        assert subgraph.asked.bodies == [json.loads(BODY)]
        assert subgraph.asked.authorizations == ["Bearer a"]


@ALL
@pytest.mark.asyncio
async def test_numbers_keep_all_their_digits(start: Start) -> None:
    async def tell(stream: Stream) -> None:
        await stream.result('{"data":{"big":123456789012345678901234567890}}')
        await stream.complete()

    async with start(tell, asyncio.Event()) as subgraph:
        [event] = await read_all(subgraph)
        assert encode(event.data) == b'{"big":123456789012345678901234567890}'


@ALL
@pytest.mark.asyncio
async def test_an_error_is_the_last_event(start: Start) -> None:
    async def tell(stream: Stream) -> None:
        await stream.error([{"message": "not for you"}])

    async with start(tell, asyncio.Event()) as subgraph:
        assert await read_all(subgraph) == [SubgraphAnswer(None, [{"message": "not for you"}])]


@ALL
@pytest.mark.asyncio
async def test_a_connection_that_breaks_is_a_failure_worth_another_try(start: Start) -> None:
    async def tell(stream: Stream) -> None:
        await stream.result('{"data":{"ticks":1}}')
        await stream.break_off()

    async with start(tell, asyncio.Event()) as subgraph:
        with pytest.raises(SubgraphFailure) as caught:
            await read_all(subgraph)
    assert caught.value.code == REQUEST_FAILED
    assert not isinstance(caught.value, SubscriptionRefused)


@ALL
@pytest.mark.asyncio
async def test_what_is_not_graphql_is_a_failure(start: Start) -> None:
    async def tell(stream: Stream) -> None:
        await stream.nonsense()

    async with start(tell, asyncio.Event()) as subgraph:
        with pytest.raises(SubgraphFailure) as caught:
            await read_all(subgraph)
    assert caught.value.code == INVALID_RESPONSE


@ALL
@pytest.mark.asyncio
async def test_an_event_of_another_shape_is_a_failure(start: Start) -> None:
    async def tell(stream: Stream) -> None:
        await stream.result("[1]")
        await stream.until_left()

    async with start(tell, asyncio.Event()) as subgraph:
        with pytest.raises(SubgraphFailure, match="something other than JSON of GraphQL"):
            await read_all(subgraph)


@ALL
@pytest.mark.asyncio
async def test_leaving_tells_the_subgraph(start: Start) -> None:
    left = asyncio.Event()

    async def tell(stream: Stream) -> None:
        await stream.result('{"data":{"ticks":1}}')
        await stream.until_left()

    async with start(tell, left) as subgraph:
        async with subgraph.source.open(subgraph.request()) as events:
            assert await anext(events) == SubgraphAnswer({"ticks": 1}, [])
        async with asyncio.timeout(10):
            await left.wait()


QUICK: dict[str, EventSource] = {
    "websocket": WebSocketSource(Tls(ssl.create_default_context()), connect_timeout_s=0.2),
    "sse": SseSource(Tls(ssl.create_default_context()), connect_timeout_s=0.2, opening_timeout_s=0.4),
}


@pytest.mark.parametrize(
    ("way", "scheme", "message"),
    [
        ("websocket", "https", "Subgraph 'clock' did not open a WebSocket within 0.2 seconds."),
        ("websocket", "http", "Subgraph 'clock' did not open a WebSocket within 0.2 seconds."),
        ("sse", "https", "Subgraph 'clock' could not be connected to in time."),
        ("sse", "http", "Subgraph 'clock' fell silent."),
    ],
)
@pytest.mark.asyncio
async def test_a_subgraph_that_takes_connections_and_never_speaks_is_given_up_in_time(
    way: str, scheme: str, message: str
) -> None:
    """Over TLS it never shakes hands. Its connection is closed, too."""
    async with silent_server() as server:
        url = f"{scheme}://127.0.0.1:{server.port}/"
        with pytest.raises(SubgraphFailure) as caught:
            await read(QUICK[way], EventRequest("clock", url, BODY, HEADERS, decode_exact))
        async with asyncio.timeout(60):
            await server.closed.wait()
    assert (caught.value.code, caught.value.message) == (SUBGRAPH_TIMEOUT, message)
    assert not isinstance(caught.value, SubscriptionRefused)


SSE_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


@pytest.mark.asyncio
async def test_a_stream_that_is_open_may_be_silent_for_as_long_as_its_other_end_is_there() -> None:
    go_on = asyncio.Event()

    async def tell(exchange: Exchange) -> None:
        await exchange.write(SSE_HEAD)
        await go_on.wait()
        await exchange.write(b'event: next\ndata: {"data":{"ticks":1}}\n\nevent: complete\n\n')

    async with raw_server(tell) as server:
        request = EventRequest("clock", server.url, BODY, HEADERS, decode_exact)
        async with asyncio.timeout(10), SseSource(opening_timeout_s=0.1).open(request) as events:
            first = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0.5)  # Five times the limit: it is about what does not happen meanwhile.
            assert not first.done()
            [is_asked_after] = [
                connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                for connection in connections_to(urlsplit(server.url).port)
            ]
            assert is_asked_after == 1
            go_on.set()
            assert await first == SubgraphAnswer({"ticks": 1}, [])


@pytest.mark.parametrize("said", [b"", SSE_HEAD], ids=["no head", "no event"])
@pytest.mark.asyncio
async def test_a_stream_may_be_silent_for_as_long_as_the_settings_say(said: bytes) -> None:
    async def tell(exchange: Exchange) -> None:
        if said:
            await exchange.write(said)
        await asyncio.Event().wait()

    async with raw_server(tell) as server:
        request = EventRequest("clock", server.url, BODY, HEADERS, decode_exact)
        with pytest.raises(SubgraphFailure) as caught:
            await read(SseSource(silence_timeout_s=0.1), request)
    assert (caught.value.code, caught.value.message) == (SUBGRAPH_TIMEOUT, "Subgraph 'clock' fell silent.")


@pytest.mark.asyncio
async def test_an_answer_that_is_no_stream_comes_within_the_time_of_a_head() -> None:
    async def tell(exchange: Exchange) -> None:
        await exchange.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{")
        await asyncio.Event().wait()

    async with raw_server(tell) as server:
        request = EventRequest("clock", server.url, BODY, HEADERS, decode_exact)
        with pytest.raises(SubgraphFailure, match="fell silent"):
            await read(SseSource(opening_timeout_s=0.1), request)


def connections_to(port: int | None) -> Iterator[socket.socket]:
    """The client's ends of this process' connections to ``port``."""
    for name in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if stat.S_ISSOCK(name.stat().st_mode):
                with socket.socket(fileno=os.dup(int(name.name))) as connection:
                    if connection.family is socket.AF_INET and connection.getpeername()[1] == port:
                        yield connection


@pytest.mark.parametrize("source", [WebSocketSource(), SseSource()], ids=["websocket", "sse"])
@pytest.mark.asyncio
async def test_a_subgraph_that_is_not_there_is_a_failure_worth_another_try(source: EventSource) -> None:
    async with raw_server(lambda _: asyncio.sleep(0)) as server:
        url = server.url
    with pytest.raises(SubgraphFailure) as caught:
        await read(source, EventRequest("clock", url, BODY, HEADERS, decode_exact))
    assert caught.value.code == REQUEST_FAILED
    assert not isinstance(caught.value, SubscriptionRefused)


@asynccontextmanager
async def closing_with(code: int, *subprotocols: str) -> AsyncIterator[EventRequest]:
    """A subgraph that closes its WebSocket instead of acknowledging."""

    async def talk(socket: ServerConnection) -> None:
        await socket.close(code)

    spoken = [Subprotocol(name) for name in subprotocols]
    async with serve(talk, "127.0.0.1", 0, subprotocols=spoken or None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield EventRequest("clock", f"ws://127.0.0.1:{port}/", BODY, HEADERS, decode_exact)


@pytest.mark.asyncio
@pytest.mark.parametrize(("code", "is_refusal"), [(4403, True), (4400, True), (4408, False), (1011, False)])
async def test_codes_of_the_protocol_are_refusals(code: int, is_refusal: bool) -> None:
    async with closing_with(code, "graphql-transport-ws") as request:
        with pytest.raises(SubgraphFailure) as caught:
            await read(WebSocketSource(), request)
    assert isinstance(caught.value, SubscriptionRefused) is is_refusal


@pytest.mark.asyncio
async def test_a_websocket_without_a_protocol_is_a_refusal() -> None:
    async with closing_with(1000) as request:
        with pytest.raises(SubscriptionRefused) as caught:
            await read(WebSocketSource(), request)
    message = "Subgraph 'clock' speaks none of the WebSocket protocols graphql-transport-ws and graphql-ws."
    assert (caught.value.code, caught.value.message) == (INVALID_RESPONSE, message)


@pytest.mark.parametrize(
    ("spoken", "chosen"),
    [
        (["graphql-ws"], "graphql-ws"),
        (["graphql-transport-ws"], "graphql-transport-ws"),
        (["graphql-transport-ws", "graphql-ws"], "graphql-transport-ws"),
    ],
)
@pytest.mark.asyncio
async def test_the_older_protocol_is_the_second_choice(spoken: list[str], chosen: str) -> None:
    offered: list[str | None] = []

    async def talk(socket: ServerConnection) -> None:
        assert socket.request is not None
        offered.extend([socket.request.headers["sec-websocket-protocol"], socket.subprotocol])
        await socket.close(4403)

    async with serve(talk, "127.0.0.1", 0, subprotocols=[Subprotocol(name) for name in spoken]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(SubscriptionRefused):
            await read(WebSocketSource(), EventRequest("clock", f"ws://127.0.0.1:{port}/", BODY, HEADERS, decode_exact))
    assert offered == ["graphql-transport-ws, graphql-ws", chosen]


@pytest.mark.asyncio
async def test_a_subgraph_that_takes_the_first_protocol_and_does_not_speak_it_is_asked_by_the_other() -> None:
    """As the npm package subscriptions-transport-ws does, in whose place the library of its sockets chooses."""
    taken: list[str | None] = []

    async def talk(socket: ServerConnection) -> None:
        taken.append(socket.subprotocol)
        if socket.subprotocol != "graphql-ws":
            await socket.close(1002)
            return
        assert json.loads(await socket.recv())["type"] == "connection_init"
        await socket.send('{"type":"connection_ack"}')
        assert json.loads(await socket.recv())["type"] == "start"
        await socket.send('{"id":"1","type":"data","payload":{"data":{"ticks":1}}}')
        await socket.send('{"id":"1","type":"complete"}')
        await socket.wait_closed()

    def first(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol:
        return offered[0]

    async with serve(talk, "127.0.0.1", 0, select_subprotocol=first) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        request = EventRequest("clock", f"ws://127.0.0.1:{port}/", BODY, HEADERS, decode_exact)
        assert await read(WebSocketSource(), request) == [SubgraphAnswer({"ticks": 1}, [])]
    assert taken == ["graphql-transport-ws", "graphql-ws"]


@pytest.mark.asyncio
async def test_a_subgraph_that_speaks_no_protocol_that_it_takes_is_asked_by_each_once() -> None:
    taken: list[str | None] = []

    async def talk(socket: ServerConnection) -> None:
        taken.append(socket.subprotocol)
        await socket.close(1002)

    def first(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol:
        return offered[0]

    async with serve(talk, "127.0.0.1", 0, select_subprotocol=first) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(SubgraphFailure, match="Subgraph 'clock' closed the WebSocket of the subscription"):
            await read(WebSocketSource(), EventRequest("clock", f"ws://127.0.0.1:{port}/", BODY, HEADERS, decode_exact))
    assert taken == ["graphql-transport-ws", "graphql-ws"]


@pytest.mark.asyncio
async def test_an_older_subgraph_that_does_not_take_the_connection_is_not_asked_again() -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"type":"connection_error","payload":{"message":"who are you?"}}')
        await socket.wait_closed()

    async with serve(talk, "127.0.0.1", 0, subprotocols=[Subprotocol("graphql-ws")]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(SubscriptionRefused) as caught:
            await read(WebSocketSource(), EventRequest("clock", f"ws://127.0.0.1:{port}/", BODY, HEADERS, decode_exact))
    message = "Subgraph 'clock' refused the subscription: it answered with connection_error."
    assert (caught.value.code, caught.value.message) == (REQUEST_FAILED, message)


@pytest.mark.asyncio
@pytest.mark.parametrize(("status", "is_refusal"), [(401, True), (404, True), (500, False), (503, False)])
async def test_a_refused_handshake_is_told_with_its_status(status: int, is_refusal: bool) -> None:
    def refuse(_: ServerConnection, __: Request) -> Response:
        return Response(status, http.HTTPStatus(status).phrase, Headers([("content-length", "0")]), b"")

    async def talk(_: ServerConnection) -> None:
        raise AssertionError

    async with serve(talk, "127.0.0.1", 0, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        request = EventRequest("clock", f"ws://127.0.0.1:{port}/", BODY, HEADERS, decode_exact)
        with pytest.raises(SubgraphFailure, match=f"with HTTP status {status}") as caught:
            await read(WebSocketSource(), request)
    assert isinstance(caught.value, SubscriptionRefused) is is_refusal


@pytest.mark.asyncio
async def test_graphql_errors_instead_of_a_stream_are_the_only_event() -> None:
    async def talk(exchange: Exchange) -> None:
        body = b'{"errors":[{"message":"not for you"}]}'
        await exchange.write(ok(body, b"content-type: application/json").replace(b"200 OK", b"401 Unauthorized"))

    async with raw_server(talk) as server:
        request = EventRequest("clock", server.url, BODY, HEADERS, decode_exact)
        assert await read(SseSource(), request) == [SubgraphAnswer(None, [{"message": "not for you"}])]


@pytest.mark.asyncio
@pytest.mark.parametrize(("status", "is_refusal"), [(b"404 Not Found", True), (b"503 Service Unavailable", False)])
async def test_a_page_instead_of_a_stream_is_a_failure(status: bytes, is_refusal: bool) -> None:
    async def talk(exchange: Exchange) -> None:
        await exchange.write(ok(b"<html>", b"content-type: text/html").replace(b"200 OK", status))

    async with raw_server(talk) as server:
        with pytest.raises(SubgraphFailure) as caught:
            await read(SseSource(), EventRequest("clock", server.url, BODY, HEADERS, decode_exact))
    assert isinstance(caught.value, SubscriptionRefused) is is_refusal


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a:1/graphql?x=1", "ws://a:1/graphql?x=1"),
        ("https://a/graphql", "wss://a/graphql"),
        ("wss://a/ws", "wss://a/ws"),
    ],
)
def test_the_websocket_address_follows_the_routing_url(url: str, expected: str) -> None:
    assert websocket_url(url) == expected


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_event_streams_are_read_however_their_bytes_come(newline: bytes, size: int) -> None:
    lines = [
        b":",
        b"",
        b"event: next",
        b"data: {",
        b"data:}",
        b"",
        b"data: x",
        b"id: 7",
        b"",
        b"event: complete",
        b"",
        b"x",
    ]
    text = newline.join(lines)
    reader = EventStreamReader(100)
    events = [event for start in range(0, len(text), size) for event in reader.feed(text[start : start + size])]
    assert events == [(b"next", b"{\n}"), (b"message", b"x"), (b"complete", b"")]


@pytest.mark.parametrize("text", [b"data: " + b"x" * 200, b"data: 0123456789\n" * 20, b"data:\n" * 200])
def test_an_event_without_end_is_given_up(text: bytes) -> None:
    with pytest.raises(EventStreamError):
        EventStreamReader(100).feed(text)


def test_a_large_event_in_small_pieces_is_not_read_again_at_each_of_them() -> None:
    """A copy of what is held at each piece would be 8 GB of copies."""
    event = b"data: " + b"x" * 4_000_000 + b"\n\n"
    reader = EventStreamReader(5_000_000)
    began = process_time()
    events = [found for start in range(0, len(event), 1000) for found in reader.feed(event[start : start + 1000])]
    assert [len(data) for _, data in events] == [4_000_000]
    assert process_time() - began < 1.0
