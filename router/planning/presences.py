"""Requests and what they read: presences of positions, the fields used there, and what lookups take with them.

A request is a *slot*: a subgraph and a level (and a place, where root fields are asked again below the root; and the
part of the answer that it is for, 0 for what comes first, where fragments are deferred). A *presence* is a position
within a request; it was entered by a lookup (or is the root), or lies below another presence of the same request.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from router.planning.positions import Arguments, Conditions, Position
from router.planning.reach import Node, Reach
from router.supergraph.query_graph import ContextualArgument, FieldEdge, Jump

Slot = tuple[str, int, str, int]


@dataclass(eq=False, slots=True)
class Use:
    """A field read in a presence; ``conditions`` are the alternatives under which a client asked for it here."""

    name: str
    arguments: Arguments
    edge: FieldEdge | None
    conditions: dict[Conditions, bool] = field(default_factory=dict)
    children: dict[Position, Presence] = field(default_factory=dict)

    @property
    def below(self) -> Presence | None:
        """The presence that a composite field leads to."""
        return next(iter(self.children.values()), None)


@dataclass(frozen=True, slots=True)
class Input:
    """A field of a representation: where a lookup finds it in the merged data. ``types``: only in objects of these."""

    types: tuple[str, ...] | None
    name: str
    response_key: str
    nullable: bool
    below: tuple[Input, ...] | None
    abstract: bool = False


@dataclass(frozen=True, slots=True)
class ContextInput:
    """Where the value of a contextual argument is found: ``inputs`` of the object at ``setter``."""

    setter: Position
    inputs: tuple[Input, ...]


@dataclass(eq=False, slots=True)
class Entry:
    """How a presence was entered by a lookup: what its representations hold, and who reads that for it.

    ``providers`` are presences with the response key that each has to read before; ``contexts`` are the values that
    fields of the lookup take from the objects around. Of the ``inputs``, ``key`` is what the jump needs, and
    ``computed`` what a field does that needs more, by its name.
    """

    jump: Jump | None
    key: tuple[Input, ...] = ()
    inputs: dict[tuple[str, tuple[str, ...] | None], Input] = field(default_factory=dict)
    computed: dict[str, tuple[Input, ...]] = field(default_factory=dict)
    contexts: dict[ContextualArgument, ContextInput] = field(default_factory=dict)
    providers: dict[tuple[Presence, str], bool] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Presence:
    """A position in a request, read as ``node``: ``entry`` is set where the request enters the data, else ``above``."""

    position: Position
    node: Node
    slot: Slot
    entry: Entry | None = None
    above: Presence | None = None
    uses: dict[str, Use] = field(default_factory=dict)
    casts: dict[str, Presence] = field(default_factory=dict)

    @property
    def level(self) -> int:
        """How many requests come before this one, itself included."""
        return self.slot[1]

    @property
    def entrance(self) -> Presence:
        """The presence above, or this one, where its request enters the data."""
        presence = self
        while presence.above is not None:
            presence = presence.above
        return presence


def is_root_again(position: Position, reach: Reach) -> bool:
    """Whether this is a root object below the root of the operation."""
    return position.parent is not None and root_kind(position, reach) is not None


def root_kind(position: Position, reach: Reach) -> str | None:
    """The kind of operation that the position's type is the root of: ``query`` or ``mutation``, most often none."""
    roots = reach.graph.roots
    return next((kind for kind in ("query", "mutation") if roots.get(kind) == position.type_name), None)


def merge_inputs(inputs: list[Input]) -> list[Input] | None:
    """Each field once with all that is asked below it; None if one name is asked for two different values."""
    merged: dict[tuple[str, tuple[str, ...] | None], Input] = {}
    for item in inputs:
        known = merged.setdefault((item.name, item.types), item)
        if known == item:
            continue
        if known.response_key != item.response_key:
            return None
        below = merge_inputs([*(known.below or ()), *(item.below or ())])
        if below is None:
            return None
        merged[item.name, item.types] = replace(
            known,
            nullable=known.nullable and item.nullable,
            below=tuple(below) if below else known.below,
            abstract=known.abstract or item.abstract,
        )
    return list(merged.values())
