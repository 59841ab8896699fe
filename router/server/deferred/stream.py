r"""Answers in parts over HTTP: multipart/mixed, one part for each payload.

Each part ends with the next boundary, so that it can be read at once. The boundary is "-", as clients expect it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import Send

from router.server.deferred.answer import DeferredAnswer
from router.server.deferred.formats import DeferredFormat
from router.server.subscriptions.streams import STALLED_AFTER_S

_PART = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n%b\r\n---"


@dataclass(frozen=True, slots=True)
class DeferredStream:
    """An answer in parts that has begun, and how it is written."""

    form: DeferredFormat
    answer: DeferredAnswer
    first: bytes


async def send_deferred(send: Send, stream: DeferredStream) -> None:
    """Send each payload as it comes. Raises TimeoutError where the client takes nothing any more."""
    await _start(send, stream.form)
    await _send(send, b"\r\n---" + _PART % stream.first)
    while (payload := await stream.answer.next()) is not None:
        await _send(send, _PART % payload)
    await _send(send, b"--\r\n", is_last=True)


async def send_whole(send: Send, form: DeferredFormat, result: bytes) -> None:
    """A stream of one result, or of the errors that kept the operation from running."""
    await _start(send, form)
    told = result[:-1] + b',"hasNext":false}' if result.endswith(b"}") else result
    await _send(send, b"\r\n---" + _PART % told + b"--\r\n", is_last=True)


async def _start(send: Send, form: DeferredFormat) -> None:
    headers = [
        (b"content-type", form.value),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),  # nginx would hold parts back
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _send(send: Send, body: bytes, *, is_last: bool = False) -> None:
    async with asyncio.timeout(STALLED_AFTER_S):
        await send({"type": "http.response.body", "body": body, "more_body": not is_last})
