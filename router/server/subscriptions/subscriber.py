"""One client's subscription: the results that wait for it, and how it ended."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from router.errors import OperationError

GraphQLErrors = Sequence[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a subscription ended: with ``errors``, or because the subgraph completed it.

    ``is_ours`` where it could have gone on but for this router: the client does well to subscribe again.
    """

    errors: GraphQLErrors = ()
    is_ours: bool = False

    @property
    def error(self) -> OperationError | None:
        """The first of the errors, for who looks at errors; None where it was completed."""
        if not self.errors:
            return None
        first: Any = self.errors[0]
        return OperationError(first["extensions"]["code"], first["message"])


COMPLETED = Ending()


class Subscriber:
    """Results as JSON, to be iterated over; afterwards ``ending`` says why there are no more.

    It holds at most ``max_buffered`` results: a client that is slower than that for so long is ended.
    """

    def __init__(self, max_buffered: int, leave: Callable[[Subscriber], None]) -> None:
        self.ending: Ending | None = None
        self._results: deque[bytes] = deque()
        self._max_buffered = max_buffered
        self._leave = leave
        self._changed = asyncio.Event()

    def offer(self, result: bytes) -> None:
        """Let ``result`` wait for the client; the last one that it can take ends the subscription."""
        if self.ending is not None:
            return
        if len(self._results) < self._max_buffered:
            self._results.append(result)
            self._changed.set()
            return
        # It does not read: what waits would never be seen in time, the reason should be.
        self._results.clear()
        message = f"The subscription is closed: {self._max_buffered} results waited that were not read fast enough."
        self.end(Ending([{"message": message, "extensions": {"code": "SUBSCRIPTION_TOO_SLOW"}}]))
        self._leave(self)

    def end(self, ending: Ending) -> None:
        """No more results, but for those that wait."""
        if self.ending is None:
            self.ending = ending
            self._changed.set()

    def close(self) -> None:
        """The client is gone, or wants no more."""
        self._results.clear()
        self.end(COMPLETED)
        self._leave(self)

    def leave(self) -> None:
        """Get no more results; those that wait may still be read."""
        self._leave(self)

    async def next(self) -> bytes | None:
        """The next result; None after the last. Cancelling it loses nothing."""
        while not self._results:
            if self.ending is not None:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._results.popleft()
