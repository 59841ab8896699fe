"""The end of the process where the ordinary one does not come: what hangs keeps no router from being gone in time."""

from __future__ import annotations

import logging
import os
import threading

logger = logging.getLogger(__name__)

# From when no more requests are taken. Those under way have six of them, the rest is for closing what is open.
END_WITHIN_S = 8.5
THREADS_END_WITHIN_S = 1.0


def leave_unfinished() -> threading.Timer:
    """End the process with code 1 unless it has closed what it has open within END_WITHIN_S, and cancels this.

    An app of its own may not end, or something blocks the event loop; so a thread waits.
    """
    return _later(END_WITHIN_S, 1, f"ended although what is open did not close within {END_WITHIN_S} seconds")


def leave_threads_behind() -> threading.Timer:
    """End the process with code 0 although its loop, which is being closed, still waits for threads.

    getaddrinfo waits for a name server that is gone for as long as resolv.conf says, and nothing can cancel it. All
    that the app had open is closed by now.
    """
    return _later(THREADS_END_WITHIN_S, 0, "ended without threads that do not end")


def _later(wait_s: float, code: int, told: str) -> threading.Timer:
    timer = threading.Timer(wait_s, _leave, (code, told))
    timer.daemon = True
    timer.start()
    return timer


def _leave(code: int, told: str) -> None:
    logger.log(logging.ERROR if code else logging.WARNING, told)
    logging.shutdown()
    os._exit(code)
