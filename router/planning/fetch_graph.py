"""Choices -> fetches: what is read together is requested together, and who waits for whom follows from the inputs.

All entries of one slot (a subgraph at one level) are one fetch, with the slots that :mod:`router.planning.postpone`
lets wait for it. What is needed when, who owns what and which lookups are one is settled in a module each.
"""

from __future__ import annotations

from collections.abc import Iterable

from graphql import VariableDefinitionNode

from router.operation.model import Operation, OperationKind
from router.planning.choices import Choices
from router.planning.conditions import ALWAYS, shared, simplify
from router.planning.expected_shapes import ExpectedShapes
from router.planning.lookups import LookupJoiner
from router.planning.needs import spread_conditions
from router.planning.ownership import Ownership
from router.planning.positions import path_of
from router.planning.postpone import postpone_lookups
from router.planning.presences import Presence, Slot, is_root_again, root_kind
from router.planning.query_plan import EntityLookup, ExpectedShape, Fetch, OwnedField, Rewrite
from router.planning.reach import Reach
from router.planning.shapes import assign_names, rewrites_of
from router.planning.subgraph_document import SelectionPrinter, print_definition, print_document


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
        self._alternatives = spread_conditions(choices.entries)
        placed = ((entry, slot) for slot, entries in self._entries.items() for entry in entries)
        self._shapes = ExpectedShapes(placed, reach.graph.merged)
        self._ownership = Ownership(choices.entries, self._final)
        self._names = _OurVariables(operation)
        self._joiner = LookupJoiner(reach, self._ownership, self._shapes, self._names.context)

    def fetches(self, depends_on: tuple[int, ...] = ()) -> list[Fetch]:
        """All fetches, each after those it waits for; ``depends_on`` are ids that all of them wait for."""
        return [self._fetch(slot, depends_on) for slot in self._ids]

    def _first_position(self, slot: Slot) -> int:
        return min(presence.position.number for presence in self._entries[slot])

    def _is_lookup(self, entry: Presence) -> bool:
        return _jumped(entry) is not None and not is_root_again(entry.position, self._reach)

    def _fetch(self, slot: Slot, depends_on: tuple[int, ...]) -> Fetch:
        entries = self._entries[slot]
        needed = simplify(conditions for entry in entries for conditions in self._alternatives[entry])
        # What holds whenever the fetch is made need not be said within it.
        known = shared(needed)
        roots = [entry for entry in entries if not self._is_lookup(entry)]
        at = tuple(path_of(root.position, ()) for root in roots if root.position.parent is not None)
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
            selections += printer.selections(root, sent, known)
            owned += self._ownership.owned(root, None)
            rewrites += rewrites_of(root, sent, (), None)
        lookups = self._joiner.join((entry for entry in entries if self._is_lookup(entry)), printer, known)
        suffixes = [""] if len(lookups) == 1 else [f"_{number}" for number in range(len(lookups))]
        representations = self._names.representations
        named = [
            lookup.named(f"_entities{suffix}", f"{representations}{suffix}")
            for lookup, suffix in zip(lookups, suffixes, strict=True)
        ]
        selections += (
            _entities_field(lookup, fragments.fragments) for lookup, fragments in zip(named, lookups, strict=True)
        )
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


def _all_definitions(operation: Operation) -> tuple[VariableDefinitionNode, ...]:
    return (*operation.variable_definitions, *operation.lifted_definitions)


def _jumped(presence: Presence) -> object:
    return presence.entry.jump if presence.entry is not None else None


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
