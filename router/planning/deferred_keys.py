"""Key fields in deferred parts: what is delivered before brings them, for the lookups that send them.

A subgraph that does not know an entity has not even its key: read there again, a key field would be lost with the rest.
"""

from __future__ import annotations

from dataclasses import replace

from router.planning.choices import Choices
from router.planning.demand import Leaf
from router.planning.positions import Position
from router.planning.reach import TYPENAME, Node, Reach
from router.supergraph.field_set import FieldSet, FieldSetField


class KeyReader:
    """Finds where key fields of a deferred part are read with what was chosen for the parts before it."""

    def __init__(self, reach: Reach, choices: Choices) -> None:
        self._reach = reach
        self._choices = choices

    def read_before(self, leaf: Leaf) -> Leaf | None:
        """``leaf`` read where its object, or one that it is a part of, is read before; None where it is no key field,
        or what reads the object does not have it."""
        below: list[Position] = []
        position = leaf.position
        while True:
            names = (*(one.source_name for one in reversed(below)), leaf.name)
            if any(_selects(jump.key, names) for jump in self._reach.graph.jumps[position.type_name]):
                for known in position.known:
                    holder = self._holder(known, below, leaf.name)
                    if holder is not None:
                        _note_selected(holder, len(below), leaf)
                        return replace(leaf, position=holder)
            if position.is_boundary or position.is_cast or position.parent is None:
                return None
            below.append(position)
            position = position.parent

    def _holder(self, position: Position, below: list[Position], name: str) -> Position | None:
        """The position under ``position`` that leads through the fields of ``below``, if its requests have ``name``."""
        nodes = self._nodes(position)
        for step in reversed(below):
            ways = [way for way in position.ways(step.source_name) if way.node in nodes and not way.is_computed]
            nodes = {self._reach.follow(way.node, way.edge) for way in ways if way.edge is not None}
            position = position.child(step.source_name, step.response_key, step.arguments)
        is_there = any(way.node in nodes and not way.is_computed for way in position.ways(name))
        return position if is_there else None

    def _nodes(self, position: Position) -> set[Node]:
        """Where the position is read, or could be with the object that it is a cast of."""
        nodes = {presence.node for presence in self._choices.present(position)}
        if position.is_cast and position.parent is not None:
            above = (presence.node for presence in self._choices.present(position.parent))
            possible = (node for node in above if position.type_name in self._reach.possible(node))
            nodes.update(self._reach.cast(node, position.type_name) for node in possible)
        return nodes


def _note_selected(holder: Position, depth: int, leaf: Leaf) -> None:
    """Note that the client selects ``leaf`` at ``holder``, which is ``depth`` fields below the object of the key: it is
    lost with the fetch that brings the key."""
    if leaf.name != TYPENAME:
        holder.select(leaf.response_key, leaf.name, leaf.arguments, leaf.conditions)
    for _ in range(depth):
        assert holder.parent is not None  # noqa: S101 - it is below another
        holder.parent.select(holder.response_key, holder.source_name, holder.arguments, leaf.conditions)
        holder = holder.parent


def _selects(key: FieldSet, names: tuple[str, ...]) -> bool:
    """Whether the key has the field that ``names`` lead to; ``__typename`` is in each of its objects."""
    if names == (TYPENAME,):
        return True
    fields = (item for item in key if isinstance(item, FieldSetField) and item.name == names[0])
    return any(len(names) == 1 or _selects(item.selections, names[1:]) for item in fields)
