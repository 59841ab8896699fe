"""Shedding load early: what the router cannot answer in time is refused at once, so that the rest is.

Theory of operation. A process that has more to do than it can does everything late: its event loop comes back to each
thing later and later. How late is measured ten times a second. While the loop stays late, fewer requests are let in at
once, by a fifth for each tenth of a second; while it is on time and the room is used, a few more. Being late once is no
overload: one large plan does that, or another process on the machine. Refusing costs a small part of answering, so what
is let in is answered about as fast as on a quiet day. Only GraphQL requests are refused; health checks and metrics are
not.

Memory is a load too: large bodies that do not come in one piece are held from their first piece until they are
answered, and together they may take no more than a bound. Files are not held, they wait on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.execution.json_numbers import encode
from router.server.config import RouterConfig
from router.server.request_error import RequestError

TICK_S = 0.1
# For bodies up to this there is always room: who holds large ones keeps nobody else from asking.
SMALL_BODY_BYTES = 64 * 1024
_LEAST = 4
_SHRINK = 0.8
_GROW = 0.05
OVERLOADED = "OVERLOADED"
OVERLOADED_MESSAGE = "The router has more to do than it can. Send the request again a little later."
_ERROR = {"message": OVERLOADED_MESSAGE, "extensions": {"code": OVERLOADED}}
_BODY = encode({"errors": [_ERROR]})
_START = {
    "type": "http.response.start",
    "status": 503,
    "headers": [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(_BODY)).encode()),
        (b"retry-after", b"1"),
    ],
}


@dataclass(frozen=True, slots=True)
class OverloadPolicy:
    """At most ``max_in_flight`` requests at once, and fewer while the event loop is more than ``max_lag_s`` late.

    All large bodies that do not come in one piece may take ``max_body_bytes``.
    """

    max_in_flight: int
    max_lag_s: float
    max_body_bytes: int


def overload_policy(config: RouterConfig) -> OverloadPolicy:
    """What the settings say."""
    shedding = config.traffic.shedding
    return OverloadPolicy(shedding.max_in_flight, shedding.max_lag_s, shedding.max_body_bytes)


class Overload:
    """How many requests are under way, how many may be, and how many were refused."""

    def __init__(self, policy: OverloadPolicy) -> None:
        self.policy = policy
        self.in_flight = 0
        self.body_bytes = 0
        self.refused = 0
        self._arrived_at = 0.0
        self._arrived_bytes = 0
        self._limit = float(policy.max_in_flight)
        self._is_late = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def limit(self) -> int:
        """How many requests may be under way now."""
        return min(int(self._limit), self.policy.max_in_flight)

    def enter(self) -> bool:
        """Let one request in, which must ``leave``; False where it is refused."""
        in_flight = self.in_flight + 1
        if in_flight > self._limit or in_flight > self.policy.max_in_flight:
            self.refused += 1
            return False
        self.in_flight = in_flight
        if self._timer is None:
            self._watch()
        return True

    def leave(self) -> None:
        """One request is answered."""
        self.in_flight -= 1

    def hold(self, body_bytes: int) -> None:
        """Hold so much more of a body. RequestError (OVERLOADED) where there is no room; it counts either way."""
        self.body_bytes += body_bytes
        if self.body_bytes > self.policy.max_body_bytes:
            self.refused += 1
            raise RequestError(503, OVERLOADED, OVERLOADED_MESSAGE, {"retry-after": "1", "connection": "close"})

    def takes(self, body_bytes: int, now: float, *, is_form: bool = False) -> bool:
        """Whether there is room for so much of a body, which came ``now``, by the loop's clock, and nobody holds yet.

        In one round of the loop, so at one time of its clock, a piece may come from each of all connections. Of a form
        nothing is held later, so it needs room beside the other pieces of its round alone.
        """
        if now != self._arrived_at:
            self._arrived_at, self._arrived_bytes = now, 0
        self._arrived_bytes += body_bytes
        if self._arrived_bytes + (0 if is_form else self.body_bytes) <= self.policy.max_body_bytes:
            return True
        self._arrived_bytes -= body_bytes
        self.refused += 1
        return False

    def measured(self, lag_s: float) -> None:
        """Learn how late the event loop is."""
        was_late, self._is_late = self._is_late, lag_s > self.policy.max_lag_s
        if self._is_late and was_late:
            # A loop that is seconds late comes here once in seconds: it shrinks by as much as if it had been in time.
            ticks = max(1.0, lag_s / TICK_S)
            self._limit = max(_LEAST, min(self._limit, self.in_flight) * _SHRINK**ticks)
        elif not self._is_late and self.in_flight >= self._limit * _SHRINK:
            self._limit = min(self._limit + max(1.0, self._limit * _GROW), self.policy.max_in_flight)

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + TICK_S

        def tick() -> None:
            self.measured(loop.time() - due)
            self._timer = None
            if self.in_flight:
                self._watch()

        self._timer = loop.call_at(due, tick)


class LoadShedder:
    """An ASGI app that lets ``app`` answer as many requests at once as ``overload`` says, and refuses the others.

    A request counts from when its body has come until its answer begins: a stream of events that goes on for hours is
    no load, and neither is a body that takes its time.
    """

    def __init__(self, app: ASGIApp, overload: Overload) -> None:
        self._app = app
        self._overload = overload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says; status 503, OVERLOADED and Retry-After where the request is refused."""
        overload = self._overload
        if not overload.enter():
            await send(_START)
            await send({"type": "http.response.body", "body": _BODY})
            return
        is_counted = True
        body = _HeldBody(overload, scope, receive)

        def send_on(message: Message) -> Awaitable[None]:
            nonlocal is_counted
            if is_counted:
                is_counted = False
                overload.leave()
            return send(message)

        try:
            await self._app(scope, body.receive, send_on)
        finally:
            overload.body_bytes -= body.size
            if is_counted:
                overload.leave()


class _HeldBody:
    """A request's body as it comes in pieces; ``size`` is how much of it counts by now: nothing, while it is small."""

    __slots__ = ("_came", "_is_whole", "_overload", "_receive", "_scope", "size")

    def __init__(self, overload: Overload, scope: Scope, receive: Receive) -> None:
        self.size = 0
        self._came = 0
        self._is_whole = False
        self._overload = overload
        self._scope = scope
        self._receive = receive

    async def receive(self) -> Message:
        """As ASGI says. RequestError (OVERLOADED)."""
        if self._is_whole:
            return await self._receive()
        # Who sends slowly is no load: they keep nobody else from being let in.
        self._overload.leave()
        try:
            message = await self._receive()
        finally:
            self._overload.in_flight += 1
        if message.get("more_body"):
            self._hold(len(message["body"]))
        else:
            self._is_whole = True
        return message

    def _hold(self, size: int) -> None:
        self._came += size
        if self._came > SMALL_BODY_BYTES and not is_form(self._scope):
            added, self.size = self._came - self.size, self._came
            self._overload.hold(added)


def is_form(scope: Scope) -> bool:
    """Whether a request brings files, which wait on disk."""
    types = (value for name, value in scope["headers"] if name == b"content-type")
    return any(value.startswith(b"multipart/form-data") for value in types)
