"""What a connection of a client may take of memory and time, where uvicorn has no bound.

Theory of operation. A request is at most one of these things at a time, and each has its limit::

    state    what the connection does                    limit                                        then
    head     nothing yet, or sends the head of a request header_timeout_s                             408
    body     sends the body of a request                 body_timeout_s + size / min_body_bytes_per_s 408
    answer   gets an answer, and takes none of it        send_timeout_s without a byte                aborted
    idle     is kept for another request                 keep_alive_s                                 closed
    closing  does not take the last bytes                send_timeout_s                               aborted
    refused  was told so, and may still send             five seconds (``lingering_close.py``)        aborted

Nothing is timed for each request: one timer looks at all connections, four times within the shortest limit at least,
and each remembers in which state it was seen first, and when. So a connection may last for a look longer than its
limit, and requests that are quick cost nothing here.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, cast

from starlette.types import Scope

from router.execution.json_numbers import encode
from router.server.config import ServerSettings
from router.server.connections.http_protocol import OneWriteProtocol
from router.server.connections.known_heads import KnownHeads
from router.server.connections.lingering_close import LingeringCloses
from router.server.connections.unfinished import BYTES_PER_PART
from router.server.processes.allocator import give_free_pages_back
from router.server.shedding.overload import OVERLOADED, OVERLOADED_MESSAGE, SMALL_BODY_BYTES, Overload, brings_files

State = Literal["head", "body", "answer", "idle", "closing"]

MAX_PIPELINED = 16
# So many that were there at once are worth some milliseconds when most of them are gone.
MANY_CONNECTIONS = 200
# Lines of a head, of which the shortest take thirty times their bytes.
MAX_HEADERS = 200
# A chunk of one byte comes in six, and nobody needs to send smaller ones than that.
_MAX_FRAMING_PER_BODY_BYTE = 8
_LONGEST_TICK_S = 1.0
BETWEEN, _HEAD, _BODY, _REFUSED = range(4)


class RefusedRequest(Exception):  # noqa: N818 - ends the parser, and is no error of ours
    """The request under way is not read on."""


class ConnectionSweeper:
    """Looks at all connections of a process, for as long as there are any, and ends those that are over their time.

    Those that were refused are among ``lingering`` then. What many connections took is given back to the system when
    most of them are gone.
    """

    def __init__(self, limits: ServerSettings) -> None:
        self.lingering = LingeringCloses()
        self._most = 0
        shortest_s = min(limits.header_timeout_s, limits.body_timeout_s, limits.keep_alive_s, limits.send_timeout_s)
        self._tick_s = min(_LONGEST_TICK_S, shortest_s / 4)
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, connections: Collection[object], loop: asyncio.AbstractEventLoop) -> None:
        """Look at ``connections``, which others add to and take from, from now on."""
        self._most = max(self._most, len(connections))
        if self._timer is None:
            self._timer = loop.call_later(self._tick_s, self._sweep, connections, loop)

    def _sweep(self, connections: Collection[object], loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        seen = list(connections)
        for connection in seen:
            if isinstance(connection, BoundedProtocol):
                connection.end_if_over_time(now)
        self._give_back(len(seen))
        if seen:
            self.watch(connections, loop)

    def _give_back(self, count: int) -> None:
        if self._most >= MANY_CONNECTIONS and count * 4 < self._most:
            self._most = count
            # A connection and its parser hold each other.
            gc.collect(1)
            give_free_pages_back()


@dataclass(slots=True)
class _Sighting:
    """In which state, at which message, a connection was seen first, and when; ``unsent`` bytes lay there then."""

    state: State
    message: int
    at: float
    unsent: int = 0


class BoundedProtocol(OneWriteProtocol):
    """The protocol of one connection to a client, within ``limits``; ``sweeper`` keeps its time.

    ``overload`` tells whether there is room for large bodies, of which it holds what the app has taken. A request whose
    head is among the ``heads`` is not parsed.
    """

    def __init__(
        self, limits: ServerSettings, sweeper: ConnectionSweeper, overload: Overload, heads: KnownHeads, **given: Any
    ) -> None:
        super().__init__(**given)
        self._limits = limits
        self._sweeper = sweeper
        self._overload = overload
        self._heads = heads
        self._refusal: bytes | None = None
        self._sighting: _Sighting | None = None
        self._phase = BETWEEN
        self._messages = 0
        # Of the message under way: what of its head came at most, how much of that may be others before it, its body,
        # and its body as it was on the wire.
        self._head_bytes = 0
        self._others_bytes = 0
        self._body_bytes = 0
        self._wire_bytes = 0
        self._is_unfinished = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Keep the transport; refuse it where there are too many."""
        super().connection_made(transport)
        self._sweeper.watch(self.connections, self.loop)
        if len(self.connections) > self._limits.max_connections:
            self._end(_refusal(503, "OVERLOADED", "The router has too many connections. Try again a little later."))

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse what is too large before the whole of it is there; what is known needs neither."""
        began_in, messages, size = self._phase, self._messages, len(data)
        before = self.answered
        if began_in == BETWEEN and (before is None or before.response_complete):
            known = self._heads.find(data)
            if known is not None and known.head_bytes <= self._limits.max_header_bytes:
                self._messages = messages + 1
                self.begin_known(known, data)
                return
        self._head_bytes = self._head_bytes + size if began_in == _HEAD else size
        if began_in == _BODY:
            self._wire_bytes += size
        super().data_received(data)
        if self._phase == _HEAD:
            if self._messages - messages > (began_in == BETWEEN):
                self._others_bytes = self._head_bytes  # It began somewhere behind another one.
            if self._is_head_too_large(self._head_bytes - self._others_bytes):
                self._end(self._too_large())
            else:
                self._hold_unfinished(self._head_bytes + len(self.headers) * BYTES_PER_PART)
        elif self._phase == _BODY:
            if self._is_framing_out_of_proportion():
                self._end(_refusal(400, "INVALID_REQUEST", "The body comes in chunks that are mostly framing."))
            elif size > SMALL_BODY_BYTES and not self._is_there_room_for(size):
                self.cycle.body = b""
                self._end(_refusal(503, OVERLOADED, OVERLOADED_MESSAGE))
            else:
                self._hold_unfinished(self._body_bytes if self._body_bytes <= SMALL_BODY_BYTES else 0)
        elif self._is_unfinished:
            self._forget_unfinished()
        elif began_in == BETWEEN == self._phase and self._messages - messages == 1:
            self._remember(data)

    def refuse_unfinished(self) -> None:
        """As Unfinished says."""
        self._is_unfinished = False
        if self._phase == _BODY:
            self.cycle.body = b""
        self._end(_refusal(503, OVERLOADED, OVERLOADED_MESSAGE))

    def on_message_begin(self) -> None:
        """A head begins."""
        self._phase = _HEAD
        self._messages += 1
        self._others_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head has ended: measure it, if there is need, and begin the body."""
        is_perhaps_large = self._head_bytes > self._limits.max_header_bytes or len(self.headers) > MAX_HEADERS
        if is_perhaps_large and self._is_head_too_large(self._size_of_head()):
            self._refuse(self._too_large())
        self._phase = _BODY
        self._body_bytes = self._wire_bytes = 0
        super().on_headers_complete()
        if len(self.pipeline) > MAX_PIPELINED:
            self._refuse(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        """As OneWriteProtocol; the connection holds nothing any more."""
        self._forget_unfinished()
        super().connection_lost(exc)

    def on_body(self, body: bytes) -> None:
        """Count the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is there as a whole."""
        self._phase = BETWEEN
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin the next request in the row. uvicorn starts a timer here after each answer; the sweeper needs none."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())

    def send_400_response(self, msg: str) -> None:
        """Refuse what uvicorn could not parse, or what was refused on the way."""
        if self._refusal is not None:
            self._end(self._refusal)
        elif self._has_open_answer() and self.answered.response_started:  # type: ignore[union-attr]  # it is there
            self.transport.abort()
        else:
            self._tell(_refusal(400, "INVALID_REQUEST", msg))

    def is_between_requests(self) -> bool:
        """Whether nothing of a request has come that is not answered, and nothing is written any more."""
        is_idle = self._phase == BETWEEN and not self.pipeline and not self._has_open_answer()
        return is_idle and not self.transport.is_closing()

    def end_if_over_time(self, now: float) -> None:
        """End the connection, if it is in the state in which it was seen before for too long."""
        state = self._state()
        unsent = self.transport.get_write_buffer_size() if state in ("answer", "closing") else 0
        seen = self._sighting
        if seen is None or (seen.state, seen.message, seen.unsent) != (state, self._messages, unsent):
            self._sighting = _Sighting(state, self._messages, now, unsent)
            return
        if now - seen.at < self._allowed_s(state):
            return
        if state in ("head", "body") and self._messages:
            self._end(_refusal(408, "REQUEST_TIMEOUT", "The request came too slowly."))
        elif state in ("answer", "closing"):
            self.transport.abort()
        else:
            self.transport.close()

    def _state(self) -> State:
        if self.transport.is_closing():
            return "closing"
        if self._phase == _BODY:
            return "body"
        if self._has_open_answer():
            return "answer"
        return "head" if self._phase == _HEAD or not self._messages else "idle"

    def _allowed_s(self, state: State) -> float:
        limits = self._limits
        match state:
            case "head":
                return limits.header_timeout_s
            case "body":
                return limits.body_timeout_s + self._body_bytes / limits.min_body_bytes_per_s
            case "idle":
                return limits.keep_alive_s
            case "answer" if not self.flow.write_paused:
                return float("inf")  # The request has a timeout of its own, and a stream of events may be silent.
        return limits.send_timeout_s

    def _hold_unfinished(self, held_bytes: int) -> None:
        self._is_unfinished = True
        self._overload.hold_unfinished(self, held_bytes)

    def _forget_unfinished(self) -> None:
        self._is_unfinished = False
        self._overload.unfinished.forget(self)

    def _remember(self, data: bytes) -> None:
        """The request that came last is ``data`` as a whole."""
        if not self._upgrades and self.cycle.keep_alive:
            self._heads.remember(data, self.scope["method"], self._target, list(self.scope["headers"]))

    def _is_head_too_large(self, head_bytes: int) -> bool:
        return head_bytes > self._limits.max_header_bytes or len(self.headers) > MAX_HEADERS

    def _size_of_head(self) -> int:
        """As it was sent, near enough: each line has four bytes beside name and value."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _is_framing_out_of_proportion(self) -> bool:
        framing = self._wire_bytes - self._body_bytes
        return framing > self._limits.max_header_bytes + self._body_bytes * _MAX_FRAMING_PER_BODY_BYTE

    def _is_there_room_for(self, piece_bytes: int) -> bool:
        is_upload = brings_files(cast("Scope", self.scope))
        return self._overload.takes(piece_bytes, self.loop.time(), is_form=is_upload)

    def _too_large(self) -> bytes:
        limit = f"{self._limits.max_header_bytes} bytes, or than {MAX_HEADERS} headers"
        return _refusal(431, "HEADERS_TOO_LARGE", f"The head of the request is larger than {limit}.")

    def _refuse(self, answer: bytes) -> None:
        """Stop the parser within a callback; uvicorn asks for the answer then."""
        self._refusal = answer
        raise RefusedRequest

    def _end(self, answer: bytes) -> None:
        """Close the connection with ``answer``, unless another one is under way, which it would garble."""
        is_begun = self.cycle.response_started if self._phase == _BODY else self._has_open_answer()
        if is_begun or self.pipeline or not answer:
            self.transport.abort()
        else:
            self._tell(answer)

    def _tell(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.linger()

    def linger(self) -> None:
        """Close the connection once its client has read the answer; for all but the socket the client is gone."""
        if not self.transport.is_closing():
            self._phase = _REFUSED
            self._sweeper.lingering.close(self.transport, self.connections)
            self.connection_lost(ConnectionAbortedError())

    def _has_open_answer(self) -> bool:
        return self.answered is not None and not self.answered.response_complete


def _refusal(status: int, code: str, message: str) -> bytes:
    body = encode({"errors": [{"message": message, "extensions": {"code": code}}]})
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json; charset=utf-8\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
