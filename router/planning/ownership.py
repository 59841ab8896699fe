"""Which of the client's fields fall with which fetch.

An object that one fetch alone brings falls as a whole; of one that several fetches bring, each owns the fields inside
it that it asks for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from router.planning.conditions import simplify
from router.planning.positions import Place
from router.planning.presences import Presence, Slot, Use
from router.planning.query_plan import OwnedField, Path, PathStep
from router.planning.subgraph_document import in_order


class Ownership:
    """Knows which of the fetches of ``entries`` (each with the slot that it is fetched in) bring each field."""

    def __init__(self, entries: Iterable[Presence], final: Mapping[Slot, Slot]) -> None:
        self._brought: dict[tuple[Place, str], set[Slot]] = {}
        for entry in entries:
            for presence in _within(entry):
                for key in presence.uses:
                    self._brought.setdefault((_object(presence), key), set()).add(final[presence.slot])

    def owned(
        self,
        presence: Presence,
        types: tuple[str, ...] | None,
        path: Path = (),
        start_types: tuple[str, ...] | None = None,
    ) -> list[OwnedField]:
        """The client's fields that fall with this fetch; where another fetch brings the object too, those inside it."""
        owned: list[OwnedField] = []
        for key, use in in_order(presence):
            selected = presence.position.client_keys.get(key)
            if selected is None:
                continue
            if use.below is not None and len(self._brought[_object(presence), key]) > 1:
                start = start_types if path else types
                inside = self.owned(use.below, None, (*_restricted(path, types), PathStep(key)), start)
                owned += inside
                # Where all that is inside may be skipped, the object itself is what is missing then.
                start = start_types if path else None
                owned += (
                    OwnedField(key, types, conditions, path, start)
                    for conditions in simplify(selected)
                    if not any(set(one.conditions) <= set(conditions) for one in inside)
                )
            else:
                start = start_types if path else None
                owned += (OwnedField(key, types, conditions, path, start) for conditions in simplify(selected))
        for name, cast in presence.casts.items():
            owned += self.owned(cast, (name,), path, start_types)
        return owned


def owned_alone(
    presence: Presence,
    uses: Collection[Use],
    types: tuple[str, ...] | None,
    path: Path = (),
    start_types: tuple[str, ...] | None = None,
) -> Iterator[OwnedField]:
    """Those of the client's fields at ``presence`` and below that are read by ``uses``, each by itself."""
    for key, use in in_order(presence):
        start = start_types if path else types
        if use in uses:
            conditions = simplify(presence.position.client_keys.get(key, ()))
            yield from (OwnedField(key, types, one, path, start_types if path else None) for one in conditions)
        elif use.below is not None:
            yield from owned_alone(use.below, uses, None, (*_restricted(path, types), PathStep(key)), start)
    for name, cast in presence.casts.items():
        yield from owned_alone(cast, uses, (name,), path, start_types)


def _object(presence: Presence) -> Place:
    """The place of the object, whatever it is read as there, and in whatever part of the answer."""
    position = presence.position
    while position.known:
        position = position.known[0]
    return position.place


def _within(presence: Presence) -> Iterable[Presence]:
    """``presence`` and every presence of the same request below it."""
    yield presence
    for use in presence.uses.values():
        for below in use.children.values():
            yield from _within(below)
    for cast in presence.casts.values():
        yield from _within(cast)


def _restricted(path: Path, types: tuple[str, ...] | None) -> Path:
    """``path`` to objects of ``types`` only."""
    return (*path[:-1], PathStep(path[-1].response_key, types)) if path and types is not None else path
