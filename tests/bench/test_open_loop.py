"""The sender of an open loop tells apart what was answered, refused, lost with its connection, and never answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from bench.overload.open_loop import OpenLoop, Outcome

REQUEST = b"GET / HTTP/1.1\r\nhost: router\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}"
Answer = Callable[[int, asyncio.StreamWriter], Awaitable[None]]


async def outcome_of(answer: Answer) -> Outcome:
    """Of a hundred requests in a second to a server that does ``answer`` to the nth request of a connection."""

    served = set[asyncio.Task[None] | None]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.current_task())
        number = 0
        with suppress(ConnectionError):
            while not writer.is_closing() and await reader.read(len(REQUEST)):
                await answer(number, writer)
                number += 1
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await OpenLoop(port, REQUEST, 100, 1, give_up_after_s=0.2).run(lambda _: None)
        await asyncio.gather(*(task for task in served if task is not None))
        return outcome


def writing(data: bytes) -> Answer:
    async def answer(_: int, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


@pytest.mark.asyncio
async def test_answers_and_refusals_are_told_apart_and_only_answers_are_timed() -> None:
    answered, refused = await outcome_of(writing(OK)), await outcome_of(writing(REFUSED))
    # The same requests at the same times, by the same seed.
    assert answered.answered == refused.refused
    assert answered.answered[0] > 50
    assert (refused.answered, refused.latencies_ms) == ([0], [[]])
    assert len(answered.latencies_ms[0]) == answered.answered[0]
    assert (answered.broken, answered.unanswered, answered.others, answered.retried) == (0, 0, 0, 0)


@pytest.mark.asyncio
async def test_a_request_on_a_connection_that_is_closed_meanwhile_is_sent_again() -> None:
    async def answer(number: int, writer: asyncio.StreamWriter) -> None:
        if number:
            writer.close()
        else:
            writer.write(OK)

    outcome = await outcome_of(answer)
    assert outcome.retried > 10
    assert (outcome.broken, outcome.unanswered) == (0, 0)
    assert outcome.answered[0] == len(outcome.latencies_ms[0]) > 50


@pytest.mark.asyncio
async def test_a_new_connection_that_is_closed_is_no_such_thing() -> None:
    async def answer(_: int, writer: asyncio.StreamWriter) -> None:
        writer.close()

    outcome = await outcome_of(answer)
    assert (outcome.answered, outcome.retried, outcome.unanswered) == ([0], 0, 0)
    assert outcome.broken > 50


@pytest.mark.asyncio
async def test_what_is_never_answered_is_told() -> None:
    async def answer(_: int, __: asyncio.StreamWriter) -> None:
        return

    outcome = await outcome_of(answer)
    assert (outcome.answered, outcome.refused, outcome.broken) == ([0], [0], 0)
    assert outcome.unanswered > 50
