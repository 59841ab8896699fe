"""Text, operation name, override labels and what is denied -> compiled operation, up to limits; each compiled once.

An operation that touches nothing protected is there once. One that does is there as a GuardedOperation, which says what
must be asked of a requester, and once more for each outcome: never for each user.

Compiling is Python, so threads gain nothing by being many: they take the event loop's turns, and hold what they work on
at once. Small documents are compiled one at a time, and so are large ones, which nobody's small one waits behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from router.errors import OperationError
from router.operation.authorization import Denied
from router.planning.override_labels import NO_LABELS, ActiveLabels
from router.server.compile_turns import CompileTurns
from router.server.compiled_operation import (
    MAX_CACHED_BYTES,
    MAX_SHARED_TEXT,
    CompiledOperation,
    GuardedOperation,
    weight_of,
)
from router.server.recently_used import CacheSize, RecentlyUsed

# What is denied is None where it has not been asked yet.
OperationKey = tuple[str, str | None, ActiveLabels, Denied | None]
Compile = Callable[[str, str | None, ActiveLabels, Denied | None], CompiledOperation | GuardedOperation]


class OperationCache:
    """Operations not used for longest are forgotten beyond the limits; failures are not remembered."""

    def __init__(self, compile_: Compile, max_entries: int, max_bytes: int = MAX_CACHED_BYTES) -> None:
        self._compile = compile_
        self._turns = CompileTurns()
        self._entries: RecentlyUsed[OperationKey, CompiledOperation | GuardedOperation] = RecentlyUsed(
            CacheSize(max_entries, max_bytes)
        )
        self._in_flight: dict[OperationKey, asyncio.Future[CompiledOperation | GuardedOperation]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def known(
        self, text: str, operation_name: str | None, labels: ActiveLabels = NO_LABELS, denied: Denied | None = None
    ) -> CompiledOperation | GuardedOperation | None:
        """The operation as planned for the active override ``labels`` without what is ``denied``, if it is cached."""
        return self._entries.get((text, operation_name, labels, denied))

    def most_recent(self, count: int) -> list[OperationKey]:
        """The keys of at most ``count`` operations, the one used last first."""
        return self._entries.most_recent(count)

    async def warm(self, keys: Sequence[OperationKey], deadline: float) -> int:
        """Compile ``keys``, the most recent first, until ``deadline`` of the loop's clock; how many are ready then.

        What no longer compiles is left out: whoever sends it again is told why.
        """
        clock = asyncio.get_running_loop().time
        for key in keys:
            if clock() >= deadline:
                break
            if key in self._entries:
                continue
            with suppress(OperationError):
                await self.compiled(*key)
        ready = [key for key in keys if key in self._entries]
        for key in reversed(ready):
            self._entries.get(key)
        return len(ready)

    async def compiled(
        self, text: str, operation_name: str | None, labels: ActiveLabels = NO_LABELS, denied: Denied | None = None
    ) -> CompiledOperation | GuardedOperation:
        """The operation, compiled in a thread if need be, once for all who wait. Raises OperationError."""
        key = (text, operation_name, labels, denied)
        flight = self._in_flight.get(key)
        if flight is None:
            flight = asyncio.ensure_future(self._turns.run(text, self._compile, *key))
            self._in_flight[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        # Shielded: one client that goes away does not take the work from the others.
        return await asyncio.shield(flight)

    def _land(self, key: OperationKey, flight: asyncio.Future[CompiledOperation | GuardedOperation]) -> None:
        del self._in_flight[key]
        if flight.cancelled() or flight.exception() is not None or len(key[0]) > MAX_SHARED_TEXT:
            return
        compiled = flight.result()
        self._entries.put(key, compiled, weight_of(key[0], compiled.operation.selections))
