"""A shared field of an abstract type must be able to give the same object types in all subgraphs."""

from __future__ import annotations

from dataclasses import dataclass, field

from router.composition.errors import CompositionError, SourceLocation, locate
from router.composition.hints import CompositionHint
from router.composition.merge.merge import Merged
from router.composition.satisfiability.graph import QueryGraph
from router.composition.satisfiability.state import State
from router.composition.satisfiability.witness import witness_query
from router.composition.schema import Field
from router.composition.words import quoted
from router.federation.error_codes import ErrorCode
from router.federation.hint_codes import HintCode


@dataclass(slots=True)
class RuntimeTypeCheck:
    """Collects what the walk meets: no common type is an error, different types are a hint, once a field."""

    merged: Merged
    graph: QueryGraph
    errors: list[CompositionError] = field(default_factory=list)
    hints: list[CompositionHint] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def check(self, state: State, parent: str, field_: Field) -> None:
        """Compare the object types of the vertices that ``parent.field_`` has led to."""
        types: dict[int, frozenset[str]] = {}
        for vertex in sorted(state.vertices):
            at = self.graph.vertices[vertex]
            if at.type == state.type and not self.graph.is_interface_object(vertex):
                types[at.subgraph] = frozenset(self.graph.possible_types(at.subgraph, at.type))
        if len(set(types.values())) < 2 or (parent, field_.name) in self._seen:
            return
        self._seen.add((parent, field_.name))
        common = frozenset.intersection(*types.values())
        place = f"{parent}.{field_.name}"
        query = witness_query(self.merged, state, is_leaf=False)
        found = "; ".join(
            f'{quoted(sorted(names)) or "no type"} in subgraph "{self.merged.subgraphs[index].name}"'
            for index, names in types.items()
        )
        locations = self._locations(parent, field_.name, list(types))
        if not common:
            message = f'In the query\n{query}\nthe shared field "{place}" can be of no common object type: {found}'
            code = ErrorCode.SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES
            self.errors.append(CompositionError(code, message, None, locations))
            return
        message = f'In the query\n{query}\nthe shared field "{place}" can be of different object types: {found}'
        code_ = HintCode.INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN
        self.hints.append(CompositionHint(code_, message, place, locations))

    def _locations(self, parent: str, name: str, subgraphs: list[int]) -> tuple[SourceLocation, ...]:
        found: list[SourceLocation] = []
        for index in subgraphs:
            subgraph = self.merged.subgraphs[index]
            type_ = subgraph.schema.types.get(parent)
            if type_ is not None and name in type_.fields:
                found.extend(locate(subgraph.name, (type_.fields[name].node,)))
        return tuple(found)
