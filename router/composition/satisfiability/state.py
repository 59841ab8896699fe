"""Where a query can be: a type of the supergraph and the vertices that stand for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from router.composition.satisfiability.conditions import Labels
from router.composition.satisfiability.graph import Contexts


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A step of the walk; ``parent`` and ``step`` (a field, or ``... on Type``) lead back to the root.

    ``contexts`` are met by the objects that enclose this one.
    """

    type: str
    vertices: frozenset[int]
    labels: Labels = frozenset()
    parent: State | None = None
    step: str = ""
    contexts: Contexts = frozenset()

    def steps(self) -> list[str]:
        """The steps from the root to here."""
        return [state.step for state in reversed(list(self._back()))]

    @property
    def root(self) -> str:
        """The root type where the walk began."""
        state = self
        while state.parent is not None:
            state = state.parent
        return state.type

    def _back(self) -> Iterator[State]:
        state = self
        while state.parent is not None:
            yield state
            state = state.parent
