"""Whether a field set can be fetched from a vertex, and which vertices can be reached to take a field.

Keys guard hops, and hops are how a key's fields may be fetched, so the questions are mutually recursive. They are
answered as a least fixpoint: a question that is asked again while it is open counts as "no", and the round is repeated
as long as it finds a new "yes". Each question is asked once a round, so the work is polynomial.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from router.composition.satisfiability.graph import FieldEdge, QueryGraph, Selections
from router.federation.field_set import FragmentSelection, Selection

Labels = frozenset[tuple[str, bool]]
_Question = tuple[int, str]
_MAX_DEPTH = 40
"""How deep questions may nest; deeper ones are postponed, so that no input exhausts the interpreter's stack."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """A vertex that resolves a field; ``entered_by_key`` tells whether a hop led there."""

    vertex: int
    edge: FieldEdge
    entered_by_key: bool


class Conditions:
    """Answers what is reachable from a vertex; remembers answers."""

    def __init__(self, graph: QueryGraph) -> None:
        self.graph = graph
        self._true: set[_Question] = set()
        self._false: set[_Question] = set()
        self._asked: set[_Question] = set()
        self._postponed: dict[_Question, Selection] = {}
        self._depth = 0
        self._reached: dict[int, tuple[int, tuple[int, ...]]] = {}
        self._texts: dict[int, str] = {}
        self._keep: list[Selection] = []

    def hold(self, vertex: int, selections: Selections) -> bool:
        """Whether all of a field set can be fetched from ``vertex``, in this subgraph or by hops to others."""
        return all(self._holds(vertex, selection) for selection in selections)

    def _holds(self, vertex: int, selection: Selection) -> bool:
        question = (vertex, self._text(selection))
        if question in self._true:
            return True
        if question in self._false or question in self._asked:
            return False
        if not self._depth:
            return self._decide(question, selection)
        if self._depth < _MAX_DEPTH:
            return self._ask(question, selection)
        self._postponed[question] = selection
        return False

    def _decide(self, question: _Question, selection: Selection) -> bool:
        """Ask in rounds until one finds nothing new; then what was asked and not answered with yes is a no."""
        while question not in self._true:
            before = len(self._true)
            self._asked = set()
            self._postponed = {question: selection}
            while self._postponed:
                self._ask(*self._postponed.popitem())
            if len(self._true) == before:
                self._false |= self._asked
                break
        self._asked = set()
        return question in self._true

    def _ask(self, question: _Question, selection: Selection) -> bool:
        if question in self._asked:
            return question in self._true
        self._asked.add(question)
        self._depth += 1
        answer = self._answer(question[0], selection)
        self._depth -= 1
        if answer:
            self._true.add(question)
        return answer

    def _text(self, selection: Selection) -> str:
        key = id(selection)
        if key not in self._texts:
            self._keep.append(selection)  # an id stays its selection's own only as long as the selection lives
            self._texts[key] = repr(selection)
        return self._texts[key]

    def _answer(self, vertex: int, selection: Selection) -> bool:
        if isinstance(selection, FragmentSelection):
            return self._fragment_holds(vertex, selection)
        if selection.name == "__typename":
            return any(not self.graph.is_interface_object(v) for v in (vertex, *self.reachable(vertex)))
        found = list(self._advance(vertex, selection.name))
        if not found:
            return self._every_type_holds(vertex, selection)
        targets = [target for target in found if target is not None]
        if not selection.selections:
            return True
        return all(any(self._holds(target, inner) for target in targets) for inner in selection.selections)

    def _fragment_holds(self, vertex: int, fragment: FragmentSelection) -> bool:
        graph, at = self.graph, self.graph.vertices[vertex]
        condition = fragment.type_condition
        if condition is None or condition == at.type:
            return self.hold(vertex, fragment.selections)
        if graph.is_interface_object(vertex):
            reached = [v for v in self.reachable(vertex) if not graph.is_interface_object(v)]
            return any(self._fragment_holds(v, fragment) for v in reached)
        own = graph.possible_types(at.subgraph, at.type)
        wanted = set(graph.possible_types(at.subgraph, condition))
        narrowed = [graph.downcast(vertex, name) for name in own if name in wanted]
        return all(self.hold(v, fragment.selections) for v in narrowed if v is not None)

    def _every_type_holds(self, vertex: int, selection: Selection) -> bool:
        """An abstract type's field that cannot be taken at once may still be taken on each of its object types."""
        graph, at = self.graph, self.graph.vertices[vertex]
        if not graph.type_of(vertex).kind.is_abstract:
            return False
        narrowed = [graph.downcast(vertex, name) for name in graph.possible_types(at.subgraph, at.type)]
        return bool(narrowed) and all(v is not None and self._holds(v, selection) for v in narrowed)

    def reachable(self, vertex: int) -> tuple[int, ...]:
        """All vertices of other subgraphs that hops lead to, one after another."""
        known = self._reached.get(vertex)
        if known is not None and known[0] == len(self._true) and not self._depth:
            return known[1]
        found: dict[int, None] = {}
        open_vertices = [vertex]
        while open_vertices:
            current = open_vertices.pop()
            for hop in self.graph.hops(current):
                if hop.target == vertex or hop.target in found:
                    continue
                if hop.key is None:
                    found[hop.target] = None  # root types are all one hop apart
                elif self.hold(current, hop.key):
                    found[hop.target] = None
                    open_vertices.append(hop.target)
        if not self._depth:
            self._reached[vertex] = (len(self._true), tuple(found))
        return tuple(found)

    def _advance(self, vertex: int, field: str) -> Iterator[int | None]:
        """The vertices (None: a leaf) that taking a field leads to, from here and from all that hops reach."""
        edge = self.graph.field(vertex, field)
        if edge is not None and self._passes(vertex, edge, None, entered_by_key=False):
            yield edge.target
            if edge.target is None:
                return
        for reached in self.reachable(vertex):
            edge = self.graph.field(reached, field)
            if edge is not None and self._passes(reached, edge, None, entered_by_key=True):
                yield edge.target

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

    def targets(self, resolvers: Iterable[Resolver], labels: Labels) -> Iterator[int | None]:
        """Where a field leads to (None: a leaf), of those resolvers that can be used with these choices of labels."""
        for resolver in resolvers:
            if self._passes(resolver.vertex, resolver.edge, labels, entered_by_key=resolver.entered_by_key):
                yield resolver.edge.target

    def _passes(self, vertex: int, edge: FieldEdge, labels: Labels | None, *, entered_by_key: bool) -> bool:
        """Whether an edge can be taken; no ``labels``, as in conditions, forbids fields under a labelled override."""
        if edge.label is not None and (labels is None or edge.label not in labels):
            return False
        if not edge.requires:
            return True
        return self.hold(vertex, edge.requires) and (entered_by_key or self.has_local_key(vertex))

    def has_local_key(self, vertex: int) -> bool:
        """Whether the subgraph could be entered again at this vertex with what it resolves by itself."""
        return any(self.holds_locally(vertex, key) for key in self.graph.resolvable_keys(self.graph.type_of(vertex)))

    def holds_locally(self, vertex: int, selections: Selections) -> bool:
        """Whether a field set can be fetched without leaving the subgraph."""
        for selection in selections:
            if isinstance(selection, FragmentSelection):
                if not self.holds_locally(vertex, selection.selections):
                    return False
            elif selection.name != "__typename":
                edge = self.graph.field(vertex, selection.name)
                if edge is None or edge.requires:
                    return False
                if selection.selections and (
                    edge.target is None or not self.holds_locally(edge.target, selection.selections)
                ):
                    return False
        return True
