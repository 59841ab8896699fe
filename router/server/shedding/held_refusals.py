"""Refusals that wait a moment before they are told, so that who comes again at once does so ten times a second.

A refusal costs some 30 microseconds. Fifty clients in a loop without any pause make twenty thousand a second of them,
as fast as they are told: that takes most of the event loop from what was let in, and keeps the router overloaded for
as long as they try. A client that has to wait for its refusal cannot, and one that came by chance loses a moment.

No more than ``RELEASED_PER_S`` are told, in the order in which they came; what waits longer for that keeps its client
from asking for as long. Of more than ``MAX_HELD`` the first is told at once: none takes memory without a bound.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

HELD_S = 0.1
RELEASED_PER_S = 2000
MAX_HELD = 2048
_TICK_S = 0.005
_RELEASED_PER_TICK = int(RELEASED_PER_S * _TICK_S)


class HeldRefusal:
    """One refusal, which ``tell`` tells; None when it is told, or nobody wants to hear it any more."""

    __slots__ = ("due", "tell")

    def __init__(self, tell: Callable[[], None], due: float) -> None:
        self.tell: Callable[[], None] | None = tell
        self.due = due


class HeldRefusals:
    """The refusals of a process that wait."""

    def __init__(self) -> None:
        self._waiting: deque[HeldRefusal] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def hold(self, tell: Callable[[], None]) -> HeldRefusal:
        """Call ``tell`` after a moment, in the running loop. Who takes ``tell`` out of what is returned prevents it."""
        loop = asyncio.get_running_loop()
        held = HeldRefusal(tell, loop.time() + HELD_S)
        self._waiting.append(held)
        if len(self._waiting) > MAX_HELD:
            self._release()
        if self._timer is None:
            self._timer = loop.call_later(HELD_S, self._release_due, loop)
        return held

    async def wait(self) -> None:
        """Wait for as long as a refusal does."""
        told = asyncio.get_running_loop().create_future()
        held = self.hold(lambda: told.set_result(None))
        try:
            await told
        finally:
            held.tell = None

    def _release(self) -> bool:
        """Tell the first; whether anybody wanted to hear it."""
        first = self._waiting.popleft()
        tell, first.tell = first.tell, None
        if tell is None:
            return False
        tell()
        return True

    def _release_due(self, loop: asyncio.AbstractEventLoop) -> None:
        now, left = loop.time(), _RELEASED_PER_TICK
        while left and self._waiting and self._waiting[0].due <= now:
            left -= self._release()
        self._timer = loop.call_later(_TICK_S, self._release_due, loop) if self._waiting else None
