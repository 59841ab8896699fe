"""What has been chosen so far: which subgraph reads which field of which position, in which request.

:mod:`router.planning.presences` has the words. Every change is written to a trail, so that a search can take it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from router.planning.limits import StepCounter
from router.planning.positions import Arguments, Conditions, Position
from router.planning.presences import ContextInput, Entry, Input, Presence, Slot, Use, is_root_again, merge_inputs
from router.planning.reach import TYPENAME, Node, Reach, Way
from router.supergraph.field_set import FieldSet, FieldSetField, FieldSetFragment
from router.supergraph.query_graph import ContextualArgument, FieldEdge, Jump

Found = tuple[list[Input], list[tuple[Presence, str]]]
Contexts = dict[ContextualArgument, ContextInput]


class Choices:
    """The presences chosen so far, the slots they take, and the trail to undo them."""

    def __init__(self, reach: Reach, steps: StepCounter) -> None:
        self._reach = reach
        self._steps = steps
        self._trail: list[tuple[dict[Any, Any], Any, Any]] = []
        self._at: dict[Position, dict[Presence, bool]] = {}
        self.slots: dict[Slot, bool] = {}
        self.part = 0
        self.entries: dict[Presence, bool] = {}

    # -- the trail -------------------------------------------------------------------------------------------------

    def mark(self) -> int:
        """A point to come back to."""
        return len(self._trail)

    def undo(self, mark: int) -> None:
        """Take back every change since ``mark``."""
        while len(self._trail) > mark:
            changed, key, before = self._trail.pop()
            if before is None:
                del changed[key]
            else:
                changed[key] = before

    def _add(self, changed: dict[Any, Any], key: Any, value: Any = True) -> None:
        """Set a key that is not there yet."""
        if key not in changed:
            self._set(changed, key, value)

    def _set(self, changed: dict[Any, Any], key: Any, value: Any) -> None:
        """Set a key; the only way in which anything changes."""
        self._trail.append((changed, key, changed.get(key)))
        changed[key] = value

    # -- reading ---------------------------------------------------------------------------------------------------

    def present(self, position: Position) -> Iterable[Presence]:
        """The presences of a position."""
        return self._at.get(position, ())

    def read_leaf(
        self, position: Position, way: Way, limit: int, name: str, key: str, arguments: Arguments
    ) -> tuple[Presence, Use]:
        """Read a leaf at ``position`` by ``way``, in a request of ``limit`` or sooner."""
        presence = self.enter(position, way, limit)
        return presence, self._use(presence, key, name, arguments, way.edge)

    def ask(self, use: Use, conditions: Conditions) -> None:
        """Note that a client asks for what is read here, under ``conditions``."""
        self._add(use.conditions, conditions)

    def enter(self, position: Position, way: Way, limit: int) -> Presence:
        """A presence at ``way``'s node from which its field can be read, new only where none is there yet."""
        self._steps.take()
        if way.jump is not None and way.edge is not None:
            return self._look_up(position, way.node, way.jump, limit, way.edge)
        if way.edge is not None and way.edge.contextual:
            return self._arrive_in_context(position, way.node, way.edge, way.level, limit)
        return self._arrive(position, way.node, limit)

    def _use(self, presence: Presence, key: str, name: str, arguments: Arguments, edge: FieldEdge | None) -> Use:
        use = presence.uses.get(key)
        if use is None:
            use = Use(name, arguments, edge)
            self._add(presence.uses, key, use)
        return use

    def _arrive(self, position: Position, node: Node, limit: int) -> Presence:
        there = [p for p in self.present(position) if p.node == node and p.level <= limit]
        if there:
            return min(there, key=lambda presence: presence.level)
        arrival = position.arrival(node)
        if position.parent is None:
            return self._open(position, node, arrival.level, Entry(None))
        for source in arrival.sources:
            for above in self.present(position.parent):
                if above.node == source.node and above.level <= limit and not source.is_computed:
                    return self._descend(position, above, source)
        if arrival.jump is not None:
            return self._look_up(position, node, arrival.jump, arrival.level)
        source = min(arrival.sources, key=self._cost)
        return self._descend(position, self.enter(position.parent, source, limit), source)

    def _cost(self, way: Way) -> tuple[int, bool]:
        return way.level, (way.node.subgraph, way.level, "", self.part) not in self.slots

    def _descend(self, position: Position, above: Presence, source: Way) -> Presence:
        """The presence of ``position`` below ``above``, in the same request."""
        if position.is_cast:
            presence = above.casts.get(position.type_name)
            if presence is None:
                presence = Presence(position, self._reach.cast(above.node, position.type_name), above.slot, above=above)
                self._add(above.casts, position.type_name, presence)
                self._register(presence)
            return presence
        assert source.edge is not None  # noqa: S101 - a child is entered by a field
        name, arguments = position.source_name, position.arguments
        use = self._use(above, position.response_key, name, arguments, source.edge)
        presence = use.children.get(position)
        if presence is None:
            presence = Presence(position, self._reach.follow(above.node, source.edge), above.slot, above=above)
            self._add(use.children, position, presence)
            self._register(presence)
        return presence

    def _register(self, presence: Presence) -> None:
        at = self._at.setdefault(presence.position, {})
        self._add(at, presence)
        self._add(self.slots, presence.slot)

    def _open(self, position: Position, node: Node, level: int, entry: Entry) -> Presence:
        """A new presence where a request enters the data."""
        place = ".".join(position.path()) if is_root_again(position, self._reach) else ""
        presence = Presence(position, node, (node.subgraph, level, place, self.part), entry)
        self._register(presence)
        self._add(self.entries, presence)
        return presence

    # -- lookups ---------------------------------------------------------------------------------------------------

    def _look_up(
        self, position: Position, node: Node, jump: Jump, limit: int, edge: FieldEdge | None = None
    ) -> Presence:
        """Enter ``node`` by a lookup with the jump's key, and with what ``edge`` needs to be read there."""
        inputs, providers = self._require(position, jump.key, limit - 1, nullable=False)
        key = tuple(inputs)
        contexts: Contexts = {}
        if edge is not None:
            required, required_from = self._require(position, edge.requires, limit - 1, nullable=True)
            inputs = merge_inputs([*inputs, *required]) or []
            providers += required_from
            contexts, context_from = self._require_contexts(position, edge, limit - 1)
            providers += context_from
        level = 1 + max(presence.level for presence, _ in providers)
        presence = self._joinable(position, node, level, limit, inputs)
        if presence is None:
            presence = self._open(position, node, level, Entry(jump, key))
        entry = presence.entry
        assert entry is not None  # noqa: S101 - only entries are joinable
        for item in merge_inputs([*entry.inputs.values(), *inputs]) or ():
            self._set(entry.inputs, (item.name, item.types), item)
        if edge is not None and edge.is_computed:
            self._add(entry.computed, edge.name, tuple(inputs))
        self._take_in(entry, contexts, providers)
        return presence

    def _take_in(self, entry: Entry, contexts: Contexts, providers: list[tuple[Presence, str]]) -> None:
        for argument, value in contexts.items():
            self._add(entry.contexts, argument, value)
        for provider in providers:
            self._add(entry.providers, provider)

    # -- contexts --------------------------------------------------------------------------------------------------

    def _require_contexts(
        self, position: Position, edge: FieldEdge, limit: int
    ) -> tuple[Contexts, list[tuple[Presence, str]]]:
        """Have the values of the contextual arguments of ``edge`` read in requests of ``limit`` or sooner."""
        contexts: Contexts = {}
        providers: list[tuple[Presence, str]] = []
        for argument in edge.contextual:
            setter = position.setter_of(argument.context)
            assert setter is not None  # noqa: S101 - else there would be no way to the field
            inputs, found = self._require(setter, argument.selection, limit, nullable=True)
            contexts[argument] = ContextInput(setter, tuple(merge_inputs(inputs) or ()))
            providers += found
        return contexts, providers

    def _arrive_in_context(self, position: Position, node: Node, edge: FieldEdge, level: int, limit: int) -> Presence:
        """A presence below a lookup, of ``level`` or later, that takes the contextual arguments of ``edge``."""
        contexts, providers = self._require_contexts(position, edge, level - 1)
        setter = position.innermost_setter(edge)
        assert setter is not None  # noqa: S101 - else there would be no way to the field
        presence = self._arrive_within(position, node, setter, (max(p.level for p, _ in providers), limit))
        entry = presence.entrance.entry
        assert entry is not None  # noqa: S101 - where a request enters, there is one
        self._take_in(entry, contexts, providers)
        return presence

    def _arrive_within(self, position: Position, node: Node, outermost: Position, between: tuple[int, int]) -> Presence:
        """A presence below a lookup of ``outermost`` or below, made after the first level and up to the second."""
        after, limit = between
        there = [p for p in self.present(position) if p.node == node and after < p.level <= limit]
        found = [p for p in there if self._is_looked_up_within(p, outermost)]
        if found:
            return min(found, key=lambda presence: presence.level)
        arrival = position.arrival(node)
        level = position.lookup_level(node, outermost, after)
        if position is not outermost and position.parent is not None:
            for source in arrival.sources:
                if not source.is_computed and position.parent.lookup_level(source.node, outermost, after) == level:
                    return self._descend(
                        position, self._arrive_within(position.parent, source.node, outermost, between), source
                    )
        assert arrival.jump is not None  # noqa: S101 - else there would be no level
        return self._look_up(position, node, arrival.jump, arrival.level)

    def _is_looked_up_within(self, presence: Presence, outermost: Position) -> bool:
        entrance = presence.entrance
        is_lookup = entrance.entry is not None and entrance.entry.jump is not None
        return (
            is_lookup and not is_root_again(entrance.position, self._reach) and entrance.position.is_within(outermost)
        )

    def _joinable(self, position: Position, node: Node, level: int, limit: int, inputs: list[Input]) -> Presence | None:
        """A lookup of the same node that can carry ``inputs`` too: late enough, and their names not used otherwise."""
        for presence in self.present(position):
            entry = presence.entry
            if presence.node != node or entry is None or not level <= presence.level <= limit:
                continue
            if presence.slot[3] != self.part:
                continue
            if merge_inputs([*entry.inputs.values(), *inputs]) is not None:
                return presence
        return None

    def _require(self, position: Position, selections: FieldSet, limit: int, *, nullable: bool) -> Found:
        """Have ``selections`` read at ``position`` in requests of ``limit`` or sooner."""
        inputs: list[Input] = []
        providers: list[tuple[Presence, str]] = []
        for item in selections:
            if isinstance(item, FieldSetField):
                found = self._require_field(position, item, limit, nullable=nullable)
            else:
                found = self._require_cast(position, item.type_condition, item.selections, limit, nullable=nullable)
            inputs += found[0]
            providers += found[1]
        return inputs, providers

    def _require_cast(
        self, position: Position, condition: str, selections: FieldSet, limit: int, *, nullable: bool
    ) -> Found:
        possible = self._reach.merged(condition).possible
        if not position.abstract:
            if position.type_name not in possible:
                return [], []
            return self._require(position, selections, limit, nullable=nullable)
        inputs: list[Input] = []
        providers: list[tuple[Presence, str]] = []
        for type_name in position.runtime_types():
            if type_name in possible:
                cast = position.cast(type_name)
                found = self._require(cast, selections, limit, nullable=nullable)
                inputs += (_of_type(item, type_name) for item in found[0])
                providers += found[1]
        return inputs, providers

    def _require_field(self, position: Position, item: FieldSetField, limit: int, *, nullable: bool) -> Found:
        for known in position.known:
            # A deferred object's inputs are read with what is delivered before, where they can be.
            level = known.obtain((item,))
            if level is not None and level <= limit:
                return self._require_field(known, item, limit, nullable=nullable)
        if item.name == TYPENAME and position.is_cast and position.parent is not None:
            # What the type is was read of the object already, or there would be no cast.
            return self._require_field(position.parent, item, limit, nullable=nullable)
        ways = [way for way in position.ways(item.name) if way.level <= limit]
        if not ways:
            return self._require_cast(position, position.type_name, (item,), limit, nullable=nullable)
        if item.name == TYPENAME:
            way = min(ways, key=self._cost)
            presence, _ = self.read_leaf(position, way, limit, TYPENAME, TYPENAME, ())
            return [], [(presence, TYPENAME)]
        key = position.key_for(item.name, item.arguments)
        may_be_null = nullable and self._reach.merged(position.type_name).fields[item.name].nullable
        if not item.selections:
            presence, _ = self._choose(position, ways, limit, item, key)
            return [Input(None, item.name, key, may_be_null, None)], [(presence, key)]
        child = position.child(item.name, key, item.arguments)
        together = child.obtain(item.selections)
        if position.abstract and (together is None or together > limit):
            return self._require_cast(position, position.type_name, (item,), limit, nullable=nullable)
        below, providers = self._require(child, item.selections, limit, nullable=nullable)
        if (
            not providers
        ):  # None of the types selected on can be there: whether something is must be known all the same.
            providers = self._require_field(child, FieldSetField(TYPENAME), limit, nullable=nullable)[1]
        tells_type = child.abstract or any(_is_typename(one) for one in item.selections)
        return [Input(None, item.name, key, may_be_null, tuple(below), tells_type)], providers

    def _choose(
        self, position: Position, ways: list[Way], limit: int, item: FieldSetField, key: str
    ) -> tuple[Presence, Use]:
        """Read an input where it is read already, else where a request is already, else where that is soonest."""
        for presence in sorted(self.present(position), key=lambda p: (key not in p.uses, p.level)):
            if presence.level > limit:
                continue
            for way in ways:
                if way.node == presence.node and (not way.is_computed or key in presence.uses):
                    return presence, self._use(presence, key, item.name, item.arguments, way.edge)
        way = min(ways, key=self._cost)
        return self.read_leaf(position, way, limit, item.name, key, item.arguments)


def _is_typename(item: FieldSetField | FieldSetFragment) -> bool:
    return isinstance(item, FieldSetField) and item.name == TYPENAME


def _of_type(item: Input, type_name: str) -> Input:
    return replace(item, types=(type_name,))
