"""uvicorn's HTTP/1.1, with changes: the head of an answer and its body leave in one write, and three holes are closed.

uvicorn writes both on their own, and over a fast network a system call costs as much as executing a small query. The
head is held until the next write of its connection, or until the event loop's next turn, whichever comes first: so a
stream's head does not wait for its first event, and nothing is ever written out of order.

The holes: trailers behind a body that comes in chunks are no headers of the request, which proxies in front of the
router check (RFC 9112, section 7.1.2); a request names one host (section 3.2); and answers to a client that has gone
away with requests still waiting are dropped, not raised into the log.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class OneWriteProtocol(HttpToolsProtocol):
    """The protocol of one connection to a client."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Keep the transport, in a wrapper that holds heads."""
        super().connection_made(cast("asyncio.Transport", HoldingTransport(transport, self.loop)))

    def on_headers_complete(self) -> None:
        """Begin the request; what comes as a header after this is a trailer, and is dropped."""
        if sum(name == b"host" for name, _ in self.headers) != 1 and self.parser.get_http_version() == "1.1":
            raise ValueError("not one host")
        super().on_headers_complete()
        if not (self.parser.should_upgrade() and self._should_upgrade()):
            self.headers = _Trailers()


class _Trailers(list[tuple[bytes, bytes]]):
    """Takes none."""

    def append(self, _: tuple[bytes, bytes]) -> None:
        """Drop it."""


class HoldingTransport:
    """A transport that holds what begins like an answer; all else is as the transport does it."""

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write ``data`` behind what is held; hold it, if it is a head."""
        if self._transport.is_closing():
            return
        if self._held:
            data = self._held + data
            self._held = b""
        elif data.startswith(b"HTTP/1.1 "):
            self._held = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        """Write what is held, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            if not self._transport.is_closing():
                self._transport.write(held)
