"""The router as a process: its socket, its event loop, and its end."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import resource
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import cast

import uvicorn

from router.errors import InputError
from router.server.app import RouterApp
from router.server.config import RouterConfig
from router.server.connections.bounded_protocol import ConnectionSweeper
from router.server.connections.known_heads import KnownHeads
from router.server.connections.shedding_protocol import SheddingProtocol
from router.server.connections.websocket_protocol import BoundedWebSocketProtocol
from router.server.observation.access_log import open_access_log
from router.server.processes.allocator import give_large_blocks_back
from router.server.processes.leaving import leave_threads_behind, leave_unfinished
from router.server.processes.log_line import LogLine

# Of the END_WITHIN_S of the process, requests under way have this long, the rest is left for closing.
GRACE_S = 6
# Answers are trees without cycles, which die by their counts: looking for cycles every 700 allocations finds none.
COLLECT_AFTER_ALLOCATIONS = 50_000
# libuv takes one connection from a listener in a round of the event loop. A loop with much to do goes round seldom, and
# requests would wait unseen to be accepted, so it has each listener several times.
ACCEPTED_IN_A_ROUND = 8


def listen(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """``count`` listening sockets at one address, over which the kernel spreads the connections.

    Port 0 takes a free one. InputError(ADDRESS_UNAVAILABLE) where the port is in use or the host is not ours.
    """
    first = _listen(host, port, shared=False)
    if count == 1:
        return [first]
    # The first one has told that nobody else is there: shared sockets would share the port with anyone who shares his.
    port = first.getsockname()[1]
    first.close()
    return [_listen(host, port, shared=True) for _ in range(count)]


def _listen(host: str, port: int, *, shared: bool) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            listener.bind(address)
            listener.listen(2048)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a host name"
        message = f"Cannot listen on {host}:{port}: {reason}. Choose another with --host and --port."
        raise InputError("ADDRESS_UNAVAILABLE", message) from None
    return listener


def begin_logging() -> None:
    """Log to stderr, a line an event; the access log, where it is on, to stdout."""
    open_access_log()
    told = logging.StreamHandler()
    told.setFormatter(LogLine())
    logging.basicConfig(level=logging.INFO, handlers=[told])
    # It would tell the whole address of each request, with credentials.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("opentelemetry.util.re").addFilter(_without_values)


def _without_values(record: logging.LogRecord) -> bool:
    """OpenTelemetry tells of a header in OTEL_EXPORTER_OTLP_HEADERS that is none: without it, which is a key."""
    record.args = ("(not told)",)
    return True


def raise_file_limit() -> None:
    """Let the process have as many open files, and so connections, as the system allows it at all."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems name a limit here that they do not allow.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def serve(app: RouterApp, listeners: list[socket.socket], settings: RouterConfig) -> None:
    """Serve ``app`` until SIGTERM or SIGINT; requests under way are finished first, for at most GRACE_S.

    SIGHUP makes it read its supergraph and settings anew. Of the ``settings`` those count that hold from the start:
    what a connection may take, and how large a message of a WebSocket is.
    """
    raise_file_limit()
    give_large_blocks_back()
    # What is there now, above all the graph, stays: the collector need not look at it again with every full collection.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_ALLOCATIONS)
    bounds = (settings.server, ConnectionSweeper(settings.server), app.overload, KnownHeads())
    protocol = partial(SheddingProtocol, app.is_shed, *bounds)
    config = uvicorn.Config(
        app.answer,
        interface="asgi3",
        loop="uvloop",
        http=cast("type[asyncio.Protocol]", protocol),
        ws=cast("type[asyncio.Protocol]", partial(BoundedWebSocketProtocol, app.overload)),
        ws_max_size=settings.graphql.max_body_bytes,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        log_level="error",  # its warnings tell of clients that speak no HTTP, as often as they like
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=math.ceil(settings.server.keep_alive_s),
        backlog=2048,
    )
    server = _Server(config, app)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=_several_times(listeners)))
        server.has_ended()
        late = leave_threads_behind()
    late.cancel()


def _several_times(listeners: list[socket.socket]) -> list[socket.socket]:
    return [*listeners, *(one.dup() for one in listeners for _ in range(ACCEPTED_IN_A_ROUND - 1))]


class _Server(uvicorn.Server):
    """Ends with exit code 0 when it was asked to end, instead of dying by the signal once more."""

    def __init__(self, config: uvicorn.Config, app: RouterApp) -> None:
        super().__init__(config)
        self._app = app
        self._draining: asyncio.TimerHandle | None = None
        self._late: threading.Timer | None = None

    def begin_end(self, sig: int) -> None:
        """Begin the end: at once for whoever asks twice, else when those who send requests could learn of it."""
        is_asked_again = self._draining is not None
        drain_s = self._app.begin_draining()
        if drain_s and not is_asked_again:
            self._draining = asyncio.get_running_loop().call_later(drain_s, self.handle_exit, sig, None)
            return
        if self._draining is not None:
            self._draining.cancel()
        self.handle_exit(sig, None)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take no more requests, finish those under way, and end."""
        if self._late is None:
            self._late = leave_unfinished()
        self._app.end_streams()
        super().handle_exit(sig, frame)

    def has_ended(self) -> None:
        """All that was open is closed."""
        if self._late is not None:
            self._late.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT, SIGTERM and SIGHUP for the time of serving."""
        loop = asyncio.get_running_loop()
        ends = (signal.SIGINT, signal.SIGTERM)
        for number in ends:
            loop.add_signal_handler(number, self.begin_end, number)
        loop.add_signal_handler(signal.SIGHUP, self._app.reload_soon)
        try:
            yield
        finally:
            for number in (*ends, signal.SIGHUP):
                loop.remove_signal_handler(number)
