r"""Results as a stream of HTTP: server-sent events (graphql-sse's distinct connections mode), or multipart/mixed as
Apollo's clients read it (subscriptionSpec=1.0).

A result ``{"data":{"n":1}}`` is ``event: next\ndata: {"data":{"n":1}}\n\n`` in the one, and in the other a part with
the JSON ``{"payload":{"data":{"n":1}}}``. Each part ends with the next boundary, so that it can be read at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Send

from router.execution.json_numbers import encode
from router.server.http.answer import in_trace
from router.server.http.negotiation import media_ranges
from router.server.subscriptions.subscriber import COMPLETED, Ending, Subscriber

# A client that takes not a byte for so long is gone, or as good as.
STALLED_AFTER_S = 30.0
_PART = b"\r\ncontent-type: application/json\r\n\r\n%b\r\n--graphql"


class StreamFormat(Protocol):
    """How results are written."""

    content_type: bytes
    opening: bytes
    heartbeat: bytes

    def result(self, body: bytes) -> bytes:
        """A result."""

    def ending(self, ending: Ending) -> bytes:
        """The end."""


class ServerSentEvents:
    """text/event-stream; without ``complete`` where the client should come again, as its library then does."""

    content_type = b"text/event-stream; charset=utf-8"
    opening = b":\n\n"
    heartbeat = b":\n\n"

    def result(self, body: bytes) -> bytes:
        """As the protocol says."""
        return b"event: next\ndata: %b\n\n" % body

    def ending(self, ending: Ending) -> bytes:
        """As the protocol says."""
        if ending.is_ours:
            return b""
        told = self.result(encode({"errors": in_trace(ending.errors)})) if ending.errors else b""
        return told + b"event: complete\ndata:\n\n"


class MultipartSubscription:
    """multipart/mixed;subscriptionSpec=1.0."""

    content_type = b'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
    opening = b"\r\n--graphql"
    heartbeat = _PART % b"{}"

    def result(self, body: bytes) -> bytes:
        """As the protocol says."""
        return _PART % (b'{"payload":' + body + b"}")

    def ending(self, ending: Ending) -> bytes:
        """As the protocol says."""
        told = _PART % encode({"payload": None, "errors": in_trace(ending.errors)}) if ending.errors else b""
        return told + b"--\r\n"


_SERVER_SENT_EVENTS = ServerSentEvents()
_MULTIPART = MultipartSubscription()


def choose_stream(accept: bytes) -> StreamFormat | None:
    """The better of the two forms of streams that the client accepts; the first where both are as good."""
    best: tuple[float, StreamFormat] | None = None
    for one in media_ranges(accept):
        if one.name == "text/event-stream":
            found: StreamFormat = _SERVER_SENT_EVENTS
        elif one.name == "multipart/mixed" and one.parameters.get("subscriptionspec") == "1.0":
            found = _MULTIPART
        else:
            continue
        if one.quality > 0 and (best is None or one.quality > best[0]):
            best = one.quality, found
    return best[1] if best is not None else None


@dataclass(frozen=True, slots=True)
class EventStream:
    """A subscription's results, and how they are written."""

    format: StreamFormat
    subscriber: Subscriber


async def send_stream(send: Send, stream: EventStream, heartbeat_s: float) -> None:
    """Send results as they come, and heartbeats between them, until the end; the subscriber is closed then.

    Raises TimeoutError where the client takes nothing any more.
    """
    form, subscriber = stream.format, stream.subscriber
    try:
        await _start(send, form)
        await _send(send, form.opening)
        while True:
            try:
                async with asyncio.timeout(heartbeat_s):
                    result = await subscriber.next()
            except TimeoutError:
                await _send(send, form.heartbeat)
                continue
            if result is None:
                break
            await _send(send, form.result(result))
        await _finish(send, form.ending(subscriber.ending or COMPLETED))
    finally:
        subscriber.close()


async def send_single(send: Send, form: StreamFormat, result: bytes) -> None:
    """A stream of one result, which may be of errors that kept the operation from running."""
    await _start(send, form)
    await _finish(send, form.opening + form.result(result) + form.ending(COMPLETED))


async def _start(send: Send, form: StreamFormat) -> None:
    headers: Sequence[tuple[bytes, bytes]] = (
        (b"content-type", form.content_type),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),  # nginx would hold events back
    )
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _send(send: Send, body: bytes) -> None:
    async with asyncio.timeout(STALLED_AFTER_S):
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _finish(send: Send, body: bytes) -> None:
    async with asyncio.timeout(STALLED_AFTER_S):
        await send({"type": "http.response.body", "body": body})
