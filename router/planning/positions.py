"""Positions: the objects of the answer, each with the nodes that it can be read from.

``{ orders { lines { product { name } } } }`` has positions for the root, ``orders``, ``lines`` and ``product``; inputs
that later fetches need add more below. Where a type is abstract, each object type that it can be has a position of its
own beside it, a *cast*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from graphql import ValueNode

from router.operation.model import Condition
from router.planning.query_plan import Path, PathStep
from router.planning.reach import Closure, Levels, Node, Reach, Surroundings, Way
from router.planning.values import print_arguments
from router.supergraph.field_set import FieldSet
from router.supergraph.query_graph import ContextualArgument, FieldEdge, Jump

Arguments = tuple[tuple[str, ValueNode], ...]
FieldKey = tuple[str, str]
Conditions = tuple[Condition, ...]


class Place:
    """Response keys in use at one place of the answer, with the fields that each stands for on objects of any type."""

    __slots__ = ("below", "positions", "taken")

    def __init__(self) -> None:
        self.positions: list[Position] = []
        self.taken: dict[str, set[FieldKey]] = {}
        self.below: dict[str, Place] = {}

    def child(self, response_key: str) -> Place:
        """The place under ``response_key``."""
        return self.below.setdefault(response_key, Place())

    def take(self, response_key: str, field: FieldKey) -> None:
        """Note that ``response_key`` stands for ``field``."""
        self.taken.setdefault(response_key, set()).add(field)

    def free_key(self, field: FieldKey) -> str:
        """A response key for a field of ours: its name, unless a client uses that name for something else."""
        candidate, number = field[0], 1
        while self.taken.get(candidate, {field}) != {field}:
            candidate = f"_{field[0]}" if number == 1 else f"_{field[0]}_{number}"
            number += 1
        self.take(candidate, field)
        return candidate


@dataclass(frozen=True, slots=True)
class DeferredScope:
    """What the positions of one deferred part share: its number, and which positions are known before it."""

    part: int
    is_known: Callable[[Position], bool]


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a position is entered at a node: by fields (or casts) of the position above, or by a jump."""

    level: int
    sources: tuple[Way, ...]
    jump: Jump | None


class Position:
    """An object of the answer (or every object of a list) seen as ``type_name``."""

    __slots__ = (
        "_arrivals",
        "_casts",
        "_children",
        "_closure",
        "_known",
        "_reach",
        "_surroundings",
        "_ways",
        "abstract",
        "arguments",
        "client_keys",
        "deferred",
        "is_boundary",
        "is_cast",
        "keys",
        "number",
        "parent",
        "place",
        "response_key",
        "source_name",
        "type_name",
    )

    def __init__(
        self, reach: Reach, type_name: str, parent: Position | None, place: Place, source_name: str, response_key: str
    ) -> None:
        reach.count_position()
        self._reach = reach
        self.type_name = type_name
        self.parent = parent
        self.place = place
        self.source_name = source_name
        self.response_key = response_key
        self.is_cast = False
        self.is_boundary = False
        self.deferred: DeferredScope | None = None
        self.arguments: Arguments = ()
        self.abstract = reach.merged(type_name).abstract
        self.keys: dict[FieldKey, str] = {}
        self.client_keys: dict[str, list[Conditions]] = {}
        self.number = 0
        self._children: dict[tuple[str, str], Position] = {}
        self._casts: dict[str, Position] = {}
        self._ways: dict[str, list[Way]] = {}
        self._closure: Closure | None = None
        self._arrivals: dict[Node, Arrival] | None = None
        self._surroundings: Surroundings | None = None
        self._known: tuple[Position, ...] | None = None
        place.positions.append(self)

    # -- where it can be read --------------------------------------------------------------------------------------

    def start_at(self, levels: Levels) -> None:
        """Make this a root: it is there without being looked up."""
        self._closure = Closure(levels, {})

    @property
    def levels(self) -> Levels:
        """Every node that the position can be read from, with its least level."""
        return self._closed().levels

    def begin_part(self, deferred: DeferredScope) -> Position:
        """This object seen anew by a deferred part: nothing reads it yet, and it is entered by lookups alone."""
        position = Position(self._reach, self.type_name, self.parent, self.place, self.source_name, self.response_key)
        position.is_cast = self.is_cast
        position.arguments = self.arguments
        position.deferred = deferred
        position.is_boundary = True
        return position

    @property
    def known(self) -> tuple[Position, ...]:
        """For a deferred part: the same object where it is read for what is delivered before; its inputs are there."""
        if self.deferred is None:
            return ()
        if self._known is None:
            if self.is_cast and not self.is_boundary and self.parent is not None:
                self._known = tuple(known.cast(self.type_name) for known in self.parent.known)
            else:
                trail, is_known = self.trail(), self.deferred.is_known
                self._known = tuple(p for p in self.place.positions if p.trail() == trail and is_known(p))
        return self._known

    def trail(self) -> tuple[tuple[str, str], ...]:
        """The response keys and types that lead here: what tells one object from another."""
        steps: list[tuple[str, str]] = []
        position: Position | None = self
        while position is not None:
            steps.append(("" if position.is_cast else position.response_key, position.type_name))
            position = position.parent
        return tuple(steps)

    def _closed(self) -> Closure:
        if self._closure is None:
            assert self.parent is not None  # noqa: S101 - a root has been started
            if self.is_boundary:
                starts: Levels = {}
            elif self.is_cast:
                starts = self._reach.casts(self.parent.levels, self.type_name)
            else:
                starts = self._reach.enter(self.parent.ways(self.source_name))
            known = self._known_levels()
            with self._reach.within(self.surroundings):
                self._closure = self._reach.close(self.type_name, starts, known)
        return self._closure

    def _known_levels(self) -> list[Levels]:
        return [known.levels for known in self.known]

    def ways(self, name: str) -> list[Way]:
        """Every way to read the field ``name`` here."""
        ways = self._ways.get(name)
        if ways is None:
            closure, known = self._closed(), self._known_levels()
            with self._reach.within(self.surroundings):
                if known:
                    found = self._reach.ways(self.type_name, closure.levels, name, known)
                else:
                    found = self._reach.ways_from(self.type_name, closure, name)
                ways = self._ways[name] = [*found, *self._ways_in_context(name)]
        return ways

    def obtain(self, selections: FieldSet) -> int | None:
        """The level from which all of ``selections`` can be there, or None if one of them cannot be had."""
        levels = self.levels
        with self._reach.within(self.surroundings):
            return self._reach.obtain(self.type_name, levels, selections)

    # -- what is around it -----------------------------------------------------------------------------------------

    @property
    def surroundings(self) -> Surroundings:
        """The level from which each contextual argument has a value here; without those that can have none."""
        if self._surroundings is None:
            levels = ((argument, self._context_level(argument)) for argument in self._reach.graph.contextual)
            self._surroundings = frozenset((argument, level) for argument, level in levels if level is not None)
        return self._surroundings

    def _context_level(self, argument: ContextualArgument) -> int | None:
        setter = self.setter_of(argument.context)
        if setter is None:
            return None
        levels = (one.obtain(argument.selection) for one in (setter, *setter.known))
        return min((level for level in levels if level is not None), default=None)

    def setter_of(self, context: str) -> Position | None:
        """The nearest enclosing object whose type sets ``context``; None also where that depends on its type."""
        types = self._reach.graph.contexts.get(context, frozenset())
        position = self._enclosing()
        while position is not None:
            if position.type_name in types:
                return position
            if position.abstract and not types.isdisjoint(position.runtime_types()):
                return None
            position = position._enclosing()
        return None

    def innermost_setter(self, edge: FieldEdge) -> Position | None:
        """The nearest of the objects that set a context for arguments of ``edge``."""
        setters = {self.setter_of(argument.context) for argument in edge.contextual}
        position: Position | None = self
        while position is not None and position not in setters:
            position = position.parent
        return position

    def is_within(self, other: Position) -> bool:
        """Whether this is ``other``, or below it."""
        position: Position | None = self
        while position is not None and position is not other:
            position = position.parent
        return position is not None

    def _ways_in_context(self, name: str) -> Iterator[Way]:
        """Ways to a field with contextual arguments below a lookup, of an object around it, that takes the values."""
        if not self._reach.graph.contextual:
            return
        for node in self.levels:
            edge = self._reach.edge(node, name)
            if edge is None or edge.requires or not edge.contextual:
                continue
            setter, value_level = self.innermost_setter(edge), self._reach.context_level(edge)
            if setter is not None and value_level is not None:
                level = self.lookup_level(node, setter, value_level)
                if level is not None:
                    yield Way(level, node, edge)

    def lookup_level(self, node: Node, outermost: Position, after: int) -> int | None:
        """The level of a lookup after ``after``, of ``outermost`` or an object below, that comes to ``node`` here."""
        if node not in self.levels:
            return None
        arrival = self.arrival(node)
        looked_up = arrival.jump is not None and arrival.level > after and not self._reach.is_root(self.type_name)
        found: list[int | None] = [arrival.level if looked_up else None]
        if self is not outermost and self.parent is not None:
            plain = (source for source in arrival.sources if not source.is_computed)
            found += (self.parent.lookup_level(source.node, outermost, after) for source in plain)
        return min((level for level in found if level is not None), default=None)

    def _enclosing(self) -> Position | None:
        """The position of the object around this one: a cast, where its type is known."""
        position = self.parent if self.is_cast else self
        return position.parent if position is not None else None

    def arrival(self, node: Node) -> Arrival:
        """How to come to ``node``, which is one of ``levels``."""
        if self._arrivals is None:
            self._arrivals = {}
        known = self._arrivals.get(node)
        if known is None:
            closure = self._closed()
            known = Arrival(closure.levels[node], tuple(self._sources(node)), closure.jumps.get(node))
            self._arrivals[node] = known
        return known

    def _sources(self, node: Node) -> Iterator[Way]:
        if self.parent is None or self.is_boundary:
            return
        if self.is_cast:
            for above, level in self.parent.levels.items():
                if self.type_name in self._reach.possible(above) and self._reach.cast(above, self.type_name) == node:
                    yield Way(level, above)
            return
        for way in self.parent.ways(self.source_name):
            if way.edge is not None and self._reach.follow(way.node, way.edge) == node:
                yield way

    def runtime_types(self) -> tuple[str, ...]:
        """The object types that this can turn out to be."""
        types = self._reach.runtime_types(self.type_name, self.levels)
        if self.deferred is None:
            return types
        others = {name for known in self.known for name in known.runtime_types()}
        return tuple(name for name in self._reach.merged(self.type_name).possible if name in types or name in others)

    def blind_nodes(self) -> list[Node]:
        """For a cast: nodes of the position above that know types and can never return this one."""
        assert self.parent is not None  # noqa: S101 - a cast has a parent
        reach = self._reach
        return [n for n in self.parent.levels if reach.has_types(n) and self.type_name not in reach.possible(n)]

    def path(self) -> tuple[str, ...]:
        """The response keys that lead here."""
        keys: list[str] = []
        position: Position | None = self
        while position is not None and position.parent is not None:
            if not position.is_cast:
                keys.append(position.response_key)
            position = position.parent
        return tuple(reversed(keys))

    # -- what is below it ------------------------------------------------------------------------------------------

    def child(self, name: str, response_key: str, arguments: Arguments = ()) -> Position:
        """The position of the composite field ``name`` under ``response_key``."""
        key = (name, response_key)
        position = self._children.get(key)
        if position is None:
            target = self._reach.merged(self.type_name).fields[name].target
            place = self.place.child(response_key)
            position = self._children[key] = Position(self._reach, target, self, place, name, response_key)
            position.arguments = arguments
            position.deferred = self.deferred
        return position

    def cast(self, type_name: str) -> Position:
        """This position where the object is of ``type_name``."""
        if not self.abstract:
            return self
        position = self._casts.get(type_name)
        if position is None:
            position = Position(self._reach, type_name, self, self.place, self.source_name, self.response_key)
            position.is_cast = True
            position.deferred = self.deferred
            self._casts[type_name] = position
        return position

    # -- names -----------------------------------------------------------------------------------------------------

    def select(self, response_key: str, name: str, arguments: Arguments, conditions: Conditions) -> None:
        """Note that the client selects the field under ``response_key``."""
        field = (name, print_arguments(arguments))
        self.place.take(response_key, field)
        self.keys.setdefault(field, response_key)
        self.client_keys.setdefault(response_key, []).append(conditions)

    def key_for(self, name: str, arguments: Arguments) -> str:
        """The response key of an input of ours: the client's if it selects the same, else a free one."""
        field = (name, print_arguments(arguments))
        known = self.keys.get(field)
        if known is None and self.is_cast and self.parent is not None:
            known = self.parent.keys.get(field)
        if known is None:
            known = self.keys[field] = self.place.free_key(field)
        return known


def path_of(position: Position, types: tuple[str, ...]) -> Path:
    """The way down the merged data to a position; casts restrict the step that they stand at."""
    steps: list[PathStep] = []
    restricted: tuple[str, ...] | None = None
    current: Position | None = position
    while current is not None and current.parent is not None:
        if current.is_cast:
            restricted = types if current is position else (current.type_name,)
        else:
            steps.append(PathStep(current.response_key, restricted))
            restricted = None
        current = current.parent
    return tuple(reversed(steps))
