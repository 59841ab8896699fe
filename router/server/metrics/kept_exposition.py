"""Metrics made anew for who asks, but for no more than a tenth of the time: beyond that, the last ones are told again.

``/metrics`` has no limit of rate, since a router that is under attack should tell of it, and rendering takes as long as
many small queries. Who asks now and then always gets figures of now; in a loop, figures of up to five seconds ago.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

Clock = Callable[[], float]
SHARE = 0.1
BURST_S = 0.5
"""So much may be spent at once; and no more is ever owed, so that nothing is older than ``BURST_S / SHARE``."""


class KeptExposition:
    """What ``make`` makes, or made last. ``spent`` tells the CPU time of this thread."""

    def __init__(
        self, make: Callable[[], Awaitable[bytes]], clock: Clock = time.monotonic, spent: Clock = time.thread_time
    ) -> None:
        self._make = make
        self._clock = clock
        self._spent = spent
        self._kept: bytes | None = None
        self._left_s = BURST_S
        self._counted_at = clock()
        # One at a time: with several workers, each asks all others.
        self._making = asyncio.Lock()

    async def read(self) -> bytes:
        """The metrics of now, or, where too much was spent on them of late, of a moment ago."""
        async with self._making:
            now = self._clock()
            self._left_s = min(BURST_S, self._left_s + (now - self._counted_at) * SHARE)
            self._counted_at = now
            if self._kept is None or self._left_s > 0:
                before = self._spent()
                self._kept = await self._make()
                self._left_s = max(-BURST_S, self._left_s - (self._spent() - before))
            return self._kept
