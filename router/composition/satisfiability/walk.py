"""The walk: every field of the supergraph, from every state that a query can be in, must be resolvable.

A state is a type of the supergraph with the set of vertices that a query may stand at, and the choices made for
progressive overrides. Sets of vertices take the place of paths, so that the walk stays polynomial where paths multiply.
A state is skipped where an earlier one of the same type had a subset of its vertices: what is possible from fewer
vertices is possible from more.

The choices that a query has made for progressive overrides multiply with every label on its way. So the first walk
forgets them: it allows each field either choice, whatever was chosen above, and what holds so holds for every query.
Where it finds errors, a second walk remembers the choices, as one field may rely on the choice of another.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from router.composition.errors import CompositionError
from router.composition.hints import CompositionHint
from router.composition.merge.merge import Merged
from router.composition.merge.relations import read_relations
from router.composition.satisfiability.conditions import Conditions, Labels
from router.composition.satisfiability.explain import explain_dead_end
from router.composition.satisfiability.graph import Contexts, QueryGraph
from router.composition.satisfiability.runtime_types import RuntimeTypeCheck
from router.composition.satisfiability.state import State
from router.composition.schema import Field, TypeKind, applied
from router.federation.type_ref import named_type

_MAX_ERRORS = 1000
# What is walked with choices remembered, before the errors that were found without them are told as they are: states,
# and so many times those of the first walk.
_LEAST_REMEMBERING_STATES = 2_000
_REMEMBERING_STATES = 10


@dataclass(slots=True)
class Satisfiability:
    """What the walk found."""

    errors: list[CompositionError] = field(default_factory=list)
    hints: list[CompositionHint] = field(default_factory=list)


def check_satisfiability(merged: Merged) -> Satisfiability:
    """Errors ``SATISFIABILITY_ERROR`` and ``SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES`` of a merged supergraph."""
    forgetting = _Walk(merged)
    forgetting.run()
    found = forgetting.found()
    if not found.errors or not any(overrides.labels for overrides in merged.overrides.values()):
        return found
    remembering = _Walk(merged, _LEAST_REMEMBERING_STATES + _REMEMBERING_STATES * forgetting.states)
    remembering.run()
    return remembering.found() if remembering.is_complete else found


class _Walk:
    """One walk over the supergraph, of ``states``.

    With ``max_states`` it remembers the choices of labels, and ends before it ``is_complete`` where there are more.
    """

    def __init__(self, merged: Merged, max_states: int | None = None) -> None:
        self.merged = merged
        self.states = 0
        self.is_complete = True
        self._max_states = max_states
        self.graph = QueryGraph(merged, read_relations(merged.subgraphs))
        self.conditions = Conditions(self.graph)
        self.runtime_types = RuntimeTypeCheck(merged, self.graph)
        self.errors: list[CompositionError] = []
        self._queue: list[tuple[int, int, State]] = []
        self._order = count()
        self._visited: dict[str, list[tuple[frozenset[int], Labels, Contexts]]] = {}
        self._reported: set[str] = set()

    def found(self) -> Satisfiability:
        """The errors and hints so far."""
        return Satisfiability([*self.errors, *self.runtime_types.errors], self.runtime_types.hints)

    def run(self) -> None:
        """Walk from the root types."""
        for operation, root in self.merged.schema.roots.items():
            vertices = frozenset(
                self.graph.vertex(index, root)
                for index, subgraph in enumerate(self.merged.subgraphs)
                if operation in subgraph.schema.roots
            )
            start = State(root, vertices)
            if operation == "mutation":
                self._walk_mutation(start)
            else:
                self._push(start)
                self._drain()

    def _push(self, state: State) -> None:
        seen = self._visited.setdefault(state.type, [])
        if any(
            vertices <= state.vertices and labels <= state.labels and contexts <= state.contexts
            for vertices, labels, contexts in seen
        ):
            return
        seen.append((state.vertices, state.labels, state.contexts))
        heapq.heappush(self._queue, (len(state.vertices), next(self._order), state))

    def _drain(self) -> None:
        while self._queue and len(self.errors) < _MAX_ERRORS:
            if self.states == self._max_states:
                self.is_complete = False
                return
            self.states += 1
            _, _, state = heapq.heappop(self._queue)
            for follower in self._followers(state):
                self._push(follower)

    def _walk_mutation(self, start: State) -> None:
        """A mutation's field runs in one subgraph: it is enough if all is well from one of those that have it."""
        for name, _ in self._visible_fields(start.type):
            entries = [v for v in sorted(start.vertices) if self.graph.field(v, name) is not None]
            attempts: list[list[CompositionError]] = []
            for entry in entries:
                before = self.errors
                self.errors = []
                edge = self.graph.field(entry, name)
                if edge is not None and edge.target is not None:
                    state = State(start.type, frozenset({entry}))
                    target = self.graph.vertices[edge.target].type
                    self._push(State(target, frozenset({edge.target}), frozenset(), state, name))
                self._drain()
                attempts.append(self.errors)
                self.errors = before
            if attempts and all(attempts):
                self.errors.extend(attempts[0])

    def _visible_fields(self, type_name: str) -> Iterator[tuple[str, Field]]:
        for name, field_ in self.merged.schema.types[type_name].fields.items():
            if not field_.directives or not applied(field_, "inaccessible"):
                yield name, field_

    def _followers(self, state: State) -> Iterable[State]:
        kind = self.merged.schema.types[state.type].kind
        if kind.is_abstract:
            for name in self.merged.schema.possible_types(state.type):
                if not applied(self.merged.schema.types[name], "inaccessible"):
                    yield from self._narrow(state, name)
            return
        resolvers = self.conditions.resolvers(state.vertices)
        contexts = self._contexts_below(state)
        for name, field_ in self._visible_fields(state.type):
            overrides = self.graph.overrides(state.type, name)
            for labels in _label_choices(state.labels, set((overrides.labels or {}).values())):
                chosen = state.labels if self._max_states is None else labels
                following = State(named_type(field_.type), frozenset(), chosen, state, name, contexts)
                targets = self.conditions.targets(resolvers.get(name, ()), labels, state.contexts)
                yield from self._take_field(state, following, field_, targets)

    def _contexts_below(self, state: State) -> Contexts:
        """What is met for all that an object of this state encloses: what is met for itself, and what it meets."""
        met = {
            need
            for need in self.graph.met_contexts(state.type)
            if any(self.conditions.hold(v, self.graph.selections(need.selection)) for v in sorted(state.vertices))
        }
        return state.contexts | met

    def _narrow(self, state: State, type_name: str) -> Iterator[State]:
        """Continue at one object type of an abstract one."""
        found: set[int] = set()
        for vertex in state.vertices:
            if not self.graph.is_interface_object(vertex):
                narrowed = self.graph.downcast(vertex, type_name)
                if narrowed is None:
                    return  # one subgraph rules the type out, and all must agree
                found.add(narrowed)
            for reached in self.conditions.reachable(vertex):
                if self.graph.is_interface_object(reached):
                    continue
                narrowed = self.graph.downcast(reached, type_name)
                if narrowed is not None:
                    found.add(narrowed)
        step = f"... on {type_name}"
        following = State(type_name, frozenset(found), state.labels, state, step, state.contexts)
        if found:
            yield following
        else:
            self._dead_end(state, following, None)

    def _take_field(
        self, state: State, following: State, field_: Field, targets: Iterator[int | None]
    ) -> Iterator[State]:
        """Complete the ``following`` state with the vertices that the field leads to."""
        kind = self.merged.schema.kind_of(following.type)
        if (kind is None or not kind.is_composite) and any(True for _ in targets):
            return
        following = replace(following, vertices=frozenset(vertex for vertex in targets if vertex is not None))
        if not following.vertices:
            self._dead_end(state, following, field_)
            return
        if kind is not TypeKind.OBJECT:
            self.runtime_types.check(following, state.type, field_)
        yield following

    def _dead_end(self, state: State, following: State, field_: Field | None) -> None:
        error = explain_dead_end(self.graph, self.conditions, state, following, field_)
        if error.message not in self._reported:
            self._reported.add(error.message)
            self.errors.append(error)


def _label_choices(labels: Labels, needed: set[str]) -> Iterator[Labels]:
    """The given choices, completed in every way for the labels that are still open."""
    open_labels = sorted(needed - {label for label, _ in labels})
    choices = [labels]
    for label in open_labels:
        choices = [chosen | {(label, value)} for chosen in choices for value in (True, False)]
    yield from choices
