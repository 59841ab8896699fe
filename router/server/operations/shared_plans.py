"""Plans that texts share which differ in literals alone: made for the first of them, while the others wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from router.errors import OperationError
from router.server.operations.recently_used import CacheSize, RecentlyUsed

Key = TypeVar("Key", bound=Hashable)
Plan = TypeVar("Plan")


@dataclass(slots=True)
class _Shared(Generic[Plan]):
    """The plan of all texts with one key, in a tuple of its own; the lock is held by who makes it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    made: tuple[Plan] | None = None


class SharedPlans(Generic[Key, Plan]):
    """Used by any number of threads; those used last are kept."""

    def __init__(self, size: CacheSize) -> None:
        self._entries: RecentlyUsed[Key, _Shared[Plan]] = RecentlyUsed(size)
        self._lock = threading.Lock()

    def of(self, key: Key, make: Callable[[], tuple[Plan, int]]) -> Plan:
        """The plan of ``key``; where there is none yet, what ``make`` gives, with its weight in bytes.

        Raises the OperationError that ``make`` raises, and remembers nothing then.
        """
        shared = self._shared_by(key)
        try:
            with shared.lock:
                if shared.made is None:
                    plan, weight = make()
                    shared.made = (plan,)
                    with self._lock:
                        self._entries.put(key, shared, weight)
                return shared.made[0]
        except OperationError:
            with self._lock:
                self._entries.forget(key)
            raise

    def _shared_by(self, key: Key) -> _Shared[Plan]:
        with self._lock:
            shared = self._entries.get(key)
            if shared is None:
                shared = _Shared()
                self._entries.put(key, shared, 0)
            return shared
