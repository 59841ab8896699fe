"""Names that strangers give, as labels of metrics: so many of them, and those that come most often.

Theory of operation. Names are known in the order in which they come, until there are as many as may be. From then on
each other name is a candidate, of which as many are counted again; where there are more, all of their counts go down by
one, so that those that come often stay (Misra and Gries, "Finding Repeated Elements", 1982). A candidate that was seen
more than twice as often as the least known name takes its place. The least count at least doubles each time all places
have changed hands, so that whoever sends ever new names changes few of them, and never makes a new series for each.
"""

from __future__ import annotations

from collections.abc import Callable, Set

OTHER = "other"


class KnownNames:
    """At most ``most`` names. ``forget`` is told of each that loses its place: from then on it is one of the others."""

    def __init__(self, most: int, forget: Callable[[str], None]) -> None:
        self._most = most
        self._forget = forget
        self._known: dict[str, int] = {}
        self._candidates: dict[str, int] = {}
        # What the least known name had when it was last looked for. It has no less now.
        self._least = 0

    def count(self, name: str, times: int = 1) -> str:
        """See ``name`` once more: itself where it is known now, else OTHER. Several ``times`` where ``have_room``."""
        if name in self._known:
            self._known[name] += times
            return name
        if len(self._known) < self._most:
            self._known[name] = times
            return name
        return name if self._count_candidate(name) else OTHER

    def have_room(self, names: Set[str]) -> bool:
        """Whether all ``names`` are known, or will be when they are counted: whatever their order, none is OTHER."""
        return len(self._known.keys() | names) <= self._most

    def label(self, name: str) -> str:
        """What ``name`` is called, without seeing it once more."""
        return name if name in self._known else OTHER

    def limit(self, most: int) -> None:
        """Know at most so many from now on."""
        self._most, self._least = most, 0
        while len(self._known) > most:
            self._drop(min(self._known, key=self._known.__getitem__))

    def _count_candidate(self, name: str) -> bool:
        """Whether the name became known by being seen once more."""
        candidates = self._candidates
        if name in candidates or len(candidates) < self._most:
            candidates[name] = seen = candidates.get(name, 0) + 1
        else:
            self._candidates = {one: count - 1 for one, count in candidates.items() if count > 1}
            return False
        if seen <= 2 * self._least:
            return False
        least = min(self._known, key=self._known.__getitem__)
        self._least = self._known[least]
        if seen <= 2 * self._least:
            return False
        self._drop(least)
        del candidates[name]
        self._known[name] = seen
        return True

    def _drop(self, name: str) -> None:
        del self._known[name]
        self._forget(name)
