"""Refusing a request for overload as soon as its head is there: before its body, a task, and all layers.

Under twice the load that the router can carry every second request is refused, and what that costs is taken from the
others. What is refused here costs the parsing of its head and one write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from router.server.bounded_protocol import BETWEEN, BoundedProtocol
from router.server.overload import OVERLOADED_BODY, OVERLOADED_HEADERS


class SheddingProtocol(BoundedProtocol):
    """The protocol of one connection to a client; a request that ``is_shed`` never reaches the app."""

    def __init__(self, is_shed: Callable[[Scope], bool], *bounds: Any, **given: Any) -> None:
        super().__init__(*bounds, **given)
        self._is_shed = is_shed

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # Who asks whether to send a body is told by the app, and who is gone is told nothing.
        is_apps = cycle.waiting_for_100_continue or cycle.disconnected
        if is_apps or not self._is_shed(cycle.scope):  # type: ignore[arg-type]  # uvicorn's own types
            super()._start_asgi_task(cycle, app)
            return
        self._answered = cycle
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(_refusal(cycle))
        if cycle.keep_alive:
            # From here on uvicorn drops the body, and takes the next request.
            cycle.on_response()
        else:
            # Not within the parser, which may have the whole request.
            self.loop.call_soon(self._end_refused)

    def _end_refused(self) -> None:
        if self._phase == BETWEEN:
            self.transport.close()
        else:
            self.linger()


def _refusal(cycle: RequestResponseCycle) -> bytes:
    lines = [STATUS_LINE[503]]
    for name, value in (*cycle.default_headers, *OVERLOADED_HEADERS):
        lines += (name, b": ", value, b"\r\n")
    if not cycle.keep_alive:
        lines.append(b"connection: close\r\n")
    lines += (b"\r\n", OVERLOADED_BODY)
    return b"".join(lines)
