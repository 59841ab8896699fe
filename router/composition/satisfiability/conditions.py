"""Whether a field set can be fetched from a vertex, and which vertices hops lead to.

Keys guard hops, and hops are how a key's fields may be fetched, so the two questions depend on each other. They are
answered as a least fixpoint: the vertices reachable from each vertex are sets that only grow. A hop is possible once
what its key selects is resolved somewhere in the set, and a field once what it requires is; both are completed round by
round until nothing is added. Nothing recurses but the nesting of a field set, and the work is polynomial.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from router.composition.satisfiability.graph import NO_CONTEXTS, Contexts, FieldEdge, Hop, QueryGraph, Selections
from router.federation.field_set import FieldSelection, FragmentSelection, Selection

Labels = frozenset[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Resolver:
    """A vertex that resolves a field; ``entered_by_key`` tells whether a hop led there."""

    vertex: int
    edge: FieldEdge
    entered_by_key: bool


class Conditions:
    """Answers what can be fetched and reached from a vertex; remembers answers."""

    def __init__(self, graph: QueryGraph) -> None:
        self.graph = graph
        self._reached: dict[int, dict[int, None]] = {}
        self._open: dict[int, dict[tuple[int, int], Hop]] = {}
        self._met: dict[tuple[int, int], bool] = {}
        self._open_requirements: dict[tuple[int, int], Selections] = {}
        self._is_completing = False

    def hold(self, vertex: int, selections: Selections) -> bool:
        """Whether all of a field set can be fetched from ``vertex``, in this subgraph or by hops to others."""
        while True:
            known = len(self._reached)
            held = all(self._holds(vertex, selection) for selection in selections)
            if self._is_completing or (not self._open and len(self._reached) == known):
                return held
            self._complete()

    def reachable(self, vertex: int) -> tuple[int, ...]:
        """All vertices of other subgraphs that hops lead to, one after another."""
        self._reach(vertex)
        self._complete()
        return tuple(self._reached[vertex])

    def resolvers(self, vertices: frozenset[int]) -> Mapping[str, list[Resolver]]:
        """For each field, who resolves it from any of the given vertices: directly first, then after hops."""
        found: dict[str, list[Resolver]] = {}
        reached = dict.fromkeys(other for vertex in sorted(vertices) for other in self.reachable(vertex))
        ways = [*((vertex, False) for vertex in sorted(vertices)), *((vertex, True) for vertex in reached)]
        for vertex, entered_by_key in ways:
            for name in self.graph.type_of(vertex).fields:
                edge = self.graph.field(vertex, name)
                if edge is not None:
                    found.setdefault(name, []).append(Resolver(vertex, edge, entered_by_key))
        return found

    def targets(self, resolvers: Iterable[Resolver], labels: Labels, contexts: Contexts) -> Iterator[int | None]:
        """Where a field leads to (None: a leaf), of those resolvers that can be used with these labels and contexts."""
        for resolver in resolvers:
            edge = resolver.edge
            if edge.contexts <= contexts and self._passes(
                resolver.vertex, edge, labels, entered_by_key=resolver.entered_by_key
            ):
                yield edge.target

    def holds_locally(self, vertex: int, selections: Selections) -> bool:
        """Whether a field set can be fetched without leaving the subgraph."""
        for selection in selections:
            if isinstance(selection, FragmentSelection):
                if not self.holds_locally(vertex, selection.selections):
                    return False
            elif selection.name != "__typename":
                edge = self.graph.field(vertex, selection.name)
                if edge is None or edge.requires or edge.contexts:
                    return False
                if selection.selections and (
                    edge.target is None or not self.holds_locally(edge.target, selection.selections)
                ):
                    return False
        return True

    def _reach(self, vertex: int) -> dict[int, None]:
        """The vertices reached so far; asking for them puts them on the list of those to complete."""
        known = self._reached.get(vertex)
        if known is None:
            known = self._reached[vertex] = {}
            self._open[vertex] = {}
            self._add_hops(vertex, vertex)
        return known

    def _add_hops(self, origin: int, vertex: int) -> None:
        """Note the hops of ``vertex`` as ways to go on from ``origin``."""
        waiting = self._open[origin]
        for hop in self.graph.hops(vertex):
            if hop.target != origin and hop.target not in self._reached[origin]:
                waiting.setdefault((hop.target, id(hop.key)), hop)

    def _complete(self) -> None:
        """Let all open sets grow, and requirements be met, until nothing more follows."""
        self._is_completing = True
        grows = bool(self._open or self._open_requirements)
        while grows:
            opened = len(self._reached) + len(self._met)
            grown = [self._grow(vertex) for vertex in list(self._open)]
            met = [self._meet(key) for key in list(self._open_requirements)]
            grows = any(grown) or any(met) or len(self._reached) + len(self._met) > opened
        self._open.clear()
        self._open_requirements.clear()
        self._is_completing = False

    def _grow(self, origin: int) -> bool:
        """Take all hops that have become possible; tells whether there were any."""
        reached, waiting = self._reached[origin], self._open[origin]
        grew = False
        for key, hop in list(waiting.items()):
            if hop.target in reached:
                del waiting[key]
            elif hop.key is None:
                reached[hop.target] = None  # root types are all one hop apart
                grew = True
            elif all(self._holds(origin, selection) for selection in hop.key):
                reached[hop.target] = None
                self._add_hops(origin, hop.target)
                grew = True
        return grew

    def _meet(self, key: tuple[int, int]) -> bool:
        """Note that a ``@requires`` is met once its fields can be fetched."""
        if all(self._holds(key[0], selection) for selection in self._open_requirements[key]):
            self._met[key] = True
            del self._open_requirements[key]
        return self._met[key]

    def _holds(self, vertex: int, selection: Selection, contexts: Contexts = NO_CONTEXTS) -> bool:
        """Whether a selection can be fetched with what is known to be reachable so far.

        ``contexts`` are met by the objects that the condition itself passed on its way here. It knows of none that
        enclose the object where it begins: that one is looked up by its key, whatever the client's way to it.
        """
        if isinstance(selection, FragmentSelection):
            return self._fragment_holds(vertex, selection, contexts)
        if selection.name == "__typename":
            return any(not self.graph.is_interface_object(v) for v in (vertex, *self._reach(vertex)))
        return self._field_holds(vertex, selection, contexts) or self._every_type_holds(vertex, selection, contexts)

    def _field_holds(self, vertex: int, selection: FieldSelection, contexts: Contexts) -> bool:
        targets: list[int] = []
        entered_by_key = False
        for at in (vertex, *self._reach(vertex)):
            edge = self.graph.field(at, selection.name)
            if (
                edge is not None
                and edge.contexts <= contexts
                and self._passes(at, edge, None, entered_by_key=entered_by_key)
            ):
                if not selection.selections:
                    return True
                if edge.target is not None:
                    targets.append(edge.target)
            entered_by_key = True
        if not targets:
            return False
        below = self._contexts_below(vertex, contexts)
        return all(any(self._holds(target, inner, below) for target in targets) for inner in selection.selections)

    def _contexts_below(self, vertex: int, contexts: Contexts) -> Contexts:
        """What is met for all that an object at ``vertex`` encloses, as far as its own selections are known to hold."""
        needs = self.graph.met_contexts(self.graph.vertices[vertex].type)
        met = [need for need in needs if self._is_met(vertex, self.graph.selections(need.selection))]
        return contexts.union(met) if met else contexts

    def _fragment_holds(self, vertex: int, fragment: FragmentSelection, contexts: Contexts) -> bool:
        graph, at = self.graph, self.graph.vertices[vertex]
        condition = fragment.type_condition
        if condition is None or condition == at.type:
            return all(self._holds(vertex, selection, contexts) for selection in fragment.selections)
        if graph.is_interface_object(vertex):
            others = [v for v in self._reach(vertex) if not graph.is_interface_object(v)]
            return any(self._fragment_holds(v, fragment, contexts) for v in others)
        wanted = set(graph.possible_types(at.subgraph, condition))
        possible = [name for name in graph.possible_types(at.subgraph, at.type) if name in wanted]
        narrowed = [v for name in possible if (v := graph.downcast(vertex, name)) is not None]
        return all(self._holds(v, selection, contexts) for v in narrowed for selection in fragment.selections)

    def _every_type_holds(self, vertex: int, selection: FieldSelection, contexts: Contexts) -> bool:
        """An abstract type's field that cannot be taken at once may still be taken on each of its object types."""
        graph, at = self.graph, self.graph.vertices[vertex]
        if not graph.type_of(vertex).kind.is_abstract:
            return False
        narrowed = [graph.downcast(vertex, name) for name in graph.possible_types(at.subgraph, at.type)]
        return bool(narrowed) and all(v is not None and self._holds(v, selection, contexts) for v in narrowed)

    def _passes(self, vertex: int, edge: FieldEdge, labels: Labels | None, *, entered_by_key: bool) -> bool:
        """Whether an edge can be taken; no ``labels``, as in conditions, forbids fields under a labelled override."""
        if edge.label is not None and (labels is None or edge.label not in labels):
            return False
        if not edge.requires:
            return True
        return (entered_by_key or self.has_local_key(vertex)) and self._is_met(vertex, edge.requires)

    def _is_met(self, vertex: int, requires: Selections) -> bool:
        """Whether a field set (of a ``@requires`` or a context) is known to be met; a new one joins the rounds."""
        key = (vertex, id(requires))
        if key not in self._met:
            self._met[key] = False
            self._open_requirements[key] = requires
            if not self._is_completing:
                self._complete()
        return self._met[key]

    def has_local_key(self, vertex: int) -> bool:
        """Whether the subgraph could be entered again at this vertex with what it resolves by itself."""
        return any(self.holds_locally(vertex, key) for key in self.graph.resolvable_keys(self.graph.type_of(vertex)))
