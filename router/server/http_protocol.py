"""uvicorn's HTTP/1.1, with changes: an answer that is sent whole is written at once, and four holes are closed.

uvicorn looks at each header on its own and makes two writes of an answer; over a fast network a system call costs as
much as executing a small query. Here the head of an answer of known length is held until its body comes. Where that is
whole, both are written at once; all else (streams, parts, other lengths, odd headers) is handed to uvicorn as it came,
so that it decides what a client gets then.

The holes: trailers behind a body that comes in chunks are no headers of the request, which proxies in front of the
router check (RFC 9112, section 7.1.2); a request names one host (section 3.2); answers to a client that has gone away
with requests still waiting are dropped, not raised into the log; and where the last answer on a connection comes before
the end of its request, the connection is not reset while the client still sends (section 9.6).
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from contextvars import Context
from functools import lru_cache
from typing import Any

from starlette.types import Message, Receive, Scope, Send
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

Header = tuple[bytes, bytes]
# What changes how a connection goes on, or how a body is framed, is uvicorn's to decide.
_FRAMING = (b"connection", b"transfer-encoding")
# What is another one in each answer.
_OWN = (b"content-length", b"x-request-id")


class OneWriteProtocol(HttpToolsProtocol):
    """The protocol of one connection to a client."""

    def on_headers_complete(self) -> None:
        """Begin the request; what comes as a header after this is a trailer, and is dropped."""
        if [name for name, _ in self.headers].count(b"host") != 1 and self.parser.get_http_version() == "1.1":
            raise ValueError("not one host")
        super().on_headers_complete()
        if not (self.parser.should_upgrade() and self._should_upgrade()):
            self.headers = _Trailers()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        answer = _Answer(cycle, self)

        def holding(scope: Scope, receive: Receive, _: Send) -> Coroutine[Any, Any, None]:
            return app(scope, receive, answer.send)  # type: ignore[arg-type, return-value]  # uvicorn's own types

        # In a context of its own: a request that waited behind another would find what that has left in its own.
        Context().run(super()._start_asgi_task, cycle, holding)  # type: ignore[arg-type]

    def linger(self) -> None:
        """Close the connection, on which the client may still send."""
        self.transport.close()


class _Trailers(list[Header]):
    """Takes none."""

    def append(self, _: Header) -> None:
        """Drop it."""


class _Answer:
    """The answer to one request of ``protocol``: ``send`` is what the app gets in place of the ``cycle``'s own."""

    __slots__ = ("_cycle", "_protocol", "_start")

    def __init__(self, cycle: RequestResponseCycle, protocol: OneWriteProtocol) -> None:
        self._cycle = cycle
        self._protocol = protocol
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        """As ASGI says; what comes for a client that has gone away is dropped."""
        if self._cycle.transport.is_closing():
            # Of the requests of one client that wait in a row, uvicorn tells only the first.
            self._cycle.disconnected = True
            return
        start = self._start
        if start is None:
            if message["type"] == "http.response.start" and _has_length(message.get("headers", ())):
                self._start = message
            else:
                await self._cycle.send(message)  # type: ignore[arg-type]
            return
        self._start = None
        if not self._write_whole(start, message):
            await self._hand_on(start, message)

    async def _hand_on(self, start: Message, message: Message) -> None:
        """Let uvicorn write what it has more to look at."""
        cycle = self._cycle
        await cycle.send(start)  # type: ignore[arg-type]
        # uvicorn would close the socket while the client sends its body into it.
        is_cut_short = cycle.more_body and not cycle.keep_alive and not message.get("more_body")
        cycle.keep_alive = cycle.keep_alive or is_cut_short
        await cycle.send(message)  # type: ignore[arg-type]
        if is_cut_short:
            self._protocol.linger()

    def _write_whole(self, start: Message, message: Message) -> bool:
        """Write an answer that ``message`` completes; False, and nothing written, where uvicorn has more to look at."""
        cycle = self._cycle
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or message.get("more_body") or cycle.scope["method"] == "HEAD":
            return False
        if not cycle.keep_alive or cycle.disconnected or cycle.flow.write_paused or cycle.access_log:
            return False
        head = _write_head(start["status"], [*cycle.default_headers, *start["headers"]], len(body))
        if head is None:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(head + body)
        cycle.message_event.set()
        cycle.on_response()
        return True


def _has_length(headers: Iterable[Header]) -> bool:
    return any(name == b"content-length" for name, _ in headers)


def _write_head(status: int, headers: list[Header], length: int) -> bytes | None:
    """The head of an answer with a body of ``length`` bytes; None where it is not plain, or says another length."""
    shared, own, lengths = [], b"", []
    for header in headers:
        name, value = header
        if name not in _OWN:
            shared.append(header)
            continue
        if HEADER_VALUE_RE.search(value):
            return None
        if name == b"content-length":
            lengths.append(value)
        own += b"%b: %b\r\n" % header
    if lengths != [b"%d" % length]:
        return None
    lines = _head_lines(status, tuple(shared))
    return b"%b%b\r\n" % (lines, own) if lines is not None else None


@lru_cache(maxsize=64)
def _head_lines(status: int, headers: tuple[Header, ...]) -> bytes | None:
    """The lines of a head that most answers of a second have in common; None where one is not plain."""
    if any(name in _FRAMING or HEADER_RE.search(name) or HEADER_VALUE_RE.search(value) for name, value in headers):
        return None
    return STATUS_LINE[status] + b"".join([b"%b: %b\r\n" % header for header in headers])
