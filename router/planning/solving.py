"""Computed fields that are inputs of one another: no field is an input of itself, and none is solved twice.

Where ``c`` requires ``a`` and ``b``, and ``b`` requires ``a``, there are two ways down to ``a``, and twice as many with
each field more. What is found of ``a`` is the same on all of them, unless it leads to a field that is being solved.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple, TypeVar, cast

Computed = Hashable
T = TypeVar("T")


class _Trace(NamedTuple):
    """The computed fields that an answer was found ``through``, and those ``refused`` as inputs of themselves."""

    through: set[Computed]
    refused: set[Computed]

    def add(self, other: _Trace) -> None:
        self.through.update(other.through)
        self.refused.update(other.refused)


class Solving:
    """The computed fields that are being solved, and the answers that were found on the way."""

    __slots__ = ("_answers", "_now", "_trace")

    def __init__(self) -> None:
        self._now: frozenset[Computed] = frozenset()
        self._trace = _Trace(set(), set())
        self._answers: dict[Hashable, tuple[object, _Trace]] = {}

    def inputs_of(self, field: Computed, find: Callable[[], int | None]) -> int | None:
        """What ``find`` gives for inputs of ``field``; None where that is being solved already."""
        self._trace.through.add(field)
        if field in self._now:
            self._trace.refused.add(field)
            return None
        outer, self._now = self._now, self._now | {field}
        try:
            return find()
        finally:
            self._now = outer

    def once(self, question: Hashable, find: Callable[[], T]) -> T:
        """What ``find`` gives, or gave before for the same ``question``.

        An answer that refused none of the fields that were being solved is the same whichever these are, as long as it
        was found through none of them. Any other holds where the same fields are being solved.
        """
        anywhere, here = question, (question, self._now)
        known = self._answers.get(anywhere)
        if known is None or not known[1].through.isdisjoint(self._now):
            known = self._answers.get(here)
        if known is None:
            outer, self._trace = self._trace, _Trace(set(), set())
            try:
                known = find(), self._trace
            finally:
                self._trace = outer
            self._answers[anywhere if known[1].refused.isdisjoint(self._now) else here] = known
        self._trace.add(known[1])
        return cast("T", known[0])
