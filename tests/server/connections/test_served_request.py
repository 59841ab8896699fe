"""The shorter ways beside ASGI's messages give what the messages give, and are open to nobody behind a layer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from router.server.config import RouterConfig
from router.server.connections.http_protocol import OneWriteProtocol
from router.server.connections.served_request import ServedRequest, served_request
from router.server.http.body import read_body, whole_body
from router.server.http.disconnect import DisconnectWatch
from router.server.shedding.overload import LoadShedder, Overload, overload_policy
from tests.server.connections.test_http_protocol import Transport

App = Callable[[Scope, Receive, Send], Awaitable[None]]
HEADERS = ((b"x-id", b"7"),)
ANSWER = b"HTTP/1.1 200 OK\r\nx-id: 7\r\ncontent-length: 2\r\n\r\n{}"


def post(body: bytes, target: bytes = b"/") -> bytes:
    return b"POST %b HTTP/1.1\r\nhost: router\r\ncontent-length: %d\r\n\r\n%b" % (target, len(body), body)


class Connection:
    """A client's connection to a server that runs ``app``; what comes back is in ``transport.written``."""

    def __init__(self, app: App) -> None:
        config = Config(
            app,
            date_header=False,
            server_header=False,
            access_log=False,
            log_config=None,
            proxy_headers=False,
            interface="asgi3",
        )
        config.load()
        self.transport = Transport()
        self._state = ServerState()
        self._protocol = OneWriteProtocol(config, self._state, {}, asyncio.get_running_loop())
        self._protocol.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        self._protocol.data_received(data)

    def leave(self) -> None:
        self.transport.close()
        self._protocol.connection_lost(None)

    async def answered(self) -> list[bytes]:
        """What was written when the server has nothing left to do."""
        while self._state.tasks:
            await asyncio.wait(self._state.tasks)
        return self.transport.written


def served(receive_or_send: Receive | Send) -> ServedRequest:
    request = served_request(receive_or_send)
    assert request is not None
    return request


async def respond(_: Scope, __: Receive, send: Send) -> None:
    assert served(send).respond(200, HEADERS, b"{}")


@pytest.mark.asyncio
async def test_an_answer_by_one_call_is_written_as_by_messages() -> None:
    connection = Connection(respond)
    connection.send(post(b"") + post(b"{}"))
    assert await connection.answered() == [ANSWER, ANSWER]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("request_", "headers"),
    [
        pytest.param(b"HEAD / HTTP/1.1\r\nhost: router\r\n\r\n", HEADERS, id="no body is asked for"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", HEADERS, id="the connection ends"),
        pytest.param(post(b""), ((b"x-id", b"7\r\nset-cookie: a"),), id="a line break in a value"),
        pytest.param(post(b""), ((b"x-id: 7\r\n", b""),), id="a line break in a name"),
        pytest.param(post(b""), ((b"transfer-encoding", b"chunked"),), id="another framing"),
    ],
)
async def test_what_is_not_plain_must_go_by_messages(request_: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    taken = []

    async def app(_: Scope, __: Receive, send: Send) -> None:
        taken.append(served(send).respond(200, headers, b"{}"))
        taken.append(bool(connection.transport.written))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    connection = Connection(app)
    connection.send(request_)
    assert b" 204 No Content\r\n" in (await connection.answered())[0]
    assert taken == [False, False]


@pytest.mark.asyncio
async def test_whoever_waits_for_the_answer_is_told_once_that_it_begins() -> None:
    told = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        request = served(receive)
        request.on_begin = lambda: told.append(len(connection.transport.written))
        assert request.respond(200, HEADERS, b"{}")
        request.begin()

    connection = Connection(app)
    connection.send(post(b""))
    await connection.answered()
    assert told == [0]


@pytest.mark.asyncio
async def test_a_body_that_is_there_is_taken_and_what_comes_after_it_is_the_end_of_the_connection() -> None:
    seen: list[object] = []

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        request = served(receive)
        seen.extend([request.is_whole(), request.take_body(), request.is_whole()])
        seen.append((await receive())["type"])

    connection = Connection(app)
    connection.send(post(b"{}"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seen == [True, b"{}", False]
    connection.leave()
    await connection.answered()
    assert seen[3:] == ["http.disconnect"]


@pytest.mark.asyncio
async def test_a_body_that_comes_in_pieces_comes_by_messages() -> None:
    seen: list[object] = []

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        seen.append(whole_body(receive, 10))
        seen.append(await read_body(receive, b"6", 10))

    connection = Connection(app)
    whole = post(b"abcdef")
    connection.send(whole[:-4])
    await asyncio.sleep(0)
    connection.send(whole[-4:-3])
    connection.send(whole[-3:-2])
    await asyncio.sleep(0)
    connection.send(whole[-2:])
    await connection.answered()
    assert seen == [None, b"abcdef"]


@pytest.mark.asyncio
async def test_pieces_that_came_before_anybody_looked_are_one_body() -> None:
    bodies = []

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        bodies.append(whole_body(receive, 3))

    connection = Connection(app)
    for piece in (
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n",
        *[b"1\r\nx\r\n"] * 3,
        b"0\r\n\r\n",
    ):
        connection.send(piece)
    await connection.answered()
    assert bodies == [b"xxx"]


@pytest.mark.asyncio
async def test_a_client_that_waits_for_a_word_before_its_body_gets_it() -> None:
    bodies = []

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        bodies.append(await read_body(receive, b"2", 10))

    connection = Connection(app)
    connection.send(b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
    await asyncio.sleep(0)
    assert connection.transport.written == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    connection.send(b"{}")
    await connection.answered()
    assert bodies == [b"{}"]


@pytest.mark.asyncio
async def test_behind_a_layer_all_goes_by_messages() -> None:
    seen: list[object] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        async def other_receive() -> Message:
            message = await receive()
            return {**message, "body": message["body"].upper()}

        async def other_send(message: Message) -> None:
            await send(message)

        seen.extend([served_request(other_send), whole_body(other_receive, 9), await read_body(other_receive, b"", 9)])

    connection = Connection(app)
    connection.send(post(b"body"))
    await connection.answered()
    assert seen == [None, None, b"BODY"]


@pytest.mark.asyncio
@pytest.mark.parametrize("is_behind_a_layer", [False, True])
async def test_work_is_given_up_with_its_client(is_behind_a_layer: bool) -> None:
    ends: list[object] = []
    begun, watched = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise
        return "done"

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        async def passed_on() -> Message:
            watched.set()
            return await receive()

        await read_body(receive, b"", 10)
        asked = passed_on if is_behind_a_layer else receive
        ends.append(await DisconnectWatch().unless_disconnected(asked, work()))

    connection = Connection(app)
    connection.send(post(b""))
    await begun.wait()
    if is_behind_a_layer:
        await watched.wait()
    connection.leave()
    await connection.answered()
    assert ends == ["cancelled", None]


@pytest.mark.asyncio
async def test_a_request_has_its_place_until_it_is_answered_or_its_client_goes_away() -> None:
    overload = Overload(overload_policy(RouterConfig()))
    begun, go = asyncio.Event(), asyncio.Event()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        begun.set()
        await go.wait()
        served(send).respond(200, HEADERS, b"{}")

    staying, leaving = [Connection(LoadShedder(app, overload)) for _ in range(2)]
    for connection in (staying, leaving):
        connection.send(post(b""))
    await begun.wait()
    await asyncio.sleep(0)
    assert overload.in_flight == 2
    leaving.leave()
    assert overload.in_flight == 1
    go.set()
    assert await staying.answered() == [ANSWER]
    assert await leaving.answered() == []
    assert overload.in_flight == 0


@pytest.mark.asyncio
async def test_what_nobody_watches_is_done_to_its_end() -> None:
    begun, go, done = asyncio.Event(), asyncio.Event(), []

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        begun.set()
        await go.wait()
        done.append(served(receive).is_client_gone)

    connection = Connection(app)
    connection.send(post(b""))
    await begun.wait()
    connection.leave()
    go.set()
    await connection.answered()
    assert done == [True]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("target", "path", "raw_path", "query"),
    [
        (b"/graphql", "/graphql", b"/graphql", b""),
        (b"/a?b?c=d", "/a", b"/a", b"b?c=d"),
        (b"/%C3%A4%2Fb?%41", "/ä/b", b"/%C3%A4%2Fb", b"%41"),
        (b"//host/a", "//host/a", b"//host/a", b""),
        (b"http://host:80/a?b", "/a", b"/a", b"b"),
        (b"/a?b#c", "/a", b"/a", b"b"),
    ],
)
async def test_an_app_is_told_the_target_of_its_request(
    target: bytes, path: str, raw_path: bytes, query: bytes
) -> None:
    told: list[object] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        told.extend([scope["path"], scope["raw_path"], scope["query_string"], scope["method"], scope["http_version"]])

    connection = Connection(app)
    connection.send(post(b"", target))
    await connection.answered()
    assert told == [path, raw_path, query, "POST", "1.1"]
