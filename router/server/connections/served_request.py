"""One request on a connection of our own server: ASGI's ``receive`` and ``send``, and shorter ways beside them.

Most requests are whole before anybody looks at them, and most answers are given whole. For those, ASGI's messages are
detours: a coroutine and a dictionary for a body that is there, two more for an answer, and a task that waits for the
client's end. Who finds that ``receive`` and ``send`` are this class's own, and nobody's who stands between, may take
the body at once, answer by one call, and be cancelled when the client goes away. On another server, or behind a layer
that looks at the messages, all goes by those.

The answer is written with one call of the transport; what is not plain (streams, parts, other lengths, odd headers) is
left to uvicorn, whose cycle of request and response this is, so that it decides what a client gets then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.types import Message, Receive, Send
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

if TYPE_CHECKING:
    from router.server.connections.http_protocol import OneWriteProtocol

Header = tuple[bytes, bytes]
Result = TypeVar("Result")
# What changes how a connection goes on, or how a body is framed, is uvicorn's to decide.
_FRAMING = (b"connection", b"transfer-encoding")
# What is another one in each answer.
_OWN = (b"content-length", b"x-request-id")


class AnswersWhole:
    """Who may take a whole answer at once, in place of messages."""

    __slots__ = ()

    def respond(self, status: int, headers: tuple[Header, ...], body: bytes, own: Sequence[Header] = ()) -> bool:
        """Answer with ``body``, whose length is added to the ``headers``; False where it must go by messages.

        The ``headers`` are the same in many answers; what is ``own`` to this one comes behind them.
        """
        raise NotImplementedError


class ServedRequest(RequestResponseCycle, AnswersWhole):
    """A request over ``connection`` that ``app`` answers.

    ``on_begin`` is called once: when the answer begins, or the client has gone away before that. ``task`` is the one
    that answers, and it is cancelled when the client goes away while ``is_watched``.
    """

    # What few requests ask for is one for all, and is set where it differs. What each asks for is set for each: to read
    # what is the class's takes three times as long.
    chunked_encoding: bool | None = None
    expected_content_length = 0
    is_client_gone = False
    body: bytes | bytearray  # type: ignore[assignment]  # uvicorn's is an array from the start

    def __init__(self, connection: OneWriteProtocol, app: ASGI3Application, *, keep_alive: bool) -> None:
        self.scope = connection.scope
        self.transport = connection.transport
        self.flow = connection.flow
        self.default_headers = connection.server_state.default_headers
        self.waiting_for_100_continue = connection.expect_100_continue
        self.keep_alive = keep_alive
        self.on_response = connection.on_response_complete
        self.body = b""
        self.more_body = True
        self.disconnected = self.response_started = self.response_complete = self.is_watched = False
        self.on_begin: Callable[[], None] | None = None
        self.task: asyncio.Task[None] | None = None
        self._is_taken = False
        self._start: Message | None = None
        self._event: asyncio.Event | None = None
        self._connection = connection
        self._app = app

    @property
    def logger(self) -> logging.Logger:  # type: ignore[override]  # uvicorn sets it
        """Where uvicorn tells of apps that break ASGI's rules."""
        return self._connection.logger

    @property
    def access_log(self) -> bool:  # type: ignore[override]  # uvicorn sets it
        """Whether uvicorn writes a line for each request."""
        return self._connection.access_log

    @property
    def access_logger(self) -> logging.Logger:  # type: ignore[override]  # uvicorn sets it
        """Where it does."""
        return self._connection.access_logger

    @property
    def message_event(self) -> asyncio.Event:  # type: ignore[override]  # uvicorn sets it
        """Set when ``receive`` has something to tell; made where somebody waits, which few do."""
        if self._event is None:
            self._event = asyncio.Event()
            has_news = not self._is_taken and (self.body or not self.more_body)
            if has_news or self.disconnected or self.response_complete:
                self._event.set()
        return self._event

    def take_in(self, piece: bytes) -> None:
        """A piece of the body has come; most come in one."""
        if not self.body:
            self.body = piece
        else:
            if type(self.body) is bytes:
                self.body = bytearray(self.body)
            self.body += piece
        self.wake()

    def wake(self) -> None:
        """More of the body is there, the end of it, or that of the connection."""
        if self._event is not None:
            self._event.set()

    def run(self) -> Coroutine[Any, Any, None]:
        """Let the app answer."""
        return self.run_asgi(self._app)

    def is_whole(self) -> bool:
        """Whether the body is there, and nobody has taken it."""
        return not (self.more_body or self.disconnected or self._is_taken or self.waiting_for_100_continue)

    def take_body(self) -> bytes:
        """The body, which ``is_whole``. What ``receive`` gives afterwards is the end of the connection."""
        body, self.body = bytes(self.body), b""
        self._is_taken = True
        if self._event is not None:
            self._event.clear()
        self.flow.resume_reading()
        return body

    async def unless_client_gone(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """The result of ``work``; it is cancelled, and None returned, once the client has closed its connection."""
        self.is_watched = True
        try:
            return await work
        except asyncio.CancelledError:
            if self.task is None or not self.is_client_gone:
                raise
            self.task.uncancel()
            return None
        finally:
            self.is_watched = False

    def lose_client(self) -> None:
        """The connection is closed."""
        self.is_client_gone = True
        if not self.response_complete:
            self.disconnected = True
            self.wake()
            self.begin()
        if self.is_watched and self.task is not None:
            self.task.cancel()

    def respond(self, status: int, headers: tuple[Header, ...], body: bytes, own: Sequence[Header] = ()) -> bool:
        """As AnswersWhole says."""
        if self._start is not None or not self._may_write_whole():
            return False
        lines = _head_lines(status, (*self.default_headers, *headers))
        last = b""
        for header in own:
            if HEADER_VALUE_RE.search(header[1]):
                return False
            last += b"%b: %b\r\n" % header
        if lines is None:
            return False
        self.begin()
        self._write(b"%bcontent-length: %d\r\n%b\r\n%b" % (lines, len(body), last, body))
        return True

    def begin(self) -> None:
        """The answer begins, or there will be none."""
        on_begin, self.on_begin = self.on_begin, None
        if on_begin is not None:
            on_begin()

    async def send_500_response(self) -> None:
        """Tell of an app that has failed, in place of an answer of which it had sent the head alone."""
        self._start = None
        await super().send_500_response()

    async def send(self, message: Message) -> None:  # type: ignore[override]  # uvicorn's own types
        """As ASGI says; what comes for a client that has gone away is dropped."""
        if self.on_begin is not None:
            self.begin()
        if self.transport.is_closing():
            # Of the requests of one client that wait in a row, uvicorn tells only the first.
            self.disconnected = True
            return
        start = self._start
        if start is None:
            if message["type"] == "http.response.start" and _has_length(message.get("headers", ())):
                self._start = message
            else:
                await super().send(message)  # type: ignore[arg-type]
            return
        self._start = None
        if not self._write_whole(start, message):
            await self._hand_on(start, message)

    async def _hand_on(self, start: Message, message: Message) -> None:
        """Let uvicorn write what it has more to look at."""
        await super().send(start)  # type: ignore[arg-type]
        # uvicorn would close the socket while the client sends its body into it.
        is_cut_short = self.more_body and not self.keep_alive and not message.get("more_body")
        self.keep_alive = self.keep_alive or is_cut_short
        await super().send(message)  # type: ignore[arg-type]
        if is_cut_short:
            self._connection.linger()

    def _write_whole(self, start: Message, message: Message) -> bool:
        """Write an answer that ``message`` completes; False, and nothing written, where uvicorn has more to look at."""
        if message["type"] != "http.response.body" or message.get("more_body") or not self._may_write_whole():
            return False
        body = message.get("body", b"")
        head = _write_head(start["status"], [*self.default_headers, *start["headers"]], len(body))
        if head is None:
            return False
        self._write(head + body)
        return True

    def _may_write_whole(self) -> bool:
        if not self.keep_alive or self.disconnected or self.response_started or self._connection.access_log:
            return False
        return not (self.flow.write_paused or self.scope["method"] == "HEAD" or self.transport.is_closing())

    def _write(self, answer: bytes) -> None:
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.transport.write(answer)
        self.wake()
        self.on_response()


def served_request(receive_or_send: Receive | Send) -> ServedRequest | None:
    """The request whose own ``receive`` or ``send`` this is; None where it is another server's, or a layer's."""
    served = getattr(receive_or_send, "__self__", None)
    return served if type(served) is ServedRequest else None


def answers_whole(send: Send) -> AnswersWhole | None:
    """Who takes whole answers in place of messages to ``send``; None where it must be messages."""
    taking = getattr(send, "__self__", None)
    return taking if isinstance(taking, AnswersWhole) else None


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
