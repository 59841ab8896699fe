"""The steps around a request: each is called when it has something to do, whoever answers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.server.http.answer import Answer, send_answer
from router.server.http.exchange import Exchange, Header, Step, refusing, stepwise
from router.server.http.negotiation import JSON
from router.server.request_error import RequestError
from tests.server.connections.test_served_request import Connection

START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"1")]}


async def answering(_: Scope, __: Receive, send: Send) -> None:
    """An app that answers by two pieces."""
    await send(START)
    await send({"type": "http.response.body", "body": b"four", "more_body": True})
    await send({"type": "http.response.body", "body": b"ty"})


async def failing(_: Scope, __: Receive, ___: Send) -> None:
    """An app that gives up before it answers."""
    raise ConnectionResetError


class Noting(Step):
    """Notes what it is called for, and adds its name to the head."""

    def __init__(self, name: str, calls: list[str], instead: ASGIApp | None = None) -> None:
        self._name = name
        self._calls = calls
        self._instead = instead

    def begin(self, _: Exchange) -> ASGIApp | None:
        self._calls.append(f"{self._name} begins")
        return self._instead

    def head(self, _: Exchange, headers: list[Header]) -> None:
        headers.append((b"step", self._name.encode()))

    def end(self, exchange: Exchange) -> None:
        self._calls.append(f"{self._name} ends: {exchange.status}, {exchange.sent_bytes} bytes")


async def sent_by(app: ASGIApp, asked: Mapping[str, Any] = MappingProxyType({"method": "POST"})) -> list[Message]:
    """What ``app`` sends to a request of which ``asked`` says the method."""
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "http", "headers": [], **asked}, receive, send)
    return sent


@pytest.mark.asyncio
async def test_steps_add_to_the_head_in_their_order_and_leave_the_app_s_own_message_alone() -> None:
    calls: list[str] = []
    start, *_ = await sent_by(stepwise(answering, [Noting("one", calls), Noting("two", calls)]))
    assert start["headers"] == [(b"a", b"1"), (b"step", b"one"), (b"step", b"two")]
    assert START["headers"] == [(b"a", b"1")]
    assert calls == ["one begins", "two begins", "one ends: 200, 6 bytes", "two ends: 200, 6 bytes"]


@pytest.mark.asyncio
async def test_what_answers_in_place_of_the_app_gets_the_heads_of_all_steps() -> None:
    calls: list[str] = []
    refusal = refusing(RequestError(400, "NO", "No."))
    app = stepwise(failing, [Noting("one", calls, refusal), Noting("two", calls)])
    start, body = await sent_by(app)
    assert (start["status"], start["headers"][-2:]) == (400, [(b"step", b"one"), (b"step", b"two")])
    size = len(body["body"])
    assert calls == ["one begins", f"one ends: 400, {size} bytes", f"two ends: 400, {size} bytes"]


@pytest.mark.asyncio
async def test_a_request_that_is_given_up_ends_for_each_step() -> None:
    calls: list[str] = []
    with pytest.raises(ConnectionResetError):
        await sent_by(stepwise(failing, [Noting("one", calls)]))
    assert calls == ["one begins", "one ends: 0, 0 bytes"]


class NotingGet(Noting):
    """Has something to begin for GET alone."""

    methods = frozenset({"GET"})


@pytest.mark.parametrize(
    ("method", "begun"), [("GET", ["one begins", "two begins"]), ("POST", ["one begins"]), (None, ["one begins"])]
)
@pytest.mark.asyncio
async def test_a_step_for_some_methods_begins_for_no_other_and_sees_all_heads(
    method: str | None, begun: list[str]
) -> None:
    calls: list[str] = []
    app = stepwise(answering, [Noting("one", calls), NotingGet("two", calls)])
    start, *_ = await sent_by(app, {"method": method} if method is not None else {})
    assert start["headers"][1:] == [(b"step", b"one"), (b"step", b"two")]
    assert calls == [*begun, "one ends: 200, 6 bytes", "two ends: 200, 6 bytes"]


def test_without_steps_there_is_no_layer() -> None:
    assert stepwise(answering, []) is answering


class ToSelf(Step):
    """Adds the name that the client gives itself, and whether the answer is large; and a number that no other has."""

    large_from = 4

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def head(self, exchange: Exchange, headers: list[Header]) -> None:
        self._calls.append("head")
        headers.append((b"to", exchange.fields[b"name"]))
        if int(exchange.told[b"content-length"]) >= self.large_from:
            headers.append((b"large", b"1"))


class Numbering(Step):
    """Adds a number that no other answer has."""

    adds_own = True

    def __init__(self) -> None:
        self._number = 0

    def head(self, _: Exchange, headers: list[Header]) -> None:
        self._number += 1
        headers.append((b"x-request-id", b"%d" % self._number))


class Ending(Step):
    """Notes what was answered."""

    def __init__(self, ended: list[tuple[int, int]]) -> None:
        self._ended = ended

    def end(self, exchange: Exchange) -> None:
        self._ended.append((exchange.status, exchange.sent_bytes))


async def echoing(_: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body of the request."""
    body = (await receive())["body"]
    await send_answer(send, Answer(200, body, ((b"a", b"1"),)), JSON)


async def echoing_by_messages(scope: Scope, receive: Receive, send: Send) -> None:
    """The same behind a layer that looks at the messages."""

    async def send_on(message: Message) -> None:
        await send(message)

    await echoing(scope, receive, send_on)


def post_as(name: bytes, body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nhost: h\r\nname: %b\r\ncontent-length: %d\r\n\r\n%b" % (name, len(body), body)


@pytest.mark.parametrize("app", [echoing, echoing_by_messages])
@pytest.mark.asyncio
async def test_a_whole_answer_has_the_same_head_by_one_call_as_by_messages(app: ASGIApp) -> None:
    ended: list[tuple[int, int]] = []
    connection = Connection(stepwise(app, [Numbering(), ToSelf([]), Ending(ended)]))
    for name, body in ((b"ada", b"{}"), (b"bob", b"{}"), (b"ada", b"{123}"), (b"ada", b"{}")):
        connection.send(post_as(name, body))
        await connection.answered()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\n"
    head += b"x-content-type-options: nosniff\r\na: 1\r\n"
    assert connection.transport.written == [
        head + b"to: ada\r\ncontent-length: 2\r\nx-request-id: 1\r\n\r\n{}",
        head + b"to: bob\r\ncontent-length: 2\r\nx-request-id: 2\r\n\r\n{}",
        head + b"to: ada\r\nlarge: 1\r\ncontent-length: 5\r\nx-request-id: 3\r\n\r\n{123}",
        head + b"to: ada\r\ncontent-length: 2\r\nx-request-id: 4\r\n\r\n{}",
    ]
    assert ended == [(200, 2), (200, 2), (200, 5), (200, 2)]


@pytest.mark.asyncio
async def test_what_steps_add_to_answers_is_worked_out_once_of_the_same_headers() -> None:
    calls: list[str] = []
    connection = Connection(stepwise(echoing, [Numbering(), ToSelf(calls)]))
    for name in (b"ada", b"ada", b"bob", b"ada"):
        connection.send(post_as(name, b"{}"))
        await connection.answered()
    assert calls == ["head", "head"]
