"""Planning what is deferred: each part with fetches of its own, which begin where what is delivered before ends.

``{ product { name ... @defer { price dims { h } } } }``: the first answer reads ``name``; ``price`` is looked up with a
key that the first answer's fetch brings beside it, and so is ``dims``, even where the subgraph of ``name`` has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from router.operation.deferral import DeferredOperation, DeferUsages, ExecutionGroup, ancestors
from router.operation.model import Field, Selection
from router.planning.choices import Choices
from router.planning.deferred_keys import KeyReader
from router.planning.demand import DemandReader, Leaf, read_apart_for, read_as_one_above
from router.planning.limits import PlanningLimits
from router.planning.positions import DeferredScope, Place, Position
from router.planning.query_plan import DeferredPart
from router.planning.reach import TYPENAME, Reach
from router.planning.search import NoWayError, choose_ways, ways_missing
from router.planning.values import print_arguments

Selections = tuple[Selection, ...]


@dataclass(frozen=True, slots=True)
class DeferredPlace:
    """Selections of a deferred part, and the fields and type conditions that lead from the root to their object."""

    path: Selections
    selections: Selections


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A deferred part with all its places, and the numbers of the parts whose data its fetches may start from."""

    part: DeferredPart
    before: frozenset[int]
    places: tuple[DeferredPlace, ...]

    def below(self, response_keys: set[str] | None) -> PlannedPart:
        """The same part with the places below these root fields alone; None stands for all."""
        if response_keys is None:
            return self
        kept = (place for place in self.places if _root_key(place) in response_keys)
        return replace(self, places=tuple(kept))


Parts = tuple[PlannedPart, ...]


def deferred_parts(operation: DeferredOperation) -> Parts:
    """One part for each set of deferred fragments that share fields, in an order in which they can be planned."""
    places: dict[DeferUsages, list[DeferredPlace]] = {}
    for usages, place in _places(operation.groups, ()):
        places.setdefault(usages, []).append(place)
    ordered = sorted(places, key=lambda usages: (max(len(list(ancestors(u))) for u in usages), -len(usages)))
    parts: list[PlannedPart] = []
    for number, usages in enumerate(ordered, 1):
        above = {ancestor for usage in usages for ancestor in ancestors(usage)}
        after = [p.part.number for p in parts if above & set(p.part.usages)]
        beside = [p.part.number for p in parts if set(usages) < set(p.part.usages)]
        part = DeferredPart(number, usages, tuple(after))
        parts.append(PlannedPart(part, frozenset({0, *after, *beside}), tuple(places[usages])))
    return tuple(parts)


def reserve_keys(place: Place, parts: Parts) -> None:
    """Keep the response keys of all ``parts`` free of what planning adds."""
    for part in parts:
        for one in part.places:
            _reserve(place, _nested(one.path, one.selections))


class DeferralPlanner:
    """Chooses for one part after the other, on top of the ``choices`` that were made for the first answer."""

    def __init__(
        self, reach: Reach, choices: Choices, root: Position, *, is_query: bool, limits: PlanningLimits, numbered: int
    ) -> None:
        self._reach = reach
        self._choices = choices
        self._root = root
        self._is_query = is_query
        self._limits = limits
        self._numbered = numbered
        self._keys = KeyReader(reach, choices)
        self._begun: dict[Position, Position] = {}

    def choose(self, part: PlannedPart) -> None:
        """Choose for a part; those before it have been chosen for. PlanningError where it cannot be planned."""
        if not part.places:
            return
        self._choices.part = part.part.number
        self._begun = {}
        scope = DeferredScope(part.part.number, lambda position: self._is_known(position, part.before))
        try:
            leaves = [leaf for place in part.places for leaf in self._leaves(place, scope)]
            choose_ways(self._choices, self._reach, leaves, self._limits)
        except NoWayError as error:
            raise error.explained() from None

    def _is_known(self, position: Position, before: frozenset[int]) -> bool:
        part = position.deferred.part if position.deferred is not None else 0
        return part in before and any(True for _ in self._choices.present(position))

    def _leaves(self, place: DeferredPlace, scope: DeferredScope) -> list[Leaf]:
        """What has to be read for ``place``, from the nearest object above from which all of it can be."""
        for length in range(len(place.path), 0, -1):
            if isinstance(place.path[length - 1], Field):
                origins = self._origins(place.path[:length], scope)
                if origins and all(self._is_entity(origin) for origin in origins):
                    leaves = self._read(origins, _nested(place.path[length:], place.selections), scope)
                    if leaves is not None:
                        return leaves
        if self._is_query:
            leaves = self._read([self._root], _nested(place.path, place.selections), scope)
            if leaves is not None:
                return leaves
        return self._read_where_it_stands(place)

    def _is_entity(self, position: Position) -> bool:
        types = (position.type_name, *(position.runtime_types() if position.abstract else ()))
        return any(self._reach.graph.jumps[name] for name in types)

    def _read(self, origins: Sequence[Position], selections: Selections, scope: DeferredScope) -> list[Leaf] | None:
        """The leaves of ``selections`` below the objects at ``origins``; None where one of them cannot be read so."""
        apart: frozenset[tuple[str, ...]] = frozenset()
        while True:
            reader = DemandReader(self._reach, apart, self._numbered)
            for origin in origins:
                reader.read(self._begin(origin, scope), selections)
            leaves = list(self._unknown(reader.leaves()))
            missing = ways_missing(leaves)
            if not missing:
                self._numbered = reader.numbered
                return leaves
            for origin in origins:
                del self._begun[origin]
            tried = {None, *apart}
            if any(read_as_one_above(leaf) in tried for leaf in missing):
                return None
            apart |= read_apart_for(missing)

    def _begin(self, origin: Position, scope: DeferredScope) -> Position:
        position = self._begun.get(origin)
        if position is None:
            position = self._begun[origin] = origin.begin_part(scope)
            if origin is self._root:
                position.start_at(origin.levels)
        return position

    def _read_where_it_stands(self, place: DeferredPlace) -> list[Leaf]:
        """Without an entity above, the fetches of the first answer bring it, and lookups further down are deferred."""
        reader = DemandReader(self._reach, frozenset(), self._numbered)
        for position in self._walk(place.path):
            reader.read(position, place.selections)
        self._numbered = reader.numbered
        return reader.leaves()

    def _unknown(self, leaves: Iterable[Leaf]) -> Iterator[Leaf]:
        """``leaves`` without types that are known; a key field is taken along by the fetch that is there before."""
        for leaf in leaves:
            if leaf.name != TYPENAME or not leaf.position.known:
                yield self._keys.read_before(leaf) or leaf

    def _origins(self, path: Selections, scope: DeferredScope) -> list[Position]:
        """The positions at ``path`` that are read for what is delivered before."""
        return [position for position in self._walk(path) if self._is_read(position, scope)]

    def _is_read(self, position: Position, scope: DeferredScope) -> bool:
        trail = position.trail()
        return any(scope.is_known(one) for one in position.place.positions if one.trail() == trail)

    def _walk(self, path: Selections) -> list[Position]:
        """Every position that ``path`` leads to from the root; several, where types on the way are read apart."""
        positions = [self._root]
        for step in path:
            positions = [below for position in positions for below in self._step(position, step)]
        return positions

    def _step(self, position: Position, step: Selection) -> Iterator[Position]:
        types = position.runtime_types() if position.abstract else ()
        if isinstance(step, Field):
            for one in (position, *(position.cast(name) for name in types)):
                if step.name in self._reach.merged(one.type_name).fields:
                    yield one.child(step.name, step.response_key, step.arguments)
        elif step.type_condition == position.type_name:
            yield position
        else:
            possible = self._reach.merged(step.type_condition).possible
            if not position.abstract and position.type_name in possible:
                yield position
            yield from (position.cast(name) for name in types if name in possible)


def _places(groups: Iterable[ExecutionGroup], path: Selections) -> Iterator[tuple[DeferUsages, DeferredPlace]]:
    for group in groups:
        here = (*path, *group.path)
        yield group.usages, DeferredPlace(here, group.selections)
        yield from _places(group.groups, here)


def _nested(path: Selections, selections: Selections) -> Selections:
    """``selections`` within all that ``path`` leads through."""
    for step in reversed(path):
        selections = (replace(step, selections=selections),)
    return selections


def _reserve(place: Place, selections: Selections) -> None:
    for one in selections:
        if isinstance(one, Field):
            place.take(one.response_key, (one.name, print_arguments(one.arguments)))
            _reserve(place.child(one.response_key), one.selections)
        else:
            _reserve(place, one.selections)


def _root_key(place: DeferredPlace) -> str | None:
    return next((step.response_key for step in place.path if isinstance(step, Field)), None)
