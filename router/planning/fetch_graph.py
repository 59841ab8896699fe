"""Choices -> fetches: what is read together is requested together, and who waits for whom follows from the inputs.

All entries of one slot (a subgraph at one level) are one fetch; lookups in it that ask alike are one ``_entities``
field, whatever their paths, and so are the object types of one place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from graphql import VariableDefinitionNode

from router.operation.model import Operation, OperationKind
from router.planning.choices import Choices, Input, Presence, Slot, is_root_again, root_kind
from router.planning.conditions import ALWAYS, shared, simplify
from router.planning.expected_shapes import ExpectedShapes
from router.planning.positions import Conditions, Position
from router.planning.postpone import postpone_lookups
from router.planning.query_plan import (
    ContextVariable,
    EntityLookup,
    ExpectedShape,
    Fetch,
    InputField,
    InputSelection,
    OwnedField,
    Path,
    PathStep,
    Representation,
    Rewrite,
)
from router.planning.reach import Reach
from router.planning.shapes import Sent, assign_names, can_share_names
from router.planning.subgraph_document import SelectionPrinter, in_order, print_definition, print_document
from router.planning.values import print_arguments
from router.supergraph.query_graph import TypeKind

Alternatives = tuple[Conditions, ...]


@dataclass(slots=True)
class _Lookup:
    """Entries that become one ``_entities`` field."""

    paths: list[Path]
    types: tuple[str, ...]
    representations: list[Representation]
    fragments: list[str]
    owned: list[OwnedField]
    rewrites: list[Rewrite]
    known: Conditions
    contexts: list[ContextVariable]
    shapes: dict[ExpectedShape, None] = field(default_factory=dict)

    def asks_like(self, other: _Lookup) -> bool:
        """Whether both ask the same of the same entities, at whatever paths; not where it depends on the path."""
        return not self.contexts and not other.contexts and (
            (self.representations, self.fragments, self.owned, self.rewrites, self.known)
            == (other.representations, other.fragments, other.owned, other.rewrites, other.known)
        )  # fmt: skip


class _OurVariables:
    """Names for the variables that fetches add, such that none of the client's variables begins with one of them."""

    def __init__(self, operation: Operation) -> None:
        self._taken = tuple(definition.variable.name.value for definition in _all_definitions(operation))
        self.representations = self._free("representations")
        self.context = self._free("context")

    def _free(self, name: str) -> str:
        while any(taken.startswith(name) for taken in self._taken):
            name = f"_{name}"
        return name


class FetchGraph:
    """Assembles the fetches of one set of choices; ids start at ``first_id``."""

    def __init__(self, reach: Reach, operation: Operation, choices: Choices, first_id: int = 0) -> None:
        self._reach = reach
        self._operation = operation
        self._entries: dict[Slot, list[Presence]] = {}
        self._final = postpone_lookups(choices.entries)
        for presence in sorted(choices.entries, key=lambda entry: entry.position.number):
            self._entries.setdefault(self._final[presence.slot], []).append(presence)
        order = sorted(self._entries, key=lambda slot: (slot[3], slot[1], self._first_position(slot), slot[0]))
        self._ids = {slot: first_id + number for number, slot in enumerate(order)}
        self._alternatives = self._spread_conditions()
        self._brought = self._count_fetches()
        placed = ((entry, slot) for slot, entries in self._entries.items() for entry in entries)
        self._shapes = ExpectedShapes(placed, reach.graph.merged)
        self._names = _OurVariables(operation)

    def fetches(self, depends_on: tuple[int, ...] = ()) -> list[Fetch]:
        """All fetches, each after those it waits for; ``depends_on`` are ids that all of them wait for."""
        return [self._fetch(slot, depends_on) for slot in self._ids]

    def _first_position(self, slot: Slot) -> int:
        return min(presence.position.number for presence in self._entries[slot])

    # -- conditions ------------------------------------------------------------------------------------------------

    def _spread_conditions(self) -> dict[Presence, Alternatives]:
        """When each entry is needed; inputs are needed when a lookup that uses them is, so the last come first."""
        alternatives: dict[Presence, Alternatives] = {}
        entries = [presence for slot in self._ids for presence in self._entries[slot]]
        for entry in sorted(entries, key=lambda presence: -presence.level):
            needed = _needed_when(entry)
            alternatives[entry] = needed
            assert entry.entry is not None  # noqa: S101 - entries have one
            for provider, key in entry.entry.providers:
                provider.uses[key].conditions.update((conditions, True) for conditions in needed)
        return alternatives

    # -- who owns what ---------------------------------------------------------------------------------------------

    def _count_fetches(self) -> dict[tuple[Position, str], set[Slot]]:
        """The slots that bring each field of each position."""
        brought: dict[tuple[Position, str], set[Slot]] = {}
        for entries in self._entries.values():
            for entry in entries:
                for presence in _within(entry):
                    for key in presence.uses:
                        brought.setdefault((_object(presence), key), set()).add(self._final[presence.slot])
        return brought

    def _owned(
        self,
        presence: Presence,
        types: tuple[str, ...] | None,
        path: Path = (),
        start_types: tuple[str, ...] | None = None,
    ) -> list[OwnedField]:
        """The client's fields that fall with this fetch; where another fetch brings the object too, those inside it."""
        owned: list[OwnedField] = []
        for key, use in in_order(presence):
            selected = presence.position.client_keys.get(key)
            if selected is None:
                continue
            if use.below is not None and len(self._brought[_object(presence), key]) > 1:
                start = start_types if path else types
                owned += self._owned(use.below, None, (*_restricted(path, types), PathStep(key)), start)
            else:
                start = start_types if path else None
                owned += (OwnedField(key, types, conditions, path, start) for conditions in simplify(selected))
        for name, cast in presence.casts.items():
            owned += self._owned(cast, (name,), path, start_types)
        return owned

    def _is_lookup(self, entry: Presence) -> bool:
        return _jumped(entry) is not None and not is_root_again(entry.position, self._reach)

    # -- fetches ---------------------------------------------------------------------------------------------------

    def _fetch(self, slot: Slot, depends_on: tuple[int, ...]) -> Fetch:
        entries = self._entries[slot]
        roots = [entry for entry in entries if not self._is_lookup(entry)]
        at = tuple(_path_of(root.position, ()) for root in roots if root.position.parent is not None)
        kind = self._kind_of(roots)
        printer = SelectionPrinter(self._reach, kind)
        fetch_id = self._ids[slot]
        selections: list[str] = []
        owned: list[OwnedField] = []
        rewrites: list[Rewrite] = []
        shapes: list[ExpectedShape] = []
        for root in roots:
            sent = assign_names(root)
            shapes += self._shapes.below(root, sent)
            selections += printer.selections(root, sent, ())
            owned += self._owned(root, None)
            rewrites += _rewrites(root, sent, (), None)
        lookups = self._lookups(entries, printer)
        named = [self._entity_lookup(lookup, number, len(lookups)) for number, lookup in enumerate(lookups)]
        selections += (
            _entities_field(lookup, fragments.fragments) for lookup, fragments in zip(named, lookups, strict=True)
        )
        needed = simplify(conditions for entry in entries for conditions in self._alternatives[entry])
        name = f"{self._operation.name}__{_graphql_name(slot[0])}__{fetch_id}" if self._operation.name else None
        used = [d for d in _all_definitions(self._operation) if d.variable.name.value in printer.variables]
        return Fetch(
            id=fetch_id,
            subgraph=slot[0],
            kind=kind,
            document=print_document(kind, name, [*_declared(used), *_of_lookups(named)], selections),
            operation_name=name,
            variables=tuple(definition.variable.name.value for definition in used),
            depends_on=tuple(sorted({*depends_on, *self._awaited(entries)})),
            lookups=tuple(named),
            owned=tuple(owned),
            rewrites=tuple(rewrites),
            run_if=() if needed == ALWAYS else needed,
            at=at,
            shapes=tuple(dict.fromkeys(shapes)),
            part=slot[3],
        )

    def _kind_of(self, roots: list[Presence]) -> OperationKind:
        """The kind of operation that asks for root fields, at the root or again below; else entities are queried."""
        again = [root for root in roots if root.position.parent is not None]
        if again:
            return OperationKind(root_kind(again[0].position, self._reach) or OperationKind.QUERY)
        return self._operation.kind if roots else OperationKind.QUERY

    def _awaited(self, entries: Iterable[Presence]) -> set[int]:
        """The fetches that the inputs of ``entries`` come from."""
        return {self._ids[self._final[p.slot]] for e in entries if e.entry is not None for p, _ in e.entry.providers}

    # -- lookups ---------------------------------------------------------------------------------------------------

    def _lookups(self, entries: Iterable[Presence], printer: SelectionPrinter) -> list[_Lookup]:
        """The lookups of a fetch: by place first, for all types of an object, then joined where they ask alike."""
        lookups: list[_Lookup] = []
        for group in _by_place(entry for entry in entries if self._is_lookup(entry)):
            lookup = self._lookup(group, printer)
            for known in lookups:
                if known.asks_like(lookup):
                    known.shapes |= lookup.shapes
                    known.paths += (path for path in lookup.paths if path not in known.paths)
                    break
            else:
                lookups.append(lookup)
        return lookups

    def _lookup(self, group: list[Presence], printer: SelectionPrinter) -> _Lookup:
        """One lookup for ``group``: one entry, or entries for different types of objects at one place."""
        several = len(group) > 1
        known = self._certain(group)
        # Entries that take a context stand alone.
        contexts = self._contexts(group[0], printer)
        types = tuple(dict.fromkeys(name for entry in group for name in self._types_of(entry.position)))
        lookup = _Lookup([_path_of(group[0].position, types)], types, [], [], [], [], known, contexts)
        for entry in group:
            sent = assign_names(entry)
            own = self._types_of(entry.position) if several else None
            text = printer.selections(entry, sent, known)
            fragment = f"... on {entry.node.type_name} {{ {' '.join(text)} }}"
            if fragment not in lookup.fragments:
                lookup.fragments.append(fragment)
            lookup.representations.append(self._representation(entry, several=several))
            lookup.owned += self._owned(entry, own)
            lookup.rewrites += _rewrites(entry, sent, (), own)
            lookup.shapes |= dict.fromkeys(self._shapes.below(entry, sent))
        for condition in known:
            printer.variables[condition.variable] = True
        return lookup

    def _contexts(self, entry: Presence, printer: SelectionPrinter) -> list[ContextVariable]:
        """The variables for the contextual arguments of a lookup."""
        values = entry.entry.contexts if entry.entry is not None else {}
        printer.name_contexts(values, self._names.context)
        return [
            ContextVariable(
                printer.context_variables[argument],
                argument.type,
                len(_path_of(value.setter, ())),
                _input_selections(value.inputs, value.setter.abstract),
            )
            for argument, value in values.items()
        ]

    def _certain(self, group: list[Presence]) -> Conditions:
        """Nothing: a lookup is asked for whenever its fetch runs, and conditions stay inside it."""
        return shared(simplify(conditions for entry in group for conditions in self._alternatives[entry]))[:0]

    def _types_of(self, position: Position) -> tuple[str, ...]:
        return self._reach.merged(position.type_name).possible if position.abstract else (position.type_name,)

    def _representation(self, entry: Presence, *, several: bool) -> Representation:
        assert entry.entry is not None  # noqa: S101 - a lookup has one
        fields = tuple(_input_field(item) for item in entry.entry.inputs.values())
        position = entry.position
        types = self._types_of(position) if several or position.abstract else None
        if self._reach.kind(entry.node) is TypeKind.INTERFACE_OBJECT:
            return Representation(types if several else None, entry.node.type_name, fields)
        if not position.abstract:
            return Representation(types, position.type_name, fields)
        if any(self._reach.has_types(provider.node) for provider, _ in entry.entry.providers):
            return Representation(types, None, fields)
        # Only an interface object knows the entity so far: the subgraph finds out what it is.
        return Representation(None, entry.node.type_name, fields)

    def _entity_lookup(self, lookup: _Lookup, number: int, total: int) -> EntityLookup:
        suffix = "" if total == 1 else f"_{number}"
        return EntityLookup(
            alias=f"_entities{suffix}",
            variable=f"{self._names.representations}{suffix}",
            paths=tuple(lookup.paths),
            representations=tuple(lookup.representations),
            owned=tuple(lookup.owned),
            rewrites=tuple(lookup.rewrites),
            contexts=tuple(lookup.contexts),
            shapes=tuple(lookup.shapes),
        )


def _all_definitions(operation: Operation) -> tuple[VariableDefinitionNode, ...]:
    return (*operation.variable_definitions, *operation.lifted_definitions)


def _jumped(presence: Presence) -> object:
    return presence.entry.jump if presence.entry is not None else None


def _object(presence: Presence) -> Position:
    """The position that stands for the object, in whatever part of the answer it is read."""
    position = presence.position
    while position.known:
        position = position.known[0]
    return position


def _needed_when(presence: Presence) -> Alternatives:
    """The conditions under which something is asked of ``presence``, noted on its composite fields on the way up."""
    needed: dict[Conditions, bool] = {}
    for use in presence.uses.values():
        for below in use.children.values():
            use.conditions.update((conditions, True) for conditions in _needed_when(below))
        needed.update(use.conditions)
    for cast in presence.casts.values():
        needed.update((conditions, True) for conditions in _needed_when(cast))
    return simplify(needed)


def _within(presence: Presence) -> Iterable[Presence]:
    """``presence`` and every presence of the same request below it."""
    yield presence
    for use in presence.uses.values():
        for below in use.children.values():
            yield from _within(below)
    for cast in presence.casts.values():
        yield from _within(cast)


def _can_join(entry: Presence, other: Presence) -> bool:
    """Whether entries for two types of an object can be one lookup; what goes by an interface's name must be equal."""
    if entry.position is other.position or _takes_context(entry) or _takes_context(other):
        return False
    if entry.node.type_name == other.node.type_name:
        return _asked(entry) == _asked(other)
    return can_share_names(entry, other)


def _takes_context(presence: Presence) -> bool:
    return presence.entry is not None and bool(presence.entry.contexts)


def _asked(presence: Presence) -> object:
    fields = []
    for key, use in in_order(presence):
        below = [_asked(below) for below in use.children.values()]
        fields.append((key, use.name, print_arguments(use.arguments), below))
    return fields, [(name, _asked(cast)) for name, cast in presence.casts.items()]


def _by_place(entries: Iterable[Presence]) -> list[list[Presence]]:
    """Entries grouped by the object they stand at, as far as a group can be one lookup: no type twice."""
    groups: list[list[Presence]] = []
    for entry in entries:
        for group in groups:
            first = group[0].position
            position = entry.position
            same_object = position.is_cast and first.is_cast and position.parent is first.parent
            if same_object and all(_can_join(entry, other) for other in group):
                group.append(entry)
                break
        else:
            groups.append([entry])
    return groups


def _path_of(position: Position, types: tuple[str, ...]) -> Path:
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


def _restricted(path: Path, types: tuple[str, ...] | None) -> Path:
    """``path`` to objects of ``types`` only."""
    return (*path[:-1], PathStep(path[-1].response_key, types)) if path and types is not None else path


def _input_field(item: Input) -> InputField:
    if item.below is None:
        return InputField(item.name, item.response_key, item.nullable)
    return InputField(item.name, item.response_key, item.nullable, _input_selections(item.below, item.abstract))


def _input_selections(items: Iterable[Input], abstract: bool) -> tuple[InputSelection, ...]:
    grouped: dict[tuple[str, ...] | None, list[InputField]] = {}
    for item in items:
        grouped.setdefault(item.types, []).append(_input_field(item))
    if not grouped and abstract:
        return (InputSelection(None, (), send_typename=True),)
    return tuple(InputSelection(types, tuple(fields), abstract) for types, fields in grouped.items())


def _rewrites(presence: Presence, sent: Sent, path: Path, types: tuple[str, ...] | None) -> list[Rewrite]:
    """The renamings on arrival, those of outer objects first: paths are made of response keys."""
    rewrites: list[Rewrite] = []
    for key, use in presence.uses.items():
        name = sent.name_of(presence, key)
        if name != key:
            rewrites.append(Rewrite(path, types, name, key))
        if use.below is not None:
            rewrites += _rewrites(use.below, sent, (*path, PathStep(key)), None)
    for name, cast in presence.casts.items():
        rewrites += _rewrites(cast, sent, path, (name,))
    return rewrites


def _entities_field(lookup: EntityLookup, fragments: list[str]) -> str:
    head = "_entities" if lookup.alias == "_entities" else f"{lookup.alias}: _entities"
    return f"{head}(representations: ${lookup.variable}) {{ {' '.join(fragments)} }}"


def _declared(definitions: Iterable[VariableDefinitionNode]) -> list[str]:
    return [print_definition(definition) for definition in definitions]


def _of_lookups(lookups: Iterable[EntityLookup]) -> list[str]:
    """The definitions of the variables that lookups add."""
    definitions: list[str] = []
    for lookup in lookups:
        definitions.append(f"${lookup.variable}: [_Any!]!")
        definitions += (f"${context.variable}: {context.type}" for context in lookup.contexts)
    return definitions


def _graphql_name(text: str) -> str:
    return "".join(character if character.isalnum() and character.isascii() else "_" for character in text)
