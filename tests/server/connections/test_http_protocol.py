"""A whole answer leaves in one write; what is no whole answer leaves as uvicorn writes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from router.server.connections.http_protocol import OneWriteProtocol

REQUEST = b"GET / HTTP/1.1\r\nhost: router\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nx-id: 7\r\ncontent-length: 2\r\n\r\n"
START: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"x-id", b"7"), (b"content-length", b"2")],
}
BODY: Message = {"type": "http.response.body", "body": b"{}"}


class Transport(asyncio.Transport):
    """Notes what is written, and that it was closed."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 1)})
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Client:
    """A connection to a server that answers by ``answer``; ``is_closed`` where the server wanted no more requests."""

    def __init__(self, answer: Callable[[Send], Awaitable[None]]) -> None:
        async def app(_: Scope, __: Receive, send: Send) -> None:
            await answer(send)

        config = Config(app, date_header=False, server_header=False, access_log=False, log_config=None)
        config.load()
        self.is_closed = False
        self._transport = Transport()
        self._state = ServerState()
        self._protocol = OneWriteProtocol(config, self._state, {}, asyncio.get_running_loop())
        self._protocol.connection_made(self._transport)

    def leave(self) -> None:
        """Be gone, before the server is told."""
        self._transport.close()

    async def send(self, request: bytes = REQUEST) -> list[bytes]:
        """Send a request; what was written by the time it was answered."""
        self._protocol.data_received(request)
        while self._state.tasks:
            await asyncio.wait(self._state.tasks)
        self.is_closed = self._transport.is_closed
        self._protocol.connection_lost(None)  # Its timer for idle connections ends too.
        return self._transport.written


def sending(*messages: Message) -> Callable[[Send], Awaitable[None]]:
    async def answer(send: Send) -> None:
        for message in messages:
            await send(message)

    return answer


@pytest.mark.asyncio
async def test_head_and_body_are_one_write() -> None:
    client = Client(sending(START, BODY))
    assert await client.send() == [HEAD + b"{}"]
    assert not client.is_closed


@pytest.mark.asyncio
async def test_requests_in_a_row_are_answered_in_order() -> None:
    assert await Client(sending(START, BODY)).send(REQUEST + REQUEST) == [HEAD + b"{}", HEAD + b"{}"]


@pytest.mark.asyncio
async def test_what_is_sent_to_a_client_that_is_gone_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(send: Send) -> None:
        client.leave()
        await send(START)
        await send(BODY)

    client = Client(answer)
    assert await client.send() == []
    assert caplog.records == []


@pytest.mark.asyncio
async def test_a_stream_does_not_wait_for_its_first_part() -> None:
    start = {**START, "headers": [(b"x-id", b"7")]}
    head = b"HTTP/1.1 200 OK\r\nx-id: 7\r\ntransfer-encoding: chunked\r\n\r\n"
    part: Message = {"type": "http.response.body", "body": b"{}", "more_body": True}
    end: Message = {"type": "http.response.body"}
    assert await Client(sending(start, part, end)).send() == [head, b"2\r\n{}\r\n", b"0\r\n\r\n"]


@pytest.mark.asyncio
async def test_parts_of_a_known_length_are_written_as_they_come() -> None:
    parts: list[Message] = [
        {"type": "http.response.body", "body": b"{", "more_body": True},
        {"type": "http.response.body", "body": b"}"},
    ]
    assert await Client(sending(START, *parts)).send() == [HEAD, b"{", b"}"]


@pytest.mark.asyncio
async def test_head_asks_for_no_body() -> None:
    assert await Client(sending(START, BODY)).send(REQUEST.replace(b"GET", b"HEAD")) == [HEAD]


@pytest.mark.asyncio
async def test_a_client_that_wants_no_more_is_closed_after_its_answer() -> None:
    client = Client(sending(START, BODY))
    head = HEAD.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    assert await client.send(REQUEST.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")) == [head, b"{}"]
    assert client.is_closed


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([(b"content-length", b"2"), (b"x-id", b"7\r\nset-cookie: a")], id="a line break in a value"),
        pytest.param([(b"content-length", b"2"), (b"x-id: 7\r\n", b"")], id="a line break in a name"),
    ],
)
async def test_a_header_that_would_be_two_is_never_written(headers: list[tuple[bytes, bytes]]) -> None:
    client = Client(sending({**START, "headers": headers}, BODY))
    assert await client.send() == []
    assert client.is_closed


@pytest.mark.asyncio
async def test_a_body_of_another_length_than_said_is_not_sent() -> None:
    client = Client(sending(START, {**BODY, "body": b"{}{}"}))
    assert b"{}{}" not in b"".join(await client.send())
    assert client.is_closed


@pytest.mark.asyncio
async def test_an_app_that_fails_before_its_body_answers_500() -> None:
    async def answer(send: Send) -> None:
        await send(START)
        raise ValueError

    written = b"".join(await Client(answer).send())
    assert written.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert written.endswith(b"Internal Server Error")
