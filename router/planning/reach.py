"""Which nodes of the query graph an object can be read from, and after how many requests at the earliest.

An object of type ``Product`` that a request of level 1 returned from ``orders`` (which knows its ``id`` alone):
``{orders/Product: 1}`` becomes, once closed over the jumps, ``{orders/Product: 1, inventory/Product: 2, ...}``.

Levels are shortest paths over an and-or graph: a jump comes one level after the last field of its key, a field with
``@requires`` one level after the last of key and requirements. Nothing here depends on what else is chosen, so the
least possible depth of a plan is known before the search for the fewest fetches begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from router.planning.limits import StepCounter
from router.planning.solving import Solving
from router.supergraph.field_set import FieldSet, FieldSetField
from router.supergraph.query_graph import ContextualArgument, FieldEdge, Jump, MergedType, QueryGraph, TypeKind

TYPENAME = "__typename"
# What a position takes of time and memory, in steps: with the default limit there are at most 62,500 of them.
STEPS_OF_A_POSITION = 8


class Node(NamedTuple):
    """A subgraph, the type it knows the object as, and what a ``@provides`` made readable there."""

    subgraph: str
    type_name: str
    view: FieldSet = ()


class Way(NamedTuple):
    """A field can be read at ``node`` from ``level`` on; with a ``jump``, by entering there with what it needs.

    A field with contextual arguments and no jump is read below a lookup that takes their values for it. ``edge`` is
    None for ``__typename`` and for casts.
    """

    level: int
    node: Node
    edge: FieldEdge | None = None
    jump: Jump | None = None

    @property
    def is_computed(self) -> bool:
        """Whether standing at ``node`` is not enough to read the field."""
        return self.edge is not None and self.edge.is_computed


# A jump to a node where a field can be computed.
Computing = tuple[Jump, Node, FieldEdge]
Levels = Mapping[Node, int]
Known = Sequence[Levels]
Surroundings = frozenset[tuple[ContextualArgument, int]]


class Closure(NamedTuple):
    """Levels of all nodes that an object can be read from, and the jump that leads to each that is not a start."""

    levels: Levels
    jumps: Mapping[Node, Jump]


class Reach:
    """Answers questions of reach over one query graph, for one planning and one set of active override labels."""

    def __init__(self, graph: QueryGraph, steps: StepCounter, labels: frozenset[str] = frozenset()) -> None:
        self.graph = graph
        self._steps = steps
        self._labels = labels
        self._edges: dict[tuple[Node, str], FieldEdge | None] = {}
        self._ways: dict[object, tuple[Closure, list[Way]]] = {}
        self._computed_by: dict[tuple[str, str], list[Computing]] = {}
        self._solving = Solving()
        self._surroundings: Surroundings = frozenset()
        self._setting: frozenset[ContextualArgument] = frozenset()

    def count_position(self) -> None:
        """Take the steps of a position: types that have to be told apart at each level make many of a short text."""
        self._steps.take(STEPS_OF_A_POSITION)

    @contextmanager
    def within(self, surroundings: Surroundings) -> Iterator[None]:
        """Answer for an object in these surroundings: from which level on there is a value for each argument."""
        outer, self._surroundings = self._surroundings, surroundings
        try:
            yield
        finally:
            self._surroundings = outer

    # -- edges -----------------------------------------------------------------------------------------------------

    def edge(self, node: Node, name: str) -> FieldEdge | None:
        """The field as it can be asked of ``node``; None: absent, overridden, not provided, not uniform."""
        key = (node, name)
        if key not in self._edges:
            self._edges[key] = self._find_edge(node, name)
        return self._edges[key]

    def kind(self, node: Node) -> TypeKind:
        """What the node's subgraph knows its type as."""
        return self.graph.types[node.subgraph, node.type_name].kind

    def has_types(self, node: Node) -> bool:
        """Whether the subgraph can tell the object's concrete type (an interface object cannot)."""
        return self.kind(node) is not TypeKind.INTERFACE_OBJECT

    def possible(self, node: Node) -> tuple[str, ...]:
        """The object types that the object can be, as far as this subgraph knows."""
        return self.graph.types[node.subgraph, node.type_name].possible

    def _find_edge(self, node: Node, name: str) -> FieldEdge | None:
        type_ = self.graph.types.get((node.subgraph, node.type_name))
        if type_ is None:
            return None
        if type_.kind in (TypeKind.INTERFACE, TypeKind.UNION):
            return self._uniform_edge(node, name)
        edge = type_.fields.get(name)
        if edge is None or (edge.label is not None and (edge.label in self._labels) is not edge.when_active):
            return None
        if edge.external and not _provides(node.view, name):
            return None
        return edge

    def _uniform_edge(self, node: Node, name: str) -> FieldEdge | None:
        """A field of an interface (or of all members of a union), if every possible type resolves it there."""
        type_ = self.graph.types[node.subgraph, node.type_name]
        own = type_.fields.get(name)
        if own is not None and (_provides(node.view, name) or not type_.possible):
            return own
        edges = [self.edge(self.cast(node, possible), name) for possible in type_.possible]
        if not edges or any(edge is None or edge.is_computed for edge in edges):
            return None
        found = [edge for edge in edges if edge is not None]
        provides = found[0].provides if all(edge.provides == found[0].provides for edge in found) else ()
        if own is not None:
            return replace(own, provides=provides, external=False)
        if len({edge.type for edge in found}) > 1:
            return None
        return replace(found[0], provides=provides)

    # -- steps from node to node -----------------------------------------------------------------------------------

    def cast(self, node: Node, type_name: str) -> Node:
        """The node of an object that turned out to be of ``type_name``."""
        return (
            Node(node.subgraph, type_name, self._view_of(node.view, type_name))
            if node.view
            else Node(node.subgraph, type_name)
        )

    def casts(self, levels: Levels, type_name: str) -> dict[Node, int]:
        """The nodes of ``levels`` that can tell that the object is of ``type_name``, cast to it."""
        found: dict[Node, int] = {}
        for node, level in levels.items():
            if type_name in self.possible(node):
                _keep_least(found, self.cast(node, type_name), level)
        return found

    def follow(self, node: Node, edge: FieldEdge) -> Node:
        """The node that a field leads to."""
        view = edge.provides
        for item in node.view:
            if isinstance(item, FieldSetField) and item.name == edge.name:
                view = (*view, *item.selections)
        return Node(node.subgraph, edge.target, view)

    def _view_of(self, view: FieldSet, type_name: str) -> FieldSet:
        selections: list[FieldSet] = []
        for item in view:
            if isinstance(item, FieldSetField):
                selections.append((item,))
            elif type_name in self.merged(item.type_condition).possible:
                selections.append(self._view_of(item.selections, type_name))
        return tuple(item for part in selections for item in part)

    def merged(self, type_name: str) -> MergedType:
        """The composite type of that name in the supergraph."""
        return self.graph.merged[type_name]

    def is_root(self, type_name: str) -> bool:
        """Whether objects of the type are roots, which are asked again rather than looked up."""
        return type_name in self.graph.roots.values()

    # -- levels ----------------------------------------------------------------------------------------------------

    def close(self, type_name: str, starts: Levels, known: Known = ()) -> Closure:
        """``starts`` and every node that jumps lead to from there, each with its least level.

        Inputs of jumps may also be read where the object is ``known`` already.
        """
        others = tuple(frozenset(one.items()) for one in known)
        question = (type_name, frozenset(starts.items()), others, self._surroundings, self._setting)
        return self._solving.once(question, partial(self._close, type_name, starts, known))

    def _close(self, type_name: str, starts: Levels, others: Known) -> Closure:
        levels = dict(starts)
        used: dict[Node, Jump] = {}
        soonest = min((level for one in (levels, *others) for level in one.values()), default=0) + 1
        improved = bool(levels or others)
        while improved:
            improved = False
            for jump in self.graph.jumps[type_name]:
                node = Node(jump.subgraph, jump.type_name)
                known = levels.get(node)
                if known is not None and known <= soonest:
                    continue
                level = self._obtain_inputs(type_name, levels, jump.key, others)
                if level is not None and (known is None or level + 1 < known):
                    levels[node] = level + 1
                    used[node] = jump
                    improved = True
        return Closure(levels, used)

    def ways_from(self, type_name: str, closure: Closure, name: str) -> list[Way]:
        """As ``ways`` from the levels of a closure, found once for all positions that have the same."""
        self._steps.take()
        key = (type_name, name, id(closure), self._surroundings)
        found = self._ways.get(key)
        if found is None:
            # The closure is kept with what is found, so that nothing else ever has its id.
            found = self._ways[key] = closure, self.ways(type_name, closure.levels, name)
        return found[1]

    def ways(self, type_name: str, levels: Levels, name: str, known: Known = ()) -> list[Way]:
        """Every node that the field can be read from, at its least level, in the order of ``levels`` and jumps."""
        self._steps.take(len(levels))
        if not levels:  # An object that is nowhere has no key to jump with, however little its key asks for.
            return []
        if name == TYPENAME:
            return [Way(level, node) for node, level in levels.items() if self.has_types(node)]
        ways = [
            Way(level, node, edge)
            for node, level in levels.items()
            if (edge := self.edge(node, name)) is not None and not edge.is_computed
        ]
        computing = self._computing(type_name, name)
        if not computing:
            return ways
        others = tuple(frozenset(one.items()) for one in known)
        question = (type_name, frozenset(levels.items()), others, self._surroundings, self._setting, name)
        find = partial(self._computed_ways, computing, type_name, levels, name, known)
        return [*ways, *self._solving.once(question, find)]

    def _computed_ways(
        self, computing: Iterable[Computing], type_name: str, levels: Levels, name: str, known: Known
    ) -> list[Way]:
        """The soonest way to each node where the field is computed, if what it needs can be had."""
        best: dict[Node, Way] = {}
        inputs: dict[Node, int | None] = {}
        for jump, node, edge in computing:
            there = node, name
            if node not in inputs:
                # Once for all jumps that lead there, or chains of computed fields would multiply by the jumps.
                context = self.context_level(edge)
                required = self._obtain_for(there, type_name, levels, edge.requires, known)
                inputs[node] = None if context is None or required is None else max(context, required)
            needed = inputs[node]
            key = None if needed is None else self._obtain_for(there, type_name, levels, jump.key, known)
            if needed is not None and key is not None:
                way = Way(max(key, needed) + 1, node, edge, jump)
                if node not in best or way.level < best[node].level:
                    best[node] = way
        return list(best.values())

    def _computing(self, type_name: str, name: str) -> list[Computing]:
        """The jumps that lead to where the field can be computed."""
        key = (type_name, name)
        found = self._computed_by.get(key)
        if found is None:
            nodes = ((jump, Node(jump.subgraph, jump.type_name)) for jump in self.graph.jumps[type_name])
            edges = ((jump, node, self.edge(node, name)) for jump, node in nodes)
            found = [(jump, node, edge) for jump, node, edge in edges if edge is not None and edge.is_computed]
            self._computed_by[key] = found
        return found

    def _obtain_for(
        self, there: tuple[Node, str], type_name: str, levels: Levels, selections: FieldSet, known: Known
    ) -> int | None:
        """As ``_obtain_inputs``, for a computed field, which cannot be an input of itself, however far away."""
        return self._solving.inputs_of(there, partial(self._obtain_inputs, type_name, levels, selections, known))

    def context_level(self, edge: FieldEdge) -> int | None:
        """The level from which all contextual arguments have a value; None where no object around sets a context."""
        if not edge.contextual:
            return 0
        levels = dict(self._surroundings)
        found = [levels.get(argument) for argument in edge.contextual]
        known = [level for level in found if level is not None]
        return max(known) if len(known) == len(found) else None

    def _obtain_inputs(self, type_name: str, levels: Levels, selections: FieldSet, known: Known) -> int | None:
        """As ``obtain``, each of ``selections`` wherever the object is known soonest."""
        if not known:
            return self.obtain(type_name, levels, selections)
        latest = 0
        for item in selections:
            found = [self.obtain(type_name, one, (item,)) for one in (*known, levels) if one]
            soonest = min((level for level in found if level is not None), default=None)
            if soonest is None:
                return None
            latest = max(latest, soonest)
        return latest

    def obtain(self, type_name: str, levels: Levels, selections: FieldSet) -> int | None:
        """The level from which all of ``selections`` can be there, or None if one of them cannot be had."""
        latest = min(levels.values(), default=0)
        for item in selections:
            if isinstance(item, FieldSetField):
                level = self._obtain_field(type_name, levels, item)
            else:
                level = self._obtain_cast(type_name, levels, item.type_condition, item.selections)
            if level is None:
                return None
            latest = max(latest, level)
        return latest

    def _obtain_field(self, type_name: str, levels: Levels, item: FieldSetField) -> int | None:
        ways = self.ways(type_name, levels, item.name)
        if not ways:
            if self.merged(type_name).abstract and item.name != TYPENAME:
                return self._obtain_cast(type_name, levels, type_name, (item,))
            return None
        if not item.selections:
            return min(way.level for way in ways)
        merged = self.merged(type_name)
        target = merged.fields[item.name].target
        with self.within(self._surroundings_below(type_name, levels)):
            level = self.obtain(target, self.close(target, self.enter(ways)).levels, item.selections)
        if level is None and merged.abstract:
            return self._obtain_cast(type_name, levels, type_name, (item,))
        return level

    def _surroundings_below(self, type_name: str, levels: Levels) -> Surroundings:
        """The surroundings of what an object of these levels encloses: the contexts that it sets itself are its own."""
        below = self._surroundings
        for argument in self.graph.contextual:
            setters = self.graph.contexts.get(argument.context, frozenset())
            if argument in self._setting or setters.isdisjoint((type_name, *self.merged(type_name).possible)):
                continue
            below = frozenset((other, level) for other, level in below if other != argument)
            if type_name in setters:
                outer = self._setting
                # What a context takes of an object can be nothing that needs it.
                self._setting = outer | {argument}
                try:
                    level = self.obtain(type_name, levels, argument.selection)
                finally:
                    self._setting = outer
                if level is not None:
                    below |= {(argument, level)}
        return below

    def _obtain_cast(self, type_name: str, levels: Levels, condition: str, selections: FieldSet) -> int | None:
        """As ``obtain``, for every object type that both the object and ``condition`` can be."""
        if not self.merged(type_name).abstract:
            matches = type_name in self.merged(condition).possible
            return self.obtain(type_name, levels, selections) if matches else min(levels.values(), default=None)
        wanted = set(self.merged(condition).possible)
        latest = min(levels.values(), default=0)
        for possible in self.runtime_types(type_name, levels):
            if possible in wanted:
                closure = self.close(possible, self.casts(levels, possible))
                level = self.obtain(possible, closure.levels, selections)
                if level is None:
                    return None
                latest = max(latest, level)
        return latest

    def enter(self, ways: Iterable[Way]) -> dict[Node, int]:
        """The nodes that the field of ``ways`` leads to."""
        found: dict[Node, int] = {}
        for way in ways:
            if way.edge is not None:
                _keep_least(found, self.follow(way.node, way.edge), way.level)
        return found

    def runtime_types(self, type_name: str, levels: Levels) -> tuple[str, ...]:
        """The object types that some node can return, in the supergraph's order."""
        known = {possible for node in levels for possible in self.possible(node)}
        return tuple(possible for possible in self.merged(type_name).possible if possible in known)


def _provides(view: FieldSet, name: str) -> bool:
    return any(isinstance(item, FieldSetField) and item.name == name for item in view)


def _keep_least(levels: dict[Node, int], node: Node, level: int) -> None:
    if level < levels.get(node, level + 1):
        levels[node] = level
