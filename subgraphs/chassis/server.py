"""The server of a service: from SIGTERM to the end of the process in less than ten seconds, whatever hangs.

What is under way is finished and what is open is closed, each within a limit of its own. Then the process is left::

    SIGTERM -> subscriptions, requests and events under way end, side by side -> lifespan: all is closed -> exit code 0
                                                                       not there after END_WITHIN_S -> exit code 1
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from contextvars import copy_context
from types import FrameType
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette

from subgraphs.chassis.http.body_limit import MAXIMUM_BODY
from subgraphs.chassis.process import ServiceProcess

END_WITHIN_S = 9.5
"""Less than the ten seconds that are promised, by what a signal takes to be noticed."""
REQUESTS_END_WITHIN_S = 5
SUBSCRIPTIONS_END_WITHIN_S = 1.0
THREADS_END_WITHIN_S = 1.0
LAST_WORDS_S = 0.05
"""For the messages that complete subscriptions to leave before their connections are closed."""
LOG = structlog.get_logger()


def serve_app(app: Starlette, listener: socket.socket, end_within_s: float = END_WITHIN_S) -> None:
    """Serve ``app``, which is :func:`subgraphs.chassis.app.create_app`'s, until SIGTERM or SIGINT; ends the process."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws_max_size=MAXIMUM_BODY,
        timeout_graceful_shutdown=REQUESTS_END_WITHIN_S,
    )
    # uvicorn stops gracefully and then raises the signal once more: a clean stop ends with code 0.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    _Server(config, app.state.process, end_within_s).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends subscriptions before it waits for requests to end, which they would not by themselves."""

    def __init__(self, config: uvicorn.Config, process: ServiceProcess[Any, Any, Any], end_within_s: float) -> None:
        super().__init__(config)
        self._process = process
        self._end_within_s = end_within_s

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn; from here on the process has ``end_within_s`` to live."""
        late = _leave_after(self._end_within_s, 1)
        self._process.begin_end()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.live.ended(), SUBSCRIPTIONS_END_WITHIN_S)
        await asyncio.sleep(LAST_WORDS_S)
        await super().shutdown(sockets)
        late.cancel()
        _leave_after(THREADS_END_WITHIN_S, 0)


def _leave_after(wait_s: float, code: int) -> threading.Timer:
    """End the process with ``code`` after ``wait_s`` unless it has ended by then, or the timer is cancelled.

    A thread does so, because the loop may be blocked; and without the ordinary end, because that joins the threads of
    the loop and of the driver: getaddrinfo waits for a name server that is gone for as long as resolv.conf says, and
    nothing can cancel it.
    """
    timer = threading.Timer(wait_s, copy_context().run, [_leave_now, code])  # the context names the service in logs
    timer.daemon = True
    timer.start()
    return timer


def _leave_now(code: int) -> None:
    # Each line of the log has been flushed as it was written.
    if code:
        LOG.error("stopped_unfinished")
    else:
        LOG.warning("stopped_before_threads")
    os._exit(code)


def _leave(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)
