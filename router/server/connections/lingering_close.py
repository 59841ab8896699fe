"""Closing a connection so that its client reads what it was told, though it still sends.

A socket that is closed with unread bytes in it is reset, and a reset takes the last answer with it: who sends a body
that is too large would see a broken connection, and send it all again. So the router says no more, reads away what
still comes, and closes when the client has closed (RFC 9112, section 9.6): for a bounded time, of a bounded number of
bytes, and on a bounded number of connections, of which none holds more than its socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LingerBounds:
    """For how long a connection lingers, how much is read away on it, and how many of them there may be."""

    seconds: float = 5.0
    max_discarded_bytes: int = 32 * 1024 * 1024
    max_lingering: int = 256


class LingeringCloses:
    """The connections of a process that linger; where another one comes and there are too many, the oldest is cut."""

    def __init__(self, bounds: LingerBounds | None = None) -> None:
        self._bounds = bounds or LingerBounds()
        self._oldest_first: dict[_Lingering, None] = {}

    def close(self, transport: asyncio.Transport, connections: set[Any]) -> None:
        """Close ``transport`` when its client has read what was written; it is one of ``connections`` until then."""
        if len(self._oldest_first) >= self._bounds.max_lingering:
            oldest = next(iter(self._oldest_first))
            del self._oldest_first[oldest]
            oldest.cut()
        lingering = _Lingering(transport, self._bounds, (connections.discard, self._forget))
        connections.add(lingering)
        self._oldest_first[lingering] = None
        transport.set_protocol(lingering)
        transport.write_eof()
        transport.resume_reading()

    def _forget(self, lingering: _Lingering) -> None:
        self._oldest_first.pop(lingering, None)


class _Lingering(asyncio.Protocol):
    """The protocol of a connection that lingers within ``bounds``; its end is told to all of ``on_lost``."""

    def __init__(
        self,
        transport: asyncio.Transport,
        bounds: LingerBounds,
        on_lost: tuple[Callable[[_Lingering], None], ...],
    ) -> None:
        self._transport = transport
        self._on_lost = on_lost
        self._left_bytes = bounds.max_discarded_bytes
        self._timer = asyncio.get_running_loop().call_later(bounds.seconds, self.cut)

    def data_received(self, data: bytes) -> None:
        """Forget ``data``."""
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self.cut()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left of it. When the client has closed its side, the transport closes by itself."""
        self._timer.cancel()
        for tell in self._on_lost:
            tell(self)

    def cut(self) -> None:
        """Wait no longer."""
        self._transport.abort()

    def shutdown(self) -> None:
        """As uvicorn asks of each connection when the process ends."""
        self._transport.close()
