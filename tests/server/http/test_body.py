"""A request's body is held once, however it is cut into segments."""

from __future__ import annotations

import asyncio
import tracemalloc
import weakref

import pytest
from starlette.types import Message, Receive

from router.server.http.body import read_body
from router.server.request_error import RequestError
from tests.server.subscriptions.live import until

SIZE = 200_000


def sender(body: bytes, segment: int) -> Receive:
    """What a server hands on of ``body``, in segments of so many bytes."""
    starts = iter(range(0, len(body), segment))

    async def receive() -> Message:
        start = next(starts)
        more = start + segment < len(body)
        return {"type": "http.request", "body": body[start : start + segment], "more_body": more}

    return receive


@pytest.mark.asyncio
@pytest.mark.parametrize("segment", [1, 2, 50])
async def test_a_body_in_small_segments_costs_no_multiple_of_its_size(segment: int) -> None:
    body = bytes(range(250)) * (SIZE // 250)
    receive = sender(body, segment)
    tracemalloc.start()
    try:
        received = await read_body(receive, b"", SIZE)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert received == body
    # What is gathered, which grows in steps, and the body that is handed on.
    assert most < 2.5 * SIZE


@pytest.mark.asyncio
@pytest.mark.parametrize("segment", [1, SIZE, SIZE + 1])
async def test_one_byte_more_than_the_limit_is_refused_however_it_comes(segment: int) -> None:
    with pytest.raises(RequestError) as refused:
        await read_body(sender(b"x" * (SIZE + 1), segment), b"", SIZE)

    assert (refused.value.status, refused.value.code) == (413, "REQUEST_TOO_LARGE")


@pytest.mark.asyncio
async def test_a_client_that_goes_away_within_its_body_has_sent_none() -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    assert await read_body(receive, b"", SIZE) is None


class Segment(dict[str, object]):
    """A message of ASGI that tells when nobody knows it any more."""


@pytest.mark.asyncio
async def test_a_segment_is_forgotten_while_the_next_one_is_waited_for() -> None:
    coming: asyncio.Queue[Message] = asyncio.Queue()
    reading = asyncio.create_task(read_body(coming.get, b"", SIZE))
    for content in (b"ab", b"cd"):
        segment = Segment({"type": "http.request", "body": content, "more_body": True})
        known = weakref.ref(segment)
        coming.put_nowait(segment)
        del segment
        await until(lambda known=known: known() is None)  # type: ignore[misc]
    coming.put_nowait({"type": "http.request", "body": b"ef"})
    assert await reading == b"abcdef"
