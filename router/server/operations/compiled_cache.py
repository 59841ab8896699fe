"""What was compiled of operations, by keys that begin with their text, up to limits; each compiled once.

Compiling is Python, so threads gain nothing by being many: they take the event loop's turns, and hold what they work on
at once. Small documents are compiled one at a time, and so are large ones, which nobody's small one waits behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from router.errors import OperationError
from router.server.operations.compile_turns import CompileTurns
from router.server.operations.compiled_operation import MAX_SHARED_TEXT
from router.server.operations.recently_used import CacheSize, RecentlyUsed

Key = TypeVar("Key", bound=tuple[Any, ...])
Compiled = TypeVar("Compiled")


class CompiledCache(Generic[Key, Compiled]):
    """Those not used for longest are forgotten beyond the limits; failures are not remembered.

    ``compile_`` makes one of its key, in a thread; ``weigh`` tells how many bytes it takes. The first of a key is the
    document's text; documents over MAX_SHARED_TEXT are not kept.
    """

    def __init__(
        self, compile_: Callable[[Key], Compiled], weigh: Callable[[Key, Compiled], int], size: CacheSize
    ) -> None:
        self._compile = compile_
        self._weigh = weigh
        self._turns = CompileTurns()
        self._entries: RecentlyUsed[Key, Compiled] = RecentlyUsed(size)
        self._in_flight: dict[Key, asyncio.Future[Compiled]] = {}
        # What is there already, which counts as used now; else None. Without a call between: each request asks.
        self.known: Callable[[Key], Compiled | None] = self._entries.get

    def __len__(self) -> int:
        return len(self._entries)

    def most_recent(self, count: int) -> list[Key]:
        """The keys of at most ``count`` operations, the one used last first."""
        return self._entries.most_recent(count)

    async def warm(self, keys: Sequence[Key], deadline: float) -> int:
        """Compile ``keys``, the most recent first, until ``deadline`` of the loop's clock; how many are ready then.

        What no longer compiles is left out: whoever sends it again is told why.
        """
        clock = asyncio.get_running_loop().time
        for key in keys:
            if clock() >= deadline:
                break
            with suppress(OperationError):
                await self.compiled(key)
        ready = [key for key in keys if key in self._entries]
        for key in reversed(ready):
            self._entries.get(key)
        return len(ready)

    async def compiled(self, key: Key) -> Compiled:
        """What is there, or is compiled now, once for all who wait. Raises OperationError."""
        known = self.known(key)
        if known is not None:
            return known
        flight = self._in_flight.get(key)
        if flight is None:
            flight = asyncio.ensure_future(self._turns.run(key[0], self._compile, key))
            self._in_flight[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        try:
            # Shielded: one client that goes away does not take the work from the others.
            return await asyncio.shield(flight)
        finally:
            # What it raises knows this frame: with the future in it, both would wait for the collector with the text.
            del flight

    def _land(self, key: Key, flight: asyncio.Future[Compiled]) -> None:
        del self._in_flight[key]
        if flight.cancelled() or flight.exception() is not None or len(key[0]) > MAX_SHARED_TEXT:
            return
        compiled = flight.result()
        self._entries.put(key, compiled, self._weigh(key, compiled))
