"""A clock for the speed that a test promises: it stands still while the machine lets nobody run.

``time.monotonic`` goes on while a host stops its guest, or while other tests have all processors: a router that was
stopped for three seconds looks like one that took them. What is late by itself is late by this clock as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TICK_S = 0.02
# As late as a tick is on a machine that is busy, and not held up.
LONGEST_TICK_S = 0.1


@contextmanager
def awake_clock() -> Iterator[Callable[[], float]]:
    """A function that gives seconds, of which a time without a tick counts as LONGEST_TICK_S; until the block ends."""
    end, seen = threading.Event(), [(time.monotonic(), 0.0)]

    def now() -> float:
        at, counted = seen[0]
        return counted + min(time.monotonic() - at, LONGEST_TICK_S)

    def tick() -> None:
        while not end.wait(TICK_S):
            seen[0] = time.monotonic(), now()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield now
    finally:
        end.set()
        thread.join()
