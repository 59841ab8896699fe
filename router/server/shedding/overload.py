"""Shedding load early: what the router cannot answer in time is refused at once, so that the rest is.

How many requests may be under way is learnt from how long the event loop takes to come to what is ready
(``load_limit.py``). What is beyond that is refused. Refusing costs a small part of answering, so what is let in is
answered about as fast as on a quiet day. Only GraphQL requests are refused; health checks and metrics are not. Which
requests count, ``room.py`` says.

Memory is a load too: large bodies are held from their first piece until their answer begins, and together they may take
no more than a bound. Small ones have as much room once they are whole, so that who holds large ones keeps nobody else
from asking; for tiny ones there always is room. Files are not held, they wait on disk. What else has not come whole may
take as much together (``unfinished.py``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from functools import partial

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.execution.json_numbers import encode
from router.server.config import RouterConfig
from router.server.connections.served_request import served_request
from router.server.connections.unfinished import Unfinished, UnfinishedRequests
from router.server.deferred.formats import DeferredFormat
from router.server.http.graphql_request import is_form
from router.server.request_error import RequestError
from router.server.shedding.held_refusals import HeldRefusals
from router.server.shedding.load_limit import OverloadPolicy
from router.server.shedding.room import Generation, Room

TICK_S = 0.02
# Of what the delay was at most, after each probe.
_DELAY_KEPT = 0.95
# For bodies up to this there is always room: who holds large ones keeps nobody else from asking.
SMALL_BODY_BYTES = 64 * 1024
# What a request takes beside its body anyway.
TINY_BODY_BYTES = 4 * 1024
_PARTS = frozenset(form.value for form in DeferredFormat)
OVERLOADED = "OVERLOADED"
OVERLOADED_MESSAGE = "The router has more to do than it can. Send the request again a little later."
_ERROR = {"message": OVERLOADED_MESSAGE, "extensions": {"code": OVERLOADED}}
OVERLOADED_BODY = encode({"errors": [_ERROR]})
OVERLOADED_HEADERS = [
    (b"content-type", b"application/json; charset=utf-8"),
    (b"content-length", str(len(OVERLOADED_BODY)).encode()),
    (b"retry-after", b"1"),
]
_START = {"type": "http.response.start", "status": 503, "headers": OVERLOADED_HEADERS}


def overload_policy(config: RouterConfig) -> OverloadPolicy:
    """What the settings say."""
    shedding = config.traffic.shedding
    return OverloadPolicy(
        max_in_flight=shedding.max_in_flight,
        max_lag_s=shedding.max_lag_s,
        max_body_bytes=shedding.max_body_bytes,
        target_lag_s=shedding.target_lag_s,
        initial=shedding.initial,
    )


class Overload(Room):
    """The room of a process, which watches its event loop for as long as requests are under way."""

    def __init__(self, policy: OverloadPolicy) -> None:
        super().__init__(policy)
        self.body_bytes = 0
        self.small_body_bytes = 0
        self.unfinished = UnfinishedRequests()
        self.refusals = HeldRefusals()
        self._arrived_at = 0.0
        self._arrived_bytes = 0
        # How long what is ready waits for the event loop at most, as the probes of the last moments saw it.
        self.delay_s = 0.0
        self._last_probe_s = 0.0
        self._expected = 0
        self._watching: asyncio.Handle | None = None

    def is_full(self) -> bool:
        """Whether there is room for nobody more than those that are expected."""
        return not self.has_room(self._expected)

    def expect(self) -> bool:
        """Whether a request whose head has come will find room in the next round of the event loop.

        Those that came in this round before it will be there by then, and it is expected there itself. While half of
        the room is free, nobody is counted: what a burst in one round is too large by is refused when it enters.
        """
        if self.counted * 2 < self.limit and not self._expected:
            return True
        if self.is_full():
            return False
        if not self._expected:
            asyncio.get_running_loop().call_soon(self._expect_none)
        self._expected += 1
        return True

    def occupy(self) -> None:
        """As Room says; in an event loop, which is watched until none is under way again."""
        if self._watching is None:
            self._watch()

    def hold(self, body_bytes: int) -> None:
        """Hold so much more of a body. RequestError (OVERLOADED) where there is no room; it counts either way."""
        self.body_bytes += body_bytes
        if self.body_bytes > self.policy.max_body_bytes:
            self._refuse_body()

    def hold_small(self, body_bytes: int) -> None:
        """Hold a body that is whole and small, as ``hold`` does: these have a room of their own."""
        self.small_body_bytes += body_bytes
        if self.small_body_bytes > self.policy.max_body_bytes:
            self._refuse_body()

    def hold_whole(self, size: int) -> None:
        """Hold a whole message of so many bytes as a body; who did must ``let_go``. RequestError (OVERLOADED)."""
        if size > SMALL_BODY_BYTES:
            self.hold(size)
        elif size > TINY_BODY_BYTES:
            self.hold_small(size)

    def let_go(self, size: int) -> None:
        """A message of so many bytes is held no more."""
        if size > SMALL_BODY_BYTES:
            self.body_bytes -= size
        elif size > TINY_BODY_BYTES:
            self.small_body_bytes -= size

    def _refuse_body(self) -> None:
        self.refused += 1
        raise RequestError(503, OVERLOADED, OVERLOADED_MESSAGE, {"retry-after": "1", "connection": "close"})

    def hold_unfinished(self, connection: Unfinished, held_bytes: int) -> None:
        """``connection`` holds so much of something small that is not whole; others may be refused for it."""
        self.refused += self.unfinished.hold(connection, held_bytes, self.policy.max_body_bytes)

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

    def _expect_none(self) -> None:
        self._expected = 0

    def _watch(self) -> None:
        """Send a probe through the event loop fifty times a second."""
        self._last_probe_s = time.monotonic()
        self._wait()

    def _wait(self) -> None:
        self._watching = asyncio.get_running_loop().call_later(TICK_S, self._send_probe)

    def _send_probe(self) -> None:
        # Timers are run before what is ready, so the probe begins with the latter.
        self._watching = asyncio.get_running_loop().call_soon(self._probe)

    def _probe(self) -> None:
        # Comes back after one whole round of the loop: all that is ready, and what can be read by then.
        self._watching = asyncio.get_running_loop().call_soon(self._probe_is_back, time.monotonic())

    def _probe_is_back(self, sent_s: float) -> None:
        now_s = time.monotonic()
        delay_s = now_s - sent_s
        self.delay_s = max(delay_s, self.delay_s * _DELAY_KEPT)
        self.probed(delay_s, now_s - self._last_probe_s, now_s)
        self._last_probe_s = now_s
        self._watching = None
        if self.in_flight:
            self._wait()
        else:
            self.delay_s = 0.0


class LoadShedder:
    """An ASGI app that lets ``app`` answer as many requests at once as ``overload`` says, and refuses the others.

    A request counts from when its body has come until its answer begins: a stream of events that goes on for hours is
    no load, and neither is a body that takes its time.
    """

    def __init__(self, app: ASGIApp, overload: Overload) -> None:
        self._app = app
        self._overload = overload

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """As ASGI says; status 503, OVERLOADED and Retry-After where the request is refused."""
        overload = self._overload
        place = overload.enter()
        if place is None:
            return _refuse(send, self._overload)
        served = served_request(receive)
        if served is None or not served.is_whole() or len(served.body) > TINY_BODY_BYTES:
            return self._let_in(place, scope, receive, send)
        # It says by itself when its answer begins, or its client goes away: nobody has to wait for its end.
        served.on_begin = partial(overload.leave, place)
        return self._app(scope, receive, send)

    async def _let_in(self, place: Generation, scope: Scope, receive: Receive, send: Send) -> None:
        body = _HeldBody(self._overload, place, scope, receive)

        def send_on(message: Message) -> Awaitable[None]:
            if body.place is not None:
                body.leave()
            if body.is_held and message["type"] == "http.response.start" and not _comes_in_parts(message):
                body.let_go()
            return send(message)

        try:
            await self._app(scope, body.receive, send_on)
        finally:
            body.let_go()
            if body.place is not None:
                body.leave()


async def _refuse(send: Send, overload: Overload) -> None:
    await overload.refusals.wait()
    await send(_START)
    await send({"type": "http.response.body", "body": OVERLOADED_BODY})


class _HeldBody:
    """A request's body as it comes in pieces; ``size`` is how much of it counts by now: nothing, while it is small.

    One that turns out to be small counts as ``small_size`` when it is whole. Both count until they are let go.
    It keeps the ``place`` of the request among those under way, which is free, and None, while the body has not come.
    """

    __slots__ = ("_came", "_is_whole", "_overload", "_receive", "_scope", "place", "size", "small_size")

    def __init__(self, overload: Overload, place: Generation, scope: Scope, receive: Receive) -> None:
        self.size = self.small_size = 0
        self._came = 0
        self._is_whole = False
        self._overload = overload
        self.place: Generation | None = place
        self._scope = scope
        self._receive = receive

    async def receive(self) -> Message:
        """As ASGI says. RequestError (OVERLOADED)."""
        if self._is_whole:
            return await self._receive()
        # Who sends slowly is no load: they keep nobody else from being let in.
        self.leave()
        message = await self._receive()
        self.place = self._overload.come_back()
        if message.get("more_body"):
            self._hold(len(message["body"]))
        else:
            self._is_whole = True
            size = len(message.get("body", b""))
            if self._came + size > TINY_BODY_BYTES:
                self._hold_whole(size)
        return message

    @property
    def is_held(self) -> bool:
        """Whether any of it counts."""
        return bool(self.size or self.small_size)

    def let_go(self) -> None:
        """Nobody needs the body any more. What a subscription keeps of it counts among subscriptions."""
        self._overload.body_bytes -= self.size
        self._overload.small_body_bytes -= self.small_size
        self.size = self.small_size = 0

    def leave(self) -> None:
        """Give the request's place to others, if it has not been given yet."""
        place, self.place = self.place, None
        if place is not None:
            self._overload.leave(place)

    def _hold(self, size: int) -> None:
        self._came += size
        if self._came > SMALL_BODY_BYTES and not brings_files(self._scope):
            added, self.size = self._came - self.size, self._came
            self._overload.hold(added)

    def _hold_whole(self, size: int) -> None:
        self._hold(size)
        if self._came <= SMALL_BODY_BYTES and not brings_files(self._scope):
            self.small_size = self._came
            self._overload.hold_small(self._came)


def _comes_in_parts(start: Message) -> bool:
    """Whether the answer that begins needs its request still: for the parts that are executed later."""
    return any(name == b"content-type" and value in _PARTS for name, value in start["headers"])


def brings_files(scope: Scope) -> bool:
    """Whether a request brings files, which wait on disk."""
    return any(is_form(value) for name, value in scope["headers"] if name == b"content-type")
