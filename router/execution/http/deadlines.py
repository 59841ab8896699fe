"""Time limits of many waits by one timer: a timer for each wait costs more than all the rest of waiting."""

from __future__ import annotations

import asyncio
import math
from typing import Any


class Deadlines:
    """Ends with TimeoutError each watched future that is not done at its time of the event loop's clock."""

    __slots__ = ("_due", "_next", "_timer")

    def __init__(self) -> None:
        self._due: dict[asyncio.Future[Any], float] = {}
        self._next = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, waiter: asyncio.Future[Any], at: float) -> None:
        """End ``waiter`` at ``at``, unless it is forgotten before."""
        self._due[waiter] = at
        if at < self._next:
            self._set_timer(at)

    def forget(self, waiter: asyncio.Future[Any]) -> None:
        """``waiter`` is done; the timer stays, since the next wait will want one."""
        self._due.pop(waiter, None)

    def close(self) -> None:
        """Watch nothing any more."""
        self._due.clear()
        self._next = math.inf
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = at
        self._timer = asyncio.get_running_loop().call_at(at, self._end_what_is_due)

    def _end_what_is_due(self) -> None:
        now = asyncio.get_running_loop().time()
        for waiter in [waiter for waiter, at in self._due.items() if at <= now]:
            del self._due[waiter]
            if not waiter.done():
                waiter.set_exception(TimeoutError())
        self._next = math.inf
        if self._due:
            self._set_timer(min(self._due.values()))
