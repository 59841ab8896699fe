"""uvicorn's WebSocket, whose messages that nobody has taken are bounded: by their frames, and all together by memory.

A message has a bound of its own (``ws_max_size``), but a thousand clients that each send all but the last byte of one
would be a gigabyte, and frames without content have no size at all. A message that is whole counts until it is taken,
as its connection may wait for a client that reads nothing, or to know who asks.

What a client does not read is bounded by time: a connection that is to be closed would wait for it, and hold what it
was to be sent, until TCP gives up.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from router.server.connections.unfinished import BYTES_PER_PART
from router.server.shedding.overload import SMALL_BODY_BYTES, Overload

MAX_FRAMES = 1000
_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013
_TOO_MUCH_TO_DO = "The router has more to do than it can"


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """The protocol of one connection; what it holds of a message counts as held bodies of requests do."""

    def __init__(self, overload: Overload, **wiring: Any) -> None:
        super().__init__(**wiring)
        self._overload = overload
        self._held = 0
        self._untaken = 0
        self._is_unfinished = False
        self._abort: asyncio.TimerHandle | None = None

    async def run_asgi(self) -> None:
        """Let the app talk. When it has nothing more to say, the client has to read what there is."""
        try:
            await super().run_asgi()
        finally:
            self._wait_for_reader()

    def keepalive_timeout(self) -> None:
        """Close the connection of a client that answers no ping, and may read nothing either."""
        super().keepalive_timeout()
        self._wait_for_reader()

    def data_received(self, data: bytes) -> None:
        """Take ``data``; close the connection where it is more of messages than there is room for."""
        super().data_received(data)
        self._look_at_size()
        if self.close_sent:
            if self._held or len(self.frames) > MAX_FRAMES:
                self.transport.abort()  # It was told that nothing of it is read any more.
        elif len(self.frames) > MAX_FRAMES:
            self._give_up(_POLICY_VIOLATION, "The message comes in too many frames")
        elif self._held and self._overload.body_bytes > self._overload.policy.max_body_bytes:
            self._overload.refused += 1
            self._give_up(_TRY_AGAIN_LATER, _TOO_MUCH_TO_DO)

    def handle_text(self, event: Frame) -> None:
        """Take what the frame brings, which is left nothing: the parser knows its last frame until the next comes."""
        super().handle_text(event)
        event.data = b""

    def handle_bytes(self, event: Frame) -> None:
        """As ``handle_text``."""
        super().handle_bytes(event)
        event.data = b""

    def handle_cont(self, event: Frame) -> None:
        """As ``handle_text``."""
        super().handle_cont(event)
        event.data = b""

    def send_receive_event_to_app(self) -> None:
        """Let a whole message wait until it is taken."""
        self._untaken += sum(map(len, self.frames))
        super().send_receive_event_to_app()

    async def receive(self) -> ASGIReceiveEvent:
        """As ASGI says."""
        event = await super().receive()
        if self._untaken and self.queue.empty():
            self._untaken = 0
            self._look_at_size()
        return event

    def refuse_unfinished(self) -> None:
        """As Unfinished says."""
        self._is_unfinished = False
        if self.close_sent:
            self.transport.abort()
            self._let_go()
        else:
            self._give_up(_TRY_AGAIN_LATER, _TOO_MUCH_TO_DO)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hold nothing any more: what is left of a message would wait for the collector with all that knows it."""
        self._count(0)
        self._hold_unfinished(0)
        if self._abort is not None:
            self._abort.cancel()
        super().connection_lost(exc)
        self._let_go()

    def _wait_for_reader(self) -> None:
        if self._abort is None and not self.disconnected:
            unread = self.transport.get_write_buffer_size()
            self._abort = self.loop.call_later(self.close_timeout, self._abort_unless_read, unread)

    def _abort_unless_read(self, unread_before: int) -> None:
        """Abort a connection whose client has read nothing since there was so much for it."""
        unread = self.transport.get_write_buffer_size()
        if unread >= unread_before:
            self.transport.abort()
        else:
            self._abort = self.loop.call_later(self.close_timeout, self._abort_unless_read, unread)

    def _look_at_size(self) -> None:
        held = len(self.conn.reader.buffer) + sum(map(len, self.frames)) + self._untaken
        self._count(held if held > SMALL_BODY_BYTES else 0)
        self._hold_unfinished(held if not self._held and not self.close_sent else 0)

    def _let_go(self) -> None:
        self.conn.reader.buffer.clear()
        self.frames.clear()
        self._untaken = 0

    def _drop_untaken(self) -> None:
        for event in [self.queue.get_nowait() for _ in range(self.queue.qsize())]:
            if event["type"] != "websocket.receive":
                self.queue.put_nowait(event)

    def _hold_unfinished(self, held: int) -> None:
        if held:
            self._is_unfinished = True
            self._overload.hold_unfinished(self, held + len(self.frames) * BYTES_PER_PART)
        elif self._is_unfinished:
            self._is_unfinished = False
            self._overload.unfinished.forget(self)

    def _count(self, held: int) -> None:
        self._overload.body_bytes += held - self._held
        self._held = held

    def _give_up(self, code: int, reason: str) -> None:
        self.conn.fail(code, reason)
        self.handle_parser_exception()
        self._drop_untaken()
        self._let_go()
        self._count(0)
