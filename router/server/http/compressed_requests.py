"""Requests whose body is compressed (RFC 9110, section 8.4): it is undone before anything reads it.

The limit of a body holds twice: for what is sent, and for what it comes to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.content_coding import CODINGS, ContentBroken, ContentTooLarge, decode_content
from router.server.http.answer import failure_answer, send_answer
from router.server.http.body import read_body, too_large
from router.server.http.header_section import fields_of, section_in, with_other_headers
from router.server.http.negotiation import JSON
from router.server.request_error import RequestError


class CompressedRequests:
    """An ASGI app that undoes the content coding of requests for ``app``.

    415 UNSUPPORTED_ENCODING for another coding than ours, or files; 400 INVALID_ENCODING for broken data; 413
    REQUEST_TOO_LARGE.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_body_bytes

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """As ASGI says."""
        section = section_in(scope)
        fields = fields_of(scope["headers"]) if section is None else section.fields
        coding = fields.get(b"content-encoding")
        if coding is None:
            return self._app(scope, receive, send)
        return self._undo(coding.decode("latin-1").strip().lower(), scope, receive, send)

    async def _undo(self, coding: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self._decoded(scope, receive, coding)
        except RequestError as refusal:
            await send_answer(send, failure_answer(refusal, JSON), JSON)
            return
        if body is not None:
            await self._app(_as_if_plain(scope, body), _replayed(body, receive), send)

    async def _decoded(self, scope: Scope, receive: Receive, coding: str) -> bytes | None:
        """The body; None where the client has gone away."""
        headers = dict(scope["headers"])
        if coding not in CODINGS or headers.get(b"content-type", b"").startswith(b"multipart/"):
            message = f"Send JSON as it is, or compressed by one of {', '.join(CODINGS)}; files as they are."
            raise RequestError(415, "UNSUPPORTED_ENCODING", message, {"accept-encoding": ", ".join(CODINGS)})
        body = await read_body(receive, headers.get(b"content-length", b""), self._max_bytes)
        if body is None:
            return None
        try:
            # In a thread: few bytes may come to many.
            return await asyncio.to_thread(decode_content, coding, body, self._max_bytes)
        except ContentBroken:
            message = f"The request body is not one whole stream of {coding}."
            raise RequestError(400, "INVALID_ENCODING", message) from None
        except ContentTooLarge:
            raise too_large(self._max_bytes) from None


def _as_if_plain(scope: Scope, body: bytes) -> Scope:
    kept = [(name, value) for name, value in scope["headers"] if name not in (b"content-encoding", b"content-length")]
    return with_other_headers(scope, [*kept, (b"content-length", b"%d" % len(body))])


def _replayed(body: bytes, receive: Receive) -> Receive:
    is_given = False

    async def again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
