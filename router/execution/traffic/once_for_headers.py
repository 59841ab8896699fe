"""What the headers of a request come to, worked out once for all of its fetches: they share one tuple of headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from router.execution.subgraph_client import Headers

Made = TypeVar("Made")

# Requests whose clients send the same headers again have one tuple of them. All are forgotten when there are more.
MOST_REMEMBERED = 256


class OnceForHeaders(Generic[Made]):
    """``make``, called once for each tuple of headers while that is one of the last.

    Tuples are told apart by identity: to compare them takes as long as to make most things of them. What is remembered
    is alive, so that nothing else has its identity.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[Headers], Made]) -> None:
        self._make = make
        self._made: dict[int, tuple[Headers, Made]] = {}

    def __call__(self, headers: Headers) -> Made:
        """What ``make`` makes of ``headers``."""
        known = self._made.get(id(headers))
        if known is None:
            if len(self._made) == MOST_REMEMBERED:
                self._made.clear()
            known = self._made[id(headers)] = headers, self._make(headers)
        return known[1]
