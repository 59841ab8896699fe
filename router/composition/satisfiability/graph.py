"""The query graph that satisfiability walks: what each subgraph resolves by itself, and how to get to another one.

Theory of operation. A vertex is a type within a subgraph, plus what a ``@provides`` on the way there made available;
vertices are small integers. From a vertex one can

- take a field that the subgraph resolves (not external unless provided, not overridden), guarded by its ``@requires``;
- narrow an abstract type to an object type that the subgraph knows;
- hop by a resolvable ``@key`` of the destination, guarded by the key's fields, or between ``Query`` types freely.

A hop may also end at the ``@interfaceObject`` of an interface that the type implements. A field with ``@fromContext``
is open only below an object that sets the context; which those are depends on the way, so the walk keeps track of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from router.composition.merge.context import TypeRelations
from router.composition.merge.merge import Merged
from router.composition.merge.overrides import NO_OVERRIDES, FieldOverrides
from router.composition.preprocess.contexts import context_types, contextual_arguments
from router.composition.schema import ROOT_NAMES, Field, TypeDefinition, TypeKind, all_applied, applied
from router.federation.field_set import FieldSelection, FieldSetError, FragmentSelection, Selection, parse_field_set
from router.federation.type_ref import named_type

Selections = tuple[Selection, ...]


@dataclass(frozen=True, slots=True)
class Vertex:
    """A type of one subgraph; ``provided`` are the selections that a ``@provides`` made available on it."""

    subgraph: int
    type: str
    provided: Selections = ()


@dataclass(frozen=True, slots=True)
class ContextNeed:
    """What an argument with ``@fromContext`` takes of an enclosing object: a context's name in the supergraph."""

    context: str
    selection: str


Contexts = frozenset[ContextNeed]
NO_CONTEXTS: Contexts = frozenset()


@dataclass(frozen=True, slots=True)
class FieldEdge:
    """A field that a subgraph resolves: where it leads (None: a leaf) and what must be fetched before.

    ``contexts`` must all be met by objects that enclose the field's parent.
    """

    target: int | None
    requires: Selections
    label: tuple[str, bool] | None
    contexts: Contexts = NO_CONTEXTS


@dataclass(frozen=True, slots=True)
class Hop:
    """A way to another subgraph: ``key`` must be resolvable from where one is (None: between root types)."""

    target: int
    key: Selections | None


class QueryGraph:
    """The vertices and edges of all subgraphs, computed when they are first asked for."""

    def __init__(self, merged: Merged, relations: TypeRelations) -> None:
        self.merged = merged
        self.subgraphs = merged.subgraphs
        self.relations = relations
        self.vertices: list[Vertex] = []
        self._ids: dict[tuple[int, str, str], int] = {}
        self._fields: dict[tuple[int, str], FieldEdge | None] = {}
        self._hops: dict[int, tuple[Hop, ...]] = {}
        self._possible: dict[tuple[int, str], tuple[str, ...]] = {}
        self._selections: dict[str, Selections] = {}

    def vertex(self, subgraph: int, type_name: str, provided: Selections = ()) -> int:
        """The number of a vertex."""
        key = (subgraph, type_name, repr(provided) if provided else "")
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self.vertices)
            self.vertices.append(Vertex(subgraph, type_name, provided))
        return found

    def type_of(self, vertex: int) -> TypeDefinition:
        """The type of a vertex as its subgraph declares it."""
        at = self.vertices[vertex]
        return self.subgraphs[at.subgraph].schema.types[at.type]

    def selections(self, text: object) -> Selections:
        """A field set that preprocessing has already accepted."""
        key = str(text)
        if key not in self._selections:
            try:
                self._selections[key] = parse_field_set(key)
            except FieldSetError:
                self._selections[key] = ()
        return self._selections[key]

    def possible_types(self, subgraph: int, type_name: str) -> tuple[str, ...]:
        """The object types that a value of ``type_name`` can have in a subgraph."""
        key = (subgraph, type_name)
        if key not in self._possible:
            self._possible[key] = self.subgraphs[subgraph].schema.possible_types(type_name)
        return self._possible[key]

    def is_interface_object(self, vertex: int) -> bool:
        """Whether the subgraph does not know which object type the value is of."""
        return applied(self.type_of(vertex), "interfaceObject") is not None

    def field(self, vertex: int, name: str) -> FieldEdge | None:
        """The edge of a field, or None if the subgraph does not resolve it at this vertex."""
        key = (vertex, name)
        if key not in self._fields:
            self._fields[key] = self._read_field(vertex, name)
        return self._fields[key]

    def _read_field(self, vertex: int, name: str) -> FieldEdge | None:
        at = self.vertices[vertex]
        type_ = self.type_of(vertex)
        field = type_.fields.get(name)
        if field is None:
            return None
        if type_.kind is TypeKind.INTERFACE and not self._all_implementations_resolve(at, name):
            return None
        provided = _provided_field(at.provided, name)
        usage = self.subgraphs[at.subgraph].usage
        if provided is None and usage.is_external(at.type, name):
            return None
        overrides = self.overrides(at.type, name)
        label = overrides.label(at.subgraph)
        if at.subgraph in overrides.overridden and label is None:
            return None
        requires = applied(field, "requires") if field.directives else None
        return FieldEdge(
            self._target(at.subgraph, field, provided),
            self.selections(requires.arguments.get("fields")) if requires else (),
            (label, at.subgraph not in overrides.overridden) if label is not None else None,
            self._contexts.get((at.subgraph, at.type, name), NO_CONTEXTS),
        )

    def met_contexts(self, type_name: str) -> tuple[ContextNeed, ...]:
        """The needs of contextual arguments that objects of a type may meet for what they enclose."""
        return self._met_contexts.get(type_name, ())

    @cached_property
    def _contexts(self) -> Mapping[tuple[int, str, str], Contexts]:
        """What each contextual field needs: by subgraph, type and field."""
        found: dict[tuple[int, str, str], Contexts] = {}
        for index, subgraph in enumerate(self.subgraphs):
            for argument in contextual_arguments(subgraph.schema):
                key = (index, argument.type.name, argument.field.name)
                need = ContextNeed(f"{subgraph.name}__{argument.context}", argument.selection or "")
                found[key] = found.get(key, NO_CONTEXTS) | {need}
        return found

    @cached_property
    def _met_contexts(self) -> Mapping[str, tuple[ContextNeed, ...]]:
        found: dict[str, dict[ContextNeed, None]] = {}
        for (index, _, _), needs in self._contexts.items():
            setting = context_types(self.subgraphs[index].schema)
            for need in sorted(needs, key=lambda need: (need.context, need.selection)):
                for name in setting.get(need.context, ()):
                    for possible in self.possible_types(index, name):
                        found.setdefault(possible, {})[need] = None
        return {name: tuple(needs) for name, needs in found.items()}

    def overrides(self, type_name: str, field: str) -> FieldOverrides:
        """How the subgraphs of a field override each other."""
        return self.merged.overrides.get((type_name, field), NO_OVERRIDES)

    def _all_implementations_resolve(self, at: Vertex, name: str) -> bool:
        """An interface's field can be asked at once only if no implementation needs anything from elsewhere."""
        if _provided_field(at.provided, name) is not None:
            return True
        for possible in self.possible_types(at.subgraph, at.type):
            edge = self.field(self.vertex(at.subgraph, possible), name)
            if edge is None or edge.requires or edge.contexts:
                return False
        return True

    def _target(self, subgraph: int, field: Field, provided: Selections | None) -> int | None:
        name = named_type(field.type)
        kind = self.subgraphs[subgraph].schema.kind_of(name)
        if kind is None or not kind.is_composite:
            return None
        provides = applied(field, "provides") if field.directives else None
        selections = self.selections(provides.arguments.get("fields")) if provides else ()
        return self.vertex(subgraph, name, (*(provided or ()), *selections))

    def downcast(self, vertex: int, type_name: str) -> int | None:
        """The vertex of an object type below this one; None if the subgraph's value cannot be of it."""
        at = self.vertices[vertex]
        if at.type == type_name:
            return vertex
        if type_name not in self.possible_types(at.subgraph, at.type):
            return None
        provided = tuple(self._narrowed(at, type_name))
        return self.vertex(at.subgraph, type_name, provided)

    def _narrowed(self, at: Vertex, type_name: str) -> Sequence[Selection]:
        narrowed: list[Selection] = []
        for selection in at.provided:
            if isinstance(selection, FieldSelection):
                narrowed.append(selection)
            elif selection.type_condition in {None, type_name} or type_name in self.possible_types(
                at.subgraph, str(selection.type_condition)
            ):
                narrowed.extend(selection.selections)
        return narrowed

    def hops(self, vertex: int) -> tuple[Hop, ...]:
        """All ways from a vertex to another subgraph."""
        if vertex not in self._hops:
            self._hops[vertex] = tuple(self._read_hops(self.vertices[vertex]))
        return self._hops[vertex]

    def _read_hops(self, at: Vertex) -> Sequence[Hop]:
        operation = next((operation for operation, name in ROOT_NAMES.items() if name == at.type), None)
        if operation is not None:
            others = (
                index
                for index, subgraph in enumerate(self.subgraphs)
                if index != at.subgraph and operation in subgraph.schema.roots
            )
            return [Hop(self.vertex(index, at.type), None) for index in others]
        found: list[Hop] = []
        for name in (at.type, *self._keyed_interface_objects.get(at.type, ())):
            for index, keys in self._keys_by_type.get(name, {}).items():
                if index != at.subgraph and (name == at.type or self._is_interface_object_type(index, name)):
                    found.extend(Hop(self.vertex(index, name), key) for key in keys)
        return found

    def _is_interface_object_type(self, subgraph: int, name: str) -> bool:
        return applied(self.subgraphs[subgraph].schema.types[name], "interfaceObject") is not None

    @cached_property
    def _keys_by_type(self) -> Mapping[str, Mapping[int, tuple[Selections, ...]]]:
        """The resolvable keys of each type by subgraph."""
        found: dict[str, dict[int, tuple[Selections, ...]]] = {}
        for index in range(len(self.subgraphs)):
            for name, type_ in self.subgraphs[index].schema.types.items():
                keys = self.resolvable_keys(type_)
                if keys:
                    found.setdefault(name, {})[index] = keys
        return found

    def resolvable_keys(self, type_: TypeDefinition) -> tuple[Selections, ...]:
        """The keys by which a subgraph can be entered at a type."""
        return tuple(
            self.selections(key.arguments.get("fields"))
            for key in all_applied(type_, "key")
            if key.arguments.get("resolvable") is not False
        )

    @cached_property
    def _keyed_interface_objects(self) -> Mapping[str, tuple[str, ...]]:
        """For each object type the interfaces of it that some subgraph declares as ``@interfaceObject``."""
        names = {
            name
            for subgraph in self.subgraphs
            for name, type_ in subgraph.schema.types.items()
            if applied(type_, "interfaceObject")
        }
        return {
            type_name: tuple(sorted(names & interfaces))
            for type_name, interfaces in self.relations.interfaces.items()
            if names & interfaces
        }


def _provided_field(provided: Selections, name: str) -> Selections | None:
    """What is provided under a field: None if the field is not provided."""
    found: list[Selection] = []
    is_provided = False
    for selection in provided:
        if isinstance(selection, FragmentSelection):
            if selection.type_condition is None:
                inner = _provided_field(selection.selections, name)
                is_provided = is_provided or inner is not None
                found.extend(inner or ())
        elif selection.name == name:
            is_provided = True
            found.extend(selection.selections)
    return tuple(found) if is_provided else None
