"""What was used last, as many as fit: bounded by their number and by what they weigh in memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class CacheSize:
    """At most so many entries, and so many bytes by their estimated weights."""

    max_entries: int
    max_bytes: int


class RecentlyUsed(Generic[Key, Value]):
    """A mapping that forgets what was not used for longest, beyond its ``size``."""

    def __init__(self, size: CacheSize) -> None:
        self._size = size
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def get(self, key: Key) -> Value | None:
        """The value of ``key``, which counts as used now; None where it is not there."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Key, value: Value, weight: int) -> None:
        """Keep ``value``, which weighs so many bytes, unless it is too heavy for any place here."""
        self.forget(key)
        if weight > self._size.max_bytes:
            return
        self._entries[key] = value, weight
        self._bytes += weight
        while len(self._entries) > self._size.max_entries or self._bytes > self._size.max_bytes:
            self._bytes -= self._entries.popitem(last=False)[1][1]

    def forget(self, key: Key) -> None:
        """Keep ``key`` no longer."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry[1]

    def most_recent(self, count: int) -> list[Key]:
        """At most ``count`` keys, the one used last first."""
        return list(islice(reversed(self._entries), count))
