"""What was used of late, at the price of one look into a dictionary: two generations, forgotten as wholes.

Where most keys are never used again, those that were used once are only noted, which costs a fraction of keeping them.
"""

from __future__ import annotations

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Generations(Generic[Key, Value]):
    """A mapping of at most ``max_entries``, and ``max_bytes`` by what their givers say that they weigh.

    What is used moves to the younger generation. When that is half as large as all may be, it becomes the older one,
    whose rest is forgotten: nothing is noted when a value is used again, as the order of all uses would be.
    """

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._most_young = max_entries // 2
        self._most_young_bytes = max_bytes // 2
        self._young: dict[Key, tuple[Value, int]] = {}
        self._old: dict[Key, tuple[Value, int]] = {}
        self._young_bytes = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: Key) -> Value | None:
        """The value of ``key``; None where it is not there."""
        entry = self._young.get(key)
        if entry is not None:
            return entry[0]
        entry = self._old.pop(key, None)
        if entry is None:
            return None
        self.put(key, *entry)
        return entry[0]

    def put(self, key: Key, value: Value, weight: int) -> None:
        """Keep the ``value`` of a ``key`` that is not there, which weighs so many bytes."""
        self._young_bytes += weight
        if len(self._young) >= self._most_young or self._young_bytes > self._most_young_bytes:
            self._old, self._young, self._young_bytes = self._young, {}, weight
        self._young[key] = value, weight


class UsedOnce:
    """The keys that were used once of late, at most ``max_keys``; their hashes, to be exact."""

    def __init__(self, max_keys: int) -> None:
        self._max_keys = max_keys
        self._hashes: set[int] = set()

    def note(self, key: bytes) -> bool:
        """Whether ``key`` was noted before; it is not any more then."""
        number = hash(key)
        if number in self._hashes:
            self._hashes.discard(number)
            return True
        if len(self._hashes) == self._max_keys:
            self._hashes.clear()
        self._hashes.add(number)
        return False
