"""Which objects of an answer must be of the right shape before they are merged: those that more than one fetch needs.

A subgraph that answers with a list where an object belongs loses what is its own, and projection tells of it. But an
object that another subgraph brings as well would be lost with it, and an input would be sent to the next subgraph as it
came. So these are checked on arrival; all else is not, which keeps most answers free of any check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from router.planning.positions import Place
from router.planning.presences import Input, Presence
from router.planning.query_plan import ExpectedShape
from router.planning.shapes import Sent
from router.supergraph.query_graph import MergedType

PlacedKey = tuple[Place, str]


class ExpectedShapes:
    """Knows what is shared by the fetches of ``entries`` (each with the fetch it belongs to), or input of one."""

    def __init__(self, entries: Iterable[tuple[Presence, object]], merged: Mapping[str, MergedType]) -> None:
        self._merged = merged
        brought: dict[PlacedKey, object] = {}
        self._checked: set[PlacedKey] = set()
        self._chosen_by_type: set[PlacedKey] = set()
        for entry, fetch in entries:
            for key in _composites(entry):
                if brought.setdefault(key, fetch) != fetch:
                    self._checked.add(key)
            if entry.entry is not None:
                for key, item in _inputs(entry.position.place, entry.entry.inputs.values()):
                    self._checked.add(key)
                    if item.abstract:
                        self._chosen_by_type.add(key)

    def below(self, presence: Presence, sent: Sent, path: tuple[str, ...] = ()) -> Iterator[ExpectedShape]:
        """The shapes to check below ``presence``, outer ones first, by the names that the subgraph is asked for."""
        for key, use in presence.uses.items():
            if use.below is None or use.edge is None:
                continue
            name = sent.name_of(presence, key)
            if (presence.position.place, key) in self._checked:
                types = self._types_of(use.below) if (presence.position.place, key) in self._chosen_by_type else None
                yield ExpectedShape((*path, name), use.edge.type.count("["), types)
            yield from self.below(use.below, sent, (*path, name))
        for cast in presence.casts.values():
            yield from self.below(cast, sent, path)

    def _types_of(self, presence: Presence) -> tuple[str, ...]:
        """The names that an object there may say it is of; an interface object says the interface's."""
        merged = self._merged[presence.position.type_name]
        return (*merged.possible, merged.name)


def _composites(presence: Presence) -> Iterator[PlacedKey]:
    for key, use in presence.uses.items():
        if use.below is not None:
            yield presence.position.place, key
            yield from _composites(use.below)
    for cast in presence.casts.values():
        yield from _composites(cast)


def _inputs(place: Place, inputs: Iterable[Input]) -> Iterator[tuple[PlacedKey, Input]]:
    """Every object that a representation is built from, with the input that it is."""
    for item in inputs:
        if item.below is not None:
            yield (place, item.response_key), item
            yield from _inputs(place.child(item.response_key), item.below)
