"""The steps around a request: each is called when it has something to do, whoever answers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.server.exchange import Exchange, Header, Step, fields_of, refusing, stepwise
from router.server.request_error import RequestError

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


def test_a_header_that_is_sent_twice_is_one_list_and_cookies_are_one_string() -> None:
    sent = [(b"accept", b"a"), (b"cookie", b"x=1"), (b"host", b"h"), (b"accept", b"b"), (b"cookie", b"y=2")]
    assert fields_of(sent) == {b"accept": b"a, b", b"cookie": b"x=1; y=2", b"host": b"h"}
