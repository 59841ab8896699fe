"""What the process holds of requests and messages that have not come whole, all connections together.

Each has its own limits of size and time, but ten thousand connections that each hold back the last byte of 60 kB would
be 600 MB. Over the bound the one that began first is refused, and not the one that came last: who never ends makes room
for who does. Large bodies and messages are bounded in ``overload.py`` from their first piece that is too large on.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

# What a line of a head takes beside its bytes, and a frame of a message beside its content, at most.
BYTES_PER_PART = 160


class Unfinished(Protocol):
    """A connection, of whose request a part has come."""

    def refuse_unfinished(self) -> None:
        """End the connection, with the reason that the router has more to do than it can."""


class UnfinishedRequests:
    """How many bytes each connection holds of a request that is not whole, the one that began first at the front."""

    def __init__(self) -> None:
        self.total_bytes = 0
        self._held_bytes: OrderedDict[Unfinished, int] = OrderedDict()

    def hold(self, connection: Unfinished, held_bytes: int, max_bytes: int) -> int:
        """``connection`` holds so much now; how many had to be refused for all to hold no more than ``max_bytes``."""
        refused = 0
        self.total_bytes += held_bytes - self._held_bytes.get(connection, 0)
        self._held_bytes[connection] = held_bytes
        while self.total_bytes > max_bytes:
            first = next(iter(self._held_bytes))
            self.forget(first)
            first.refuse_unfinished()
            refused += 1
        return refused

    def forget(self, connection: Unfinished) -> None:
        """``connection`` holds nothing of the kind any more."""
        self.total_bytes -= self._held_bytes.pop(connection, 0)
