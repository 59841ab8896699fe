"""Requests whose body is compressed by gzip (RFC 9110, section 8.4), as the router sends them where it is told to.

It is undone behind the router's signature, which is over what was sent, and within the limit of bodies: a kilobyte may
come to a gigabyte, of which no more than the limit is ever made.
"""

from __future__ import annotations

import asyncio
import zlib

from starlette.types import ASGIApp, Receive, Scope, Send

from subgraphs.chassis.graphql.endpoint import error_response
from subgraphs.chassis.http.body_limit import MAXIMUM_BODY
from subgraphs.chassis.http.whole_body import read_body, replayed

CODING = b"gzip"
_GZIP = 16 + zlib.MAX_WBITS


class CompressedBody:
    """Undoes gzip for ``app``. 415 UNSUPPORTED_ENCODING for another coding, 400 INVALID_ENCODING, 413."""

    def __init__(self, app: ASGIApp, maximum: int = MAXIMUM_BODY) -> None:
        self._app = app
        self._maximum = maximum

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as if it had come as it is."""
        coding = _coding_of(scope)
        if coding is None:
            await self._app(scope, receive, send)
        elif coding != CODING:
            message = "Send JSON as it is, or compressed by gzip."
            await error_response(415, "UNSUPPORTED_ENCODING", message)(scope, receive, send)
        else:
            await self._undo(scope, receive, send)

    async def _undo(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            # In a thread: few bytes may come to many.
            body = await asyncio.to_thread(decompress, await read_body(receive), self._maximum)
        except ValueError:
            message = "The request body is not one whole stream of gzip."
            await error_response(400, "INVALID_ENCODING", message)(scope, receive, send)
            return
        if len(body) > self._maximum:
            message = f"The request body is larger than {self._maximum} bytes."
            await error_response(413, "REQUEST_TOO_LARGE", message)(scope, receive, send)
            return
        kept = [each for each in scope["headers"] if each[0] not in (b"content-encoding", b"content-length")]
        headers = [*kept, (b"content-length", b"%d" % len(body))]
        await self._app({**scope, "headers": headers}, replayed(body, receive), send)


def decompress(body: bytes, maximum: int) -> bytes:
    """``body`` with gzip undone; at most one byte more than ``maximum`` is made. ValueError where it is no gzip."""
    decoder = zlib.decompressobj(_GZIP)
    try:
        decoded = decoder.decompress(body, maximum + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(decoded) <= maximum and (not decoder.eof or decoder.unused_data):
        raise ValueError("it ends too early, or has more behind its end")
    return decoded


def _coding_of(scope: Scope) -> bytes | None:
    if scope["type"] != "http":
        return None
    return next((value.strip().lower() for name, value in scope["headers"] if name == b"content-encoding"), None)
