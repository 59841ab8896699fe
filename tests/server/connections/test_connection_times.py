"""How long a connection may be in each of its states, to the tenth of a second: all by the time that it is told.

That a router process keeps these times, too, is seen in ``test_slow_clients.py``.
"""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import cast

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from router.server.config import ServerSettings
from router.server.connections.bounded_protocol import MANY_CONNECTIONS, ConnectionSweeper
from router.server.connections.known_heads import KnownHeads
from router.server.connections.shedding_protocol import SheddingProtocol
from router.server.shedding.load_limit import OverloadPolicy
from router.server.shedding.overload import Overload

LIMITS = ServerSettings(
    header_timeout_s=1, body_timeout_s=2, min_body_bytes_per_s=1000, keep_alive_s=3, send_timeout_s=4
)
WHOLE = b"POST / HTTP/1.1\r\nhost: router\r\ncontent-length: 2\r\n\r\n{}"
BODY_TO_COME = b"POST / HTTP/1.1\r\nhost: router\r\ncontent-length: 5000\r\n\r\n"
TOO_SLOW = b"HTTP/1.1 408 Request Timeout"


class Nobody(ConnectionSweeper):
    """Looks at no connection: the test does."""

    def watch(self, connections: Collection[object], loop: asyncio.AbstractEventLoop) -> None:
        """Do not."""


class Transport(asyncio.Transport):
    """Notes what is written and how it ended; ``unsent`` bytes are taken by nobody."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 1)})
        self.written = b""
        self.ended = ""
        self.unsent = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def write_eof(self) -> None:
        self.ended = "told"

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that began at 0."""

    protocol: SheddingProtocol
    transport: Transport
    state: ServerState

    async def send(self, data: bytes) -> None:
        """Send, and let the app do what it does."""
        self.protocol.data_received(data)
        await asyncio.sleep(0)

    def end_at(self, now: float) -> str:
        """How the connection has ended when somebody looks at ``now``; "" where it has not."""
        self.protocol.end_if_over_time(now)
        return self.transport.ended


async def answer(_: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


async def never(_: Scope, __: Receive, ___: Send) -> None:
    await asyncio.Event().wait()


def connect(app: Callable[[Scope, Receive, Send], Awaitable[None]] = answer) -> Connection:
    config = Config(app, date_header=False, server_header=False, access_log=False, log_config=None)
    config.load()
    state, transport = ServerState(), Transport()
    overload = Overload(OverloadPolicy(10, 10.0, 100_000, target_lag_s=10.0, initial=10))
    wiring = {"config": config, "server_state": state, "app_state": {}, "_loop": asyncio.get_running_loop()}
    protocol = SheddingProtocol(lambda _: False, LIMITS, Nobody(LIMITS), overload, KnownHeads(), **wiring)
    protocol.connection_made(transport)
    return Connection(protocol, transport, state)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sent", "limit_s", "end"),
    [(b"", 1.0, "closed"), (BODY_TO_COME[:20], 1.0, "told"), (BODY_TO_COME, 2.0, "told"), (WHOLE, 3.0, "closed")],
    ids=["nothing", "half a head", "a head", "an answered request"],
)
async def test_a_connection_ends_when_its_time_is_over_and_not_before(sent: bytes, limit_s: float, end: str) -> None:
    connection = connect()
    if sent:
        await connection.send(sent)
    assert [connection.end_at(now) for now in (0.0, limit_s - 0.1, limit_s)] == ["", "", end]
    assert connection.transport.written.startswith(TOO_SLOW) == (end == "told")


@pytest.mark.asyncio
async def test_a_body_that_comes_fast_enough_may_take_longer() -> None:
    """500 bytes each 0.45 s, of which half a second each are allowed, and two at the beginning."""
    connection = connect()
    await connection.send(BODY_TO_COME)
    for part in range(10):
        assert connection.end_at(part * 0.45) == ""
        await connection.send(b" " * 500)
    assert connection.transport.written.endswith(b"\r\n\r\n{}")


@pytest.mark.asyncio
async def test_a_body_that_comes_too_slowly_is_refused_though_it_never_rests() -> None:
    """500 bytes each 0.75 s: after eight of them six seconds have passed, and six are allowed."""
    connection = connect()
    await connection.send(BODY_TO_COME)
    ends = [connection.end_at(0.0)]
    for part in range(1, 9):
        await connection.send(b" " * 500)
        ends.append(connection.end_at(part * 0.75))
    assert ends == [""] * 8 + ["told"]
    assert connection.transport.written.startswith(TOO_SLOW)


class Ticks:
    """A loop's clock, which stands still: the test runs what is to be done later."""

    def __init__(self) -> None:
        self.later: Callable[[], None] | None = None

    def time(self) -> float:
        return 0.0

    def call_later(self, _: float, call: Callable[..., None], *given: object) -> None:
        self.later = partial(call, *given)

    def tick(self) -> None:
        later, self.later = self.later, None
        assert later is not None
        later()


class Ring:
    """What only the garbage collector gives back."""

    def __init__(self) -> None:
        self.itself = self


def is_given_back_by(act: Callable[[], None]) -> bool:
    ring = weakref.ref(Ring())
    act()
    return ring() is None


def test_what_many_connections_took_is_given_back_once_when_most_of_them_are_gone() -> None:
    sweeper, ticks, connections = ConnectionSweeper(LIMITS), Ticks(), list(range(MANY_CONNECTIONS))
    gc.disable()
    try:
        sweeper.watch(connections, cast("asyncio.AbstractEventLoop", ticks))
        given_back = [is_given_back_by(ticks.tick)]
        for left in (MANY_CONNECTIONS // 4, MANY_CONNECTIONS // 4 - 1, 1):
            del connections[left:]
            given_back.append(is_given_back_by(ticks.tick))
    finally:
        gc.enable()
    assert given_back == [False, False, True, False]


@pytest.mark.asyncio
async def test_a_connection_that_is_used_is_kept() -> None:
    connection = connect()
    for number in range(10):
        await connection.send(WHOLE)
        assert connection.end_at(number * 2.9) == ""
    assert connection.end_at(9 * 2.9 + 3.0) == "closed"


@pytest.mark.asyncio
async def test_an_answer_has_all_the_time_that_the_request_has_but_for_who_takes_nothing_of_it() -> None:
    connection = connect(never)
    await connection.send(WHOLE)
    assert [connection.end_at(now) for now in (0.0, 1000.0)] == ["", ""]
    connection.protocol.pause_writing()
    connection.transport.unsent = 500
    assert [connection.end_at(now) for now in (2000.0, 2003.9)] == ["", ""]
    connection.transport.unsent = 499
    assert [connection.end_at(now) for now in (2004.0, 2007.9, 2008.0)] == ["", "", "aborted"]
    for task in connection.state.tasks:
        task.cancel()
