"""Text, operation name, override labels and what is denied -> compiled operation, up to a limit; each compiled once.

An operation that touches nothing protected is there once. One that does is there as a GuardedOperation, which says what
must be asked of a requester, and once more for each outcome: never for each user.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice

from router.errors import OperationError
from router.operation.authorization import Denied
from router.planning.override_labels import NO_LABELS, ActiveLabels
from router.server.compiled_operation import MAX_SHARED_TEXT, CompiledOperation, GuardedOperation

# What is denied is None where it has not been asked yet.
OperationKey = tuple[str, str | None, ActiveLabels, Denied | None]
Compile = Callable[[str, str | None, ActiveLabels, Denied | None], CompiledOperation | GuardedOperation]


class OperationCache:
    """Least recently used operations are forgotten beyond ``max_entries``; failures are not remembered."""

    def __init__(self, compile_: Compile, max_entries: int) -> None:
        self._compile = compile_
        self.max_entries = max_entries
        self._entries: OrderedDict[OperationKey, CompiledOperation | GuardedOperation] = OrderedDict()
        self._in_flight: dict[OperationKey, asyncio.Future[CompiledOperation | GuardedOperation]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def known(
        self, text: str, operation_name: str | None, labels: ActiveLabels = NO_LABELS, denied: Denied | None = None
    ) -> CompiledOperation | GuardedOperation | None:
        """The operation as planned for the active override ``labels`` without what is ``denied``, if it is cached."""
        key = (text, operation_name, labels, denied)
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def most_recent(self, count: int) -> list[OperationKey]:
        """The keys of at most ``count`` operations, the one used last first."""
        return list(islice(reversed(self._entries), count))

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
            self._entries.move_to_end(key)
        return len(ready)

    async def compiled(
        self, text: str, operation_name: str | None, labels: ActiveLabels = NO_LABELS, denied: Denied | None = None
    ) -> CompiledOperation | GuardedOperation:
        """The operation, compiled in a thread if need be, once for all who wait. Raises OperationError."""
        key = (text, operation_name, labels, denied)
        flight = self._in_flight.get(key)
        if flight is None:
            flight = asyncio.ensure_future(asyncio.to_thread(self._compile, *key))
            self._in_flight[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        # Shielded: one client that goes away does not take the work from the others.
        return await asyncio.shield(flight)

    def _land(self, key: OperationKey, flight: asyncio.Future[CompiledOperation | GuardedOperation]) -> None:
        del self._in_flight[key]
        if flight.cancelled() or flight.exception() is not None or len(key[0]) > MAX_SHARED_TEXT:
            return
        self._entries[key] = flight.result()
        while len(self._entries) > self.max_entries:
            self._entries.popitem(last=False)
