"""One HTTP/1.1 connection to a subgraph, which carries one request at a time.

Theory of operation. httptools (llhttp) does the framing; this protocol only decides what an event means::

    state      event                                  next
    idle       exchange()                             waiting
    idle       any byte, or end of connection         closed     (what follows could not be told from an answer)
    waiting    1xx response                           waiting
    waiting    complete, keep-alive, nothing behind   idle       (answer given)
    waiting    complete, but close or bytes behind    closed     (answer given)
    waiting    end, and the end is the framing        closed     (answer given)
    waiting    end, before the first byte             closed     (ConnectionUnused: may be repeated elsewhere)
    waiting    end, garbage, too large, cancelled     closed     (SubgraphFailure)

A connection in any doubt is closed, never used again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import cast

import httptools

from router.content_coding import ContentBroken, ContentTooLarge, decode_content
from router.execution.errors import INVALID_RESPONSE, REQUEST_FAILED, SubgraphFailure
from router.execution.http.deadlines import Deadlines
from router.execution.subgraph_client import Headers, SubgraphResponse

MAX_HEAD_BYTES = 64 * 1024
# A chunk of one byte comes in six, and nobody needs to send smaller ones than that.
_MAX_FRAMING_PER_BODY_BYTE = 8
FRAMING_HEADERS = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
_WITHOUT_BODY = (204, 304)


class ConnectionUnused(Exception):  # noqa: N818 - an outcome, not an error of the program
    """The subgraph closed a kept connection before it sent a byte of the answer."""


class Connection(asyncio.Protocol):
    """A connection of ``subgraph``, which may answer in one of the ``codings``.

    ``on_idle`` and ``on_closed`` tell the pool what became of it.
    """

    __slots__ = (
        "_chunks",
        "_codings",
        "_complete",
        "_create_waiter",
        "_deadlines",
        "_encoding",
        "_framed",
        "_headers_done",
        "_keep_alive",
        "_max_bytes",
        "_on_closed",
        "_on_idle",
        "_parser",
        "_received",
        "_size",
        "_subgraph",
        "_surplus",
        "_transport",
        "_waiter",
        "_wire_bytes",
        "idle_since",
    )

    # A connection that keeps headers has its own, and notes these too.
    kept_headers: Headers = ()
    noted_names: frozenset[bytes] = FRAMING_HEADERS

    def __init__(
        self,
        subgraph: str,
        max_response_bytes: int,
        codings: Collection[str],
        deadlines: Deadlines,
        on_idle: Callable[[Connection], None],
        on_closed: Callable[[Connection], None],
    ) -> None:
        self._subgraph = subgraph
        self._max_bytes = max_response_bytes
        self._codings = codings
        self._deadlines = deadlines
        self._on_idle = on_idle
        self._on_closed = on_closed
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[SubgraphResponse] | None = None
        # Of the loop in which the connection lives: to ask for the running loop is a system call each time.
        self._create_waiter: Callable[[], asyncio.Future[SubgraphResponse]] = asyncio.get_running_loop().create_future
        self.idle_since = 0.0
        self._reset()

    def _reset(self) -> None:
        self._chunks: list[bytes] = []
        self._size = 0
        self._wire_bytes = 0
        self._encoding = b""
        self._framed = self._headers_done = self._complete = self._surplus = self._received = self._keep_alive = False

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, payload: bytes, deadline: float) -> SubgraphResponse:
        """Send a request and receive its response; the connection is idle or closed afterwards.

        Raises SubgraphFailure, ConnectionUnused where no byte of an answer came, and TimeoutError at ``deadline``.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionUnused
        self._reset()
        waiter = self._waiter = self._create_waiter()
        self._deadlines.watch(waiter, deadline)
        transport.write(payload)
        try:
            return await waiter
        except (asyncio.CancelledError, TimeoutError):
            self.close()
            raise
        finally:
            self._deadlines.forget(waiter)

    def close(self) -> None:
        """Give the connection up at once."""
        if self._transport is not None:
            self._transport.abort()

    # Events of the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, then look at what it found."""
        if self._waiter is None:
            self.close()
            return
        self._received = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._surplus = True
            if not self._complete:
                self._fail(INVALID_RESPONSE, "answered with something other than HTTP/1.1")
        if self._complete:
            self._finish()
            return
        self._wire_bytes += len(data)
        framing = self._wire_bytes - self._size
        if self._size > self._max_bytes:
            self._fail_too_large()
        elif framing > MAX_HEAD_BYTES + self._size * _MAX_FRAMING_PER_BODY_BYTE:
            what = (
                "chunks that are mostly framing"
                if self._headers_done
                else f"headers of more than {MAX_HEAD_BYTES} bytes"
            )
            self._fail(INVALID_RESPONSE, f"answered with {what}")

    def connection_lost(self, exc: Exception | None) -> None:
        """Complete the answer if the end is its framing; else fail the request under way."""
        self._on_closed(self)
        if self._waiter is None:
            return
        if not self._received:
            self._settle_exception(ConnectionUnused())
        elif exc is None and self._headers_done and not self._framed:
            self._surplus = True
            self._finish()
        else:
            self._fail(REQUEST_FAILED, "closed the connection in the middle of its answer")

    # Events of the parser.

    def on_message_begin(self) -> None:
        """A second message behind a complete answer was not asked for."""
        if self._complete:
            self._surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note it, if anything depends on it; most headers of an answer tell nothing that is of use here."""
        key = name.lower()
        if key in self.noted_names and not self._complete:
            self.note_header(key, value)

    def on_headers_complete(self) -> None:
        """Note that what follows is the body, unless the response is informational."""
        status = self._parser.get_status_code()
        self._headers_done = status >= 200
        if status in _WITHOUT_BODY:
            self._framed = True

    def on_body(self, body: bytes) -> None:
        """Collect the body, up to the limit."""
        if not self._complete and self._size <= self._max_bytes:
            self._chunks.append(body)
            self._size += len(body)

    def on_message_complete(self) -> None:
        """Note the end of the answer; an informational response is only a prelude."""
        if self._headers_done:
            if not self._complete:
                # Asked here, because the parser forgets it with the message.
                self._keep_alive = self._parser.should_keep_alive()
            self._complete = True
        else:
            self._framed = False
            self._encoding = b""

    def note_header(self, key: bytes, value: bytes) -> None:
        """Note what frames and encodes the body; ``key`` is one of ``noted_names``."""
        if key == b"content-encoding":
            self._encoding = value.strip().lower()
        else:
            self._framed = True

    # Outcomes.

    def _finish(self) -> None:
        if self._size > self._max_bytes:
            self._fail_too_large()
            return
        status = self._parser.get_status_code()
        reusable = not self._surplus and self._keep_alive
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = []
        if self._encoding and self._encoding != b"identity":
            decoded = self._decode_body(body)
            if decoded is None:
                return
            body = decoded
        waiter, self._waiter = self._waiter, None
        if reusable:
            self._on_idle(self)
        else:
            self.close()
        if waiter is not None and not waiter.done():
            waiter.set_result(SubgraphResponse(status, body, self.kept_headers))

    def _decode_body(self, body: bytes) -> bytes | None:
        """The body with its content coding undone; None after failing the request."""
        coding = self._encoding.decode("latin-1").removeprefix("x-")
        if coding not in self._codings:
            self._fail(INVALID_RESPONSE, "answered in a content encoding that was not asked for")
            return None
        try:
            return decode_content(coding, body, self._max_bytes)
        except ContentBroken:
            self._fail(INVALID_RESPONSE, "answered with broken compressed data")
        except ContentTooLarge:
            self._fail_too_large()
        return None

    def _fail_too_large(self) -> None:
        self._fail(INVALID_RESPONSE, f"answered with more than the limit of {self._max_bytes} bytes")

    def _fail(self, code: str, what: str) -> None:
        self._chunks = []
        self._settle_exception(SubgraphFailure(code, f"Subgraph '{self._subgraph}' {what}."))
        self.close()

    def _settle_exception(self, exception: Exception) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(exception)
