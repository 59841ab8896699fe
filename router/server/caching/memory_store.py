"""Entries in this process's memory, bounded in bytes and in number: those not used for longest go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence

from router.server.caching.entry import EVERYTHING, Entry, Found, StoreSize

# What an entry takes beside its key, its value and its tags: objects, and its place in the table.
ENTRY_BYTES = 500


class MemoryStore:
    """An EntryStore. A dropped tag is a mark; the entries that it takes go when they are met, or as the oldest."""

    def __init__(self, max_bytes: int, max_entries: int) -> None:
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._bytes = 0
        self._now = 0
        self._dropped: OrderedDict[str, int] = OrderedDict()
        self._last_drop = 0
        # Drops that are not remembered one by one any more took everything that began before.
        self._floor = 0

    @property
    def size(self) -> StoreSize:
        """See :class:`EntryStore`."""
        return StoreSize(len(self._entries), self._bytes)

    async def read(self, keys: Sequence[bytes], now: float) -> Found:
        """See :class:`EntryStore`."""
        self._now += 1
        entries = self._entries
        found: list[Entry | None] = []
        for key in keys:
            entry = entries.get(key)
            found.append(entry and self._checked(key, entry, now))
        return Found(self._now, found)

    async def write(self, entries: Mapping[bytes, Entry], now: float) -> None:
        """See :class:`EntryStore`."""
        for key, entry in entries.items():
            size = _size(key, entry)
            if size > self._max_bytes or not self._is_valid(entry):
                continue
            self._remove(key)
            self._entries[key] = entry
            self._bytes += size
        while self._bytes > self._max_bytes or len(self._entries) > self._max_entries:
            self._remove(next(iter(self._entries)))

    async def drop(self, tags: Collection[str]) -> None:
        """See :class:`EntryStore`."""
        self._now += 1
        self._last_drop = self._now
        for tag in tags:
            self._dropped[tag] = self._now
            self._dropped.move_to_end(tag)
        if EVERYTHING in tags:
            self._floor = self._now
            self._entries.clear()
            self._bytes = 0
        while len(self._dropped) > self._max_entries:
            _, self._floor = self._dropped.popitem(last=False)

    async def close(self) -> None:
        """See :class:`EntryStore`; there is nothing to give up."""

    def _checked(self, key: bytes, entry: Entry, now: float) -> Entry | None:
        """``entry``, used last now; None where it is over, or was dropped, and is here no more."""
        if now >= entry.stale_until or not self._is_valid(entry):
            self._remove(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def _is_valid(self, entry: Entry) -> bool:
        if entry.began > self._last_drop:
            return True
        dropped = self._dropped
        return entry.began > self._floor and all(dropped.get(tag, 0) < entry.began for tag in entry.tags)

    def _remove(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _size(key, entry)


def _size(key: bytes, entry: Entry) -> int:
    return ENTRY_BYTES + len(key) + len(entry.value) + 60 * len(entry.tags) + sum(map(len, entry.tags))
