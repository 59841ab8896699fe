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
from functools import partial
from typing import cast

import httptools

from router.content_coding import UNCODED, ContentBroken, ContentTooLarge, decode_content
from router.execution.errors import INVALID_RESPONSE, REQUEST_FAILED, SubgraphFailure
from router.execution.http.known_heads import KnownHeads
from router.execution.subgraph_client import Headers, SubgraphResponse

MAX_HEAD_BYTES = 64 * 1024
# A chunk of one byte comes in six, and nobody needs to send smaller ones than that.
_MAX_FRAMING_PER_BODY_BYTE = 8
_FRAMING_HEADERS = frozenset({b"content-length", b"transfer-encoding"})
_CONTENT_ENCODING = b"content-encoding"
_PLAIN_ENCODINGS = tuple(coding.encode() for coding in UNCODED)
# A name that no header can have, noted where the head ends: what is behind it are trailers (RFC 9110, section 6.5),
# which say nothing of how the answer is framed or encoded.
END_OF_HEAD = b""
_WITHOUT_BODY = (204, 304)
# Of names that tell nothing, in the cases in which they come, so many are known again.
_MAX_PLAIN_NAMES = 64


class ConnectionUnused(Exception):  # noqa: N818 - an outcome, not an error of the program
    """The subgraph closed a kept connection before it sent a byte of the answer."""


class Connection(asyncio.Protocol):
    """A connection of ``subgraph``, which may answer in one of the ``codings``.

    ``on_idle`` and ``on_closed`` tell the pool what became of it. An answer whose head is among the ``heads`` is not
    parsed.

    The parser calls what it finds: a method of this class only where there is something to decide, at the end of a
    message. All else it hands to lists and a dictionary, which are looked at then; that needs no call in Python.
    """

    __slots__ = (
        "_begun",
        "_body",
        "_chunks",
        "_codings",
        "_complete",
        "_counted",
        "_create_waiter",
        "_encoding",
        "_headers",
        "_heads",
        "_keep_alive",
        "_max_bytes",
        "_on_closed",
        "_on_idle",
        "_parser",
        "_plain_names",
        "_received",
        "_size",
        "_status",
        "_subgraph",
        "_surplus",
        "_transport",
        "_waiter",
        "idle_since",
        "on_body",
        "on_header",
        "on_headers_complete",
        "on_message_begin",
    )

    # A connection that keeps headers has its own.
    kept_headers: Headers = ()

    def __init__(
        self,
        subgraph: str,
        max_response_bytes: int,
        codings: Collection[str],
        heads: KnownHeads,
        on_idle: Callable[[Connection], None],
        on_closed: Callable[[Connection], None],
    ) -> None:
        self._subgraph = subgraph
        self._max_bytes = max_response_bytes
        self._codings = codings
        self._heads = heads
        self._on_idle = on_idle
        self._on_closed = on_closed
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[SubgraphResponse] | None = None
        # Of the loop in which the connection lives: to ask for the running loop is a system call each time.
        self._create_waiter: Callable[[], asyncio.Future[SubgraphResponse]] = asyncio.get_running_loop().create_future
        self.idle_since = 0.0
        # What the parser found in the message under way: an entry for each message, and its headers in their order. A
        # trailer takes no header's place.
        self._begun: list[None] = []
        self._headers: dict[bytes, bytes] = {}
        self._chunks: list[bytes] = []
        self._plain_names: set[bytes] = {END_OF_HEAD}
        # What the answer is, once it is complete.
        self._status = 0
        self._encoding = self._body = b""
        self._complete = self._surplus = self._keep_alive = False
        # How many bytes came, and of how many pieces of the body the size is known.
        self._received = self._size = self._counted = 0
        self.on_message_begin: Callable[[], None] = partial(self._begun.append, None)
        self.on_header: Callable[[bytes, bytes], object] = self._headers.setdefault
        self.on_headers_complete: Callable[[], object] = partial(self._headers.setdefault, END_OF_HEAD, b"")
        self.on_body: Callable[[bytes], None] = self._chunks.append
        self._listen()
        self._parser = httptools.HttpResponseParser(self)

    def _listen(self) -> None:
        """Replace what the parser calls: it asks for it once."""

    def is_open(self) -> bool:
        """Whether a request may be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def begin(self, payload: bytes) -> asyncio.Future[SubgraphResponse]:
        """Send a request over the open connection, which is idle; the response to come.

        It fails with SubgraphFailure, or ConnectionUnused where no byte of an answer came. Afterwards the connection is
        idle or closed. Who does not wait for the end must close it.
        """
        self._received = 0
        create_waiter = self._create_waiter
        waiter = self._waiter = create_waiter()
        self._transport.write(payload)  # type: ignore[union-attr]  # There is one while the connection is open.
        return waiter

    def close(self) -> None:
        """Give the connection up at once."""
        if self._transport is not None:
            self._transport.abort()

    # Events of the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, then look at what it found; what is known needs neither."""
        waiter = self._waiter
        if waiter is None:
            self.close()
            return
        is_first = not self._received
        if is_first:
            known = self._heads.find(data)
            if known is not None and known.body_bytes <= self._max_bytes:
                self._waiter = None
                on_idle = self._on_idle
                on_idle(self)
                if not waiter.done():
                    waiter.set_result(SubgraphResponse(known.status, data[known.head_bytes :], known.kept_headers))
                return
            self._forget_answer()
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._surplus = True
            if not self._complete:
                self._fail(INVALID_RESPONSE, "answered with something other than HTTP/1.1")
        if self._complete:
            if is_first and self._is_kept() and self._encoding in _PLAIN_ENCODINGS:
                self._heads.remember(data, self._status, self._headers, len(self._body), self.kept_headers)
            self._finish()
        else:
            self._look_at_size()

    def _forget_answer(self) -> None:
        """Be ready for the first byte of another answer."""
        self._begun.clear()
        self._headers.clear()
        self._chunks.clear()
        self._complete = self._surplus = False
        self._size = self._counted = 0

    def _look_at_size(self) -> None:
        """Give up an answer that is too large, or comes in pieces of which too little is its body."""
        size = self._size = self._size + sum(map(len, self._chunks[self._counted :]))
        self._counted = len(self._chunks)
        if size > self._max_bytes:
            self._fail_too_large()
        elif self._received - size > MAX_HEAD_BYTES + size * _MAX_FRAMING_PER_BODY_BYTE:
            is_body = END_OF_HEAD in self._headers
            headers = f"headers of more than {MAX_HEAD_BYTES} bytes"
            self._fail(INVALID_RESPONSE, f"answered with {'chunks that are mostly framing' if is_body else headers}")

    def connection_lost(self, exc: Exception | None) -> None:
        """Complete the answer if the end is its framing; else fail the request under way."""
        self._on_closed(self)
        if self._waiter is None:
            return
        if not self._received:
            self._settle_exception(ConnectionUnused())
        elif exc is None and END_OF_HEAD in self._headers and not self._is_framed():
            self._surplus = True
            self._take_message(self._parser.get_status_code())
            self._finish()
        else:
            self._fail(REQUEST_FAILED, "closed the connection in the middle of its answer")

    # Events of the parser.

    def on_message_complete(self) -> None:
        """Take the answer; an informational response is only a prelude, and what is behind an answer is none."""
        if self._complete:
            return
        status = self._parser.get_status_code()
        if status >= 200:
            # Asked here, because the parser forgets it with the message.
            self._keep_alive = self._parser.should_keep_alive()
            self._take_message(status)
            return
        self._begun.clear()
        self._headers.clear()

    def _take_message(self, status: int) -> None:
        chunks = self._chunks
        self._complete = True
        self._status = status
        self._body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self._encoding = b"" if self._headers.keys() <= self._plain_names else self._read_encoding()

    def _read_encoding(self) -> bytes:
        encoding = b""
        for name, value in self._headers.items():
            if name == END_OF_HEAD:
                break
            if name.lower() == _CONTENT_ENCODING:
                encoding = value.strip().lower()
            elif len(self._plain_names) < _MAX_PLAIN_NAMES:
                self._plain_names.add(name)
        return encoding

    def _is_framed(self) -> bool:
        names = {name.lower() for name in self._headers}
        return self._parser.get_status_code() in _WITHOUT_BODY or not names.isdisjoint(_FRAMING_HEADERS)

    # Outcomes.

    def _finish(self) -> None:
        body, self._body = self._body, b""
        if len(body) > self._max_bytes:
            self._fail_too_large()
            return
        if self._encoding not in _PLAIN_ENCODINGS:
            decoded = self._decode_body(body)
            if decoded is None:
                return
            body = decoded
        waiter, self._waiter = self._waiter, None
        if self._is_kept():
            on_idle = self._on_idle
            on_idle(self)
        else:
            self.close()
        if waiter is not None and not waiter.done():
            waiter.set_result(SubgraphResponse(self._status, body, self.kept_headers))

    def _is_kept(self) -> bool:
        """Whether the connection may bear another request; a second message that has begun was not asked for."""
        return self._keep_alive and not self._surplus and len(self._begun) == 1

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
        self._chunks.clear()
        self._settle_exception(SubgraphFailure(code, f"Subgraph '{self._subgraph}' {what}."))
        self.close()

    def _settle_exception(self, exception: Exception) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(exception)
