"""What an operation demands: every leaf that has to be read somewhere, and the conditions under which.

Composite fields are no demands of their own, since whatever reads a leaf below goes through them; only where nothing
below them is certain to be selected, or their type has to be learned, ``__typename`` is demanded of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from router.operation.model import Field, InlineFragment, Selection
from router.planning.positions import Arguments, Conditions, Position
from router.planning.reach import TYPENAME, Reach

ResponsePath = tuple[str, ...]
INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf field to be read at ``position`` under ``response_key``."""

    position: Position
    name: str
    response_key: str
    arguments: Arguments
    conditions: Conditions


class DemandReader:
    """Walks an operation's selections, and collects positions and leaves in the client's order.

    ``apart`` names fields of interfaces (by path) that have to be read type by type. ``numbered`` positions are read
    already.
    """

    def __init__(self, reach: Reach, apart: frozenset[ResponsePath] = frozenset(), numbered: int = 0) -> None:
        self._reach = reach
        self._apart = apart
        self._numbered = numbered
        self._leaves: list[Leaf] = []
        self.read_as_one: list[tuple[Position, ResponsePath]] = []

    @property
    def numbered(self) -> int:
        """How many positions have been read."""
        return self._numbered

    def leaves(self) -> list[Leaf]:
        """The leaves read so far, without those that are read for all types of an object already."""
        return [leaf for leaf in self._leaves if not _is_read_above(leaf)]

    def read(self, position: Position, selections: tuple[Selection, ...], conditions: Conditions = ()) -> bool:
        """Collect what is selected at ``position``; whether some of it is selected whenever ``conditions`` hold."""
        if not position.number:
            self._numbered += 1
            position.number = self._numbered
        certain = False
        for selection in selections:
            here = merge_conditions(conditions, selection.conditions)
            if _can_never_hold(here):
                continue
            if isinstance(selection, Field):
                self._read_field(position, selection, here)
                certain = certain or (here == conditions and selection.name != TYPENAME)
            else:
                certain = (self._read_fragment(position, selection, here) and here == conditions) or certain
        return certain

    def _read_fragment(self, position: Position, fragment: InlineFragment, conditions: Conditions) -> bool:
        possible = self._reach.merged(fragment.type_condition).possible
        if not position.abstract:
            return position.type_name in possible and self.read(position, fragment.selections, conditions)
        if fragment.type_condition == position.type_name:
            return self.read(position, fragment.selections, conditions)
        for type_name in position.runtime_types():
            if type_name in possible:
                self.read(position.cast(type_name), fragment.selections, conditions)
        return False

    def _read_field(self, position: Position, field: Field, conditions: Conditions) -> None:
        if field.name in INTROSPECTION:
            return
        if field.name == TYPENAME:
            # Where it is not certain, it is demanded of the object that an abstract type is read for in any case.
            return
        if position.abstract and not self._is_read_as_one(position, field.name):
            for type_name in position.runtime_types():
                self._read_field(position.cast(type_name), field, conditions)
            return
        if not position.number:
            self._numbered += 1
            position.number = self._numbered
        position.select(field.response_key, field.name, field.arguments, conditions)
        if self._reach.merged(position.type_name).fields[field.name].composite:
            child = position.child(field.name, field.response_key, field.arguments)
            certain = self.read(child, field.selections, conditions)
            # Projection reads an object of an abstract type by its concrete type, whatever is selected.
            if not certain or child.abstract:
                self._leaves.append(Leaf(child, TYPENAME, TYPENAME, (), conditions))
        else:
            leaf = Leaf(position, field.name, field.response_key, field.arguments, conditions)
            self._leaves.append(leaf)

    def _is_read_as_one(self, position: Position, name: str) -> bool:
        """Whether an interface's field is read from all its types alike, rather than type by type."""
        path = (*position.path(), name)
        if path in self._apart:
            return False
        together = min((way.level for way in position.ways(name)), default=None)
        if together is None:
            return False
        if together > min(position.levels.values()):
            apart = self._level_apart(position, name)
            if apart is not None and together > apart > 0:
                return False
        self.read_as_one.append((position, path))
        return True

    def _level_apart(self, position: Position, name: str) -> int | None:
        """The level at which the field is there for all types, each read on its own; None where it cannot be."""
        levels = []
        for type_name in position.runtime_types():
            ways = position.cast(type_name).ways(name)
            if not ways:
                return None
            levels.append(min(way.level for way in ways))
        return max(levels, default=0)


def _is_read_above(leaf: Leaf) -> bool:
    """Whether the position that the leaf's is a cast of reads the same under the same key, at least as often."""
    above = leaf.position.parent
    if not leaf.position.is_cast or above is None or leaf.response_key not in above.client_keys:
        return False
    return any(set(selected) <= set(leaf.conditions) for selected in above.client_keys[leaf.response_key])


def read_apart_for(leaves: Iterable[Leaf]) -> frozenset[ResponsePath]:
    """The fields of interfaces to read type by type before anything below them is judged anew, for ``leaves``."""
    paths = {path for leaf in leaves if (path := read_as_one_above(leaf)) is not None}
    return frozenset(path for path in paths if not any(path[:length] in paths for length in range(len(path))))


def read_as_one_above(leaf: Leaf) -> ResponsePath | None:
    """The path of the innermost interface's field above ``leaf`` that was read from all its types alike, if any."""
    position: Position | None = leaf.position
    while position is not None and position.parent is not None:
        if not position.is_cast and position.parent.abstract:
            return (*position.parent.path(), position.source_name)
        position = position.parent
    return None


def _can_never_hold(conditions: Conditions) -> bool:
    """Whether one variable is asked to be both true and false, as below ``@include`` what stands under ``@skip``."""
    return len({condition.variable for condition in conditions}) < len(conditions)


def merge_conditions(outer: Conditions, own: Conditions) -> Conditions:
    """Both, each once, in a fixed order."""
    if not own or not outer:
        return own or outer
    return tuple(sorted({*outer, *own}, key=lambda condition: (condition.variable, condition.include)))
