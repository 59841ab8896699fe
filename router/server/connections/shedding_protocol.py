"""Refusing a request for overload as soon as its head is there: before its body, a task, and all layers.

Under twice the load that the router can carry every second request is refused, and what that costs is taken from the
others. A plain request that came in one piece is not even parsed (``plain_request.py``); of others the head is. Either
way the refusal is one write of bytes that are made once a second, and the connection is kept: opening another one for
the next request would cost more than all of this. It waits for a moment (``held_refusals.py``), unless its client ends
or says more: then it is told before that is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from router.server.connections.bounded_protocol import BETWEEN, BoundedProtocol
from router.server.connections.plain_request import read_plain_request
from router.server.shedding.held_refusals import HeldRefusal
from router.server.shedding.overload import OVERLOADED_BODY, OVERLOADED_HEADERS

Header = tuple[bytes, bytes]


class SheddingProtocol(BoundedProtocol):
    """The protocol of one connection to a client; a request that ``is_shed`` never reaches the app."""

    def __init__(self, is_shed: Callable[[Scope], bool], *bounds: Any, **given: Any) -> None:
        super().__init__(*bounds, **given)
        self._is_shed = is_shed
        self._held: HeldRefusal | None = None

    def data_received(self, data: bytes) -> None:
        """Refuse a plain request at sight where there is no room; parse all else."""
        if self._held is not None:
            self._tell_held()
        if not (self._overload.is_full() and self._is_refused_at_sight(data)):
            super().data_received(data)

    def _is_refused_at_sight(self, data: bytes) -> bool:
        if not self.is_between_requests() or self.flow.write_paused:
            return False
        request = read_plain_request(data, self._limits.max_header_bytes)
        if request is None or not self._is_shed(request):
            return False
        self._messages += 1
        self.server_state.total_requests += 1
        self._held = self._overload.refusals.hold(self._tell_held)
        return True

    def eof_received(self) -> None:
        """The client says no more, and may still listen."""
        self._tell_held()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """As BoundedProtocol; nobody is there to be refused."""
        self._forget_held()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """As uvicorn, when the router ends."""
        self._tell_held()
        super().shutdown()

    def _has_open_answer(self) -> bool:
        return self._held is not None or super()._has_open_answer()

    def _tell_held(self) -> None:
        if self._forget_held() and not self.transport.is_closing():
            self.transport.write(_refusal(tuple(self.server_state.default_headers), keep_alive=True))

    def _forget_held(self) -> bool:
        """Hold no refusal any more; whether there was one."""
        held, self._held = self._held, None
        if held is None:
            return False
        held.tell = None
        return True

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # Who asks whether to send a body is told by the app, who is gone is told nothing, and who takes no answers is
        # read no more until the app could give his.
        if self._held is not None:
            self._tell_held()  # It came in a row with the one before.
        is_apps = cycle.waiting_for_100_continue or cycle.disconnected or cycle.flow.write_paused
        if is_apps or not self._is_shed(cycle.scope):  # type: ignore[arg-type]  # uvicorn's own types
            super()._start_asgi_task(cycle, app)
            return
        self.answered = cycle  # type: ignore[assignment]  # on_headers_complete made it
        cycle.response_started = cycle.response_complete = True
        if cycle.keep_alive:
            self._held = self._overload.refusals.hold(self._tell_held)
            # From here on uvicorn drops the body, and takes the next request.
            cycle.on_response()
        else:
            cycle.transport.write(_refusal(tuple(cycle.default_headers), keep_alive=False))
            # Not within the parser, which may have the whole request.
            self.loop.call_soon(self._end_refused)

    def _end_refused(self) -> None:
        if self._phase == BETWEEN:
            self.transport.close()
        else:
            self.linger()


@lru_cache(maxsize=4)
def _refusal(default_headers: tuple[Header, ...], *, keep_alive: bool) -> bytes:
    lines = [STATUS_LINE[503]]
    for name, value in (*default_headers, *OVERLOADED_HEADERS):
        lines += (name, b": ", value, b"\r\n")
    if not keep_alive:
        lines.append(b"connection: close\r\n")
    lines += (b"\r\n", OVERLOADED_BODY)
    return b"".join(lines)
