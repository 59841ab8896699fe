"""uvicorn's HTTP/1.1, with changes: an answer that is sent whole is written at once, and four holes are closed.

uvicorn looks at each header on its own and makes two writes of an answer; over a fast network a system call costs as
much as executing a small query. How a request is answered, ``served_request.py`` tells; here it begins and ends.

The holes: trailers behind a body that comes in chunks are no headers of the request, which proxies in front of the
router check (RFC 9112, section 7.1.2); a request names one host (section 3.2); answers to a client that has gone away
with requests still waiting are dropped, not raised into the log; and where the last answer on a connection comes before
the end of its request, the connection is not reset while the client still sends (section 9.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Context
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from router.server.connections.known_heads import KnownHead, tell_known_head
from router.server.connections.served_request import Header, ServedRequest


class _Trailers(list[Header]):
    """Takes none."""

    def append(self, _: Header) -> None:
        """Drop it."""


_NO_TRAILERS = _Trailers()


class OneWriteProtocol(HttpToolsProtocol):
    """The protocol of one connection to a client.

    ``answered`` is the request that is answered, or was last; behind it others may wait, and ``cycle`` is the last one.
    """

    cycle: ServedRequest
    answered: ServedRequest | None = None
    _upgrades = False
    # The target of the request before, which most clients ask for again, and what its scope had of it.
    _url = b""
    _target: Mapping[str, Any] = MappingProxyType({})

    def on_headers_complete(self) -> None:
        """Begin the request; what comes as a header after this is a trailer, and is dropped."""
        parser, scope = self.parser, self.scope
        version = parser.get_http_version()
        if version != "1.1":
            scope["http_version"] = version
        elif not self._names_one_host():
            raise ValueError("not one host")
        scope["method"] = parser.get_method().decode("ascii")
        self._upgrades = parser.should_upgrade() and self._should_upgrade()
        if self._upgrades:
            return
        self._tell_target()
        self.headers = _NO_TRAILERS
        before: ServedRequest | None = self.cycle
        keep_alive = version != "1.0" and parser.should_keep_alive()
        request = self.cycle = ServedRequest(self, self.app, keep_alive=keep_alive)
        if before is None or before.response_complete:
            self._start_asgi_task(request, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((request, self.app))

    def begin_known(self, head: KnownHead, data: bytes) -> None:
        """Begin the request that ``data`` is as a whole, while no other one is under way: its ``head`` was parsed."""
        HttpToolsProtocol.on_message_begin(self)
        scope = self.scope
        scope["method"] = head.method
        scope["headers"] = list(head.headers)
        scope.update(head.target)  # type: ignore[typeddict-item]  # a part of it
        tell_known_head(scope, head)  # type: ignore[arg-type]  # uvicorn's own types
        self._upgrades = False
        request = self.cycle = ServedRequest(self, self.app, keep_alive=True)
        request.body = data[head.head_bytes :]
        request.more_body = False
        self._start_asgi_task(request, self.app)

    def on_body(self, body: bytes) -> None:
        """Hand a piece of the body to its request, if that is not answered yet."""
        request = self.cycle
        if self._upgrades or request.response_complete:
            return
        request.take_in(body)
        if len(request.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        """The request is there as a whole."""
        request = self.cycle
        if not (self._upgrades or request.response_complete):
            request.more_body = False
            request.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the request under way that its client is gone; those that wait behind it are dropped."""
        if self.answered is not None:
            self.answered.lose_client()
        self.pipeline.clear()
        super().connection_lost(exc)

    def linger(self) -> None:
        """Close the connection, on which the client may still send."""
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, _: ASGI3Application) -> None:
        request: ServedRequest = cycle  # type: ignore[assignment]  # on_headers_complete made it
        self.answered = request
        # In a context of its own: a request that waited behind another would find what that has left in its own.
        task = request.task = self.loop.create_task(request.run(), context=Context())
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _names_one_host(self) -> bool:
        fields = dict(self.headers)
        if len(fields) == len(self.headers):
            return b"host" in fields
        return [name for name, _ in self.headers].count(b"host") == 1

    def _tell_target(self) -> None:
        """Put path and query of the request's target into its scope (ASGI, HTTP connection scope)."""
        if self.url != self._url:
            self._url, self._target = self.url, self._read_target()
        self.scope.update(self._target)  # type: ignore[typeddict-item]  # a part of it

    def _read_target(self) -> dict[str, Any]:
        url = self.url
        if url.startswith(b"/") and b"#" not in url:
            raw_path, _, query = url.partition(b"?")
        else:
            parsed = httptools.parse_url(url)
            raw_path, query = parsed.path, parsed.query or b""
        path = raw_path.decode("ascii")
        return {
            "path": self.root_path + (unquote(path) if "%" in path else path),
            "raw_path": self.root_path.encode("ascii") + raw_path,
            "query_string": query,
        }
