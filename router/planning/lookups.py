"""Entries of one request -> its ``_entities`` fields: as few as can be.

The types of one object are one lookup, as far as their fields can stand together; and lookups that ask the same of
entities at several places are one with several paths.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from router.planning.by_need import AskedOfEntities, by_need
from router.planning.expected_shapes import ExpectedShapes
from router.planning.ownership import Ownership
from router.planning.positions import Conditions, Position, path_of
from router.planning.presences import Presence
from router.planning.query_plan import (
    ContextVariable,
    EntityLookup,
    ExpectedShape,
    OwnedField,
    Path,
    Representation,
    Rewrite,
    SelectionsByNeed,
)
from router.planning.reach import Reach
from router.planning.representations import input_selections, representation_of, types_of
from router.planning.shapes import assign_names, can_share_names, rewrites_of
from router.planning.subgraph_document import SelectionPrinter, in_order
from router.planning.values import print_arguments


@dataclass(slots=True)
class Lookup:
    """Entries that become one ``_entities`` field; ``fragments`` is what is selected there, for each type."""

    paths: dict[Path, None]
    representations: list[Representation]
    fragments: list[str]
    owned: list[OwnedField]
    rewrites: list[Rewrite]
    contexts: list[ContextVariable]
    by_need: list[SelectionsByNeed | None] = field(default_factory=list)
    shapes: dict[ExpectedShape, None] = field(default_factory=dict)

    def asked(self) -> object:
        """Equal for lookups that ask the same of the same entities, at whatever paths."""
        return tuple(self.representations), tuple(self.fragments), tuple(self.owned), tuple(self.rewrites)

    def named(self, alias: str, variable: str) -> EntityLookup:
        """The lookup as the plan has it."""
        return EntityLookup(
            alias=alias,
            variable=variable,
            paths=tuple(self.paths),
            representations=tuple(self.representations),
            owned=tuple(self.owned),
            rewrites=tuple(self.rewrites),
            contexts=tuple(self.contexts),
            shapes=tuple(self.shapes),
            by_need=tuple(self.by_need) if any(self.by_need) else (),
        )


class LookupJoiner:
    """Makes the lookups of each request; ``context_prefix`` begins the variables for contextual arguments."""

    def __init__(self, reach: Reach, ownership: Ownership, shapes: ExpectedShapes, context_prefix: str) -> None:
        self._reach = reach
        self._ownership = ownership
        self._shapes = shapes
        self._context_prefix = context_prefix

    def join(self, entries: Iterable[Presence], printer: SelectionPrinter, known: Conditions) -> list[Lookup]:
        """The lookups of one request: by place first, for all types of an object, then joined where they ask alike.

        ``known`` conditions hold whenever the request is made.
        """
        lookups: list[Lookup] = []
        alike: dict[object, Lookup] = {}
        for group in _by_place(entries):
            lookup = self._lookup(group, printer, known)
            # What is asked in a context depends on the path.
            first = lookup if lookup.contexts else alike.setdefault(lookup.asked(), lookup)
            if first is lookup:
                lookups.append(lookup)
            else:
                first.shapes |= lookup.shapes
                first.paths |= lookup.paths
        return lookups

    def _lookup(self, group: list[Presence], printer: SelectionPrinter, known: Conditions) -> Lookup:
        """One lookup for ``group``: one entry, or entries for different types of objects at one place.

        It is asked for whenever its request is made; other conditions stay inside it.
        """
        several = len(group) > 1
        # Entries that take a context stand alone.
        contexts = self._contexts(group[0], printer)
        types = tuple(dict.fromkeys(name for entry in group for name in types_of(entry.position, self._reach)))
        lookup = Lookup({path_of(group[0].position, types): None}, [], [], [], [], contexts)
        for entry in group:
            sent = assign_names(entry)
            own = types_of(entry.position, self._reach) if several else None
            selections = printer.selections(entry, sent, known)
            fragment = f"... on {entry.node.type_name} {{ {' '.join(selections)} }}"
            if fragment not in lookup.fragments:
                lookup.fragments.append(fragment)
            lookup.representations.append(representation_of(entry, self._reach, several=several))
            owned = self._ownership.owned(entry, own)
            lookup.owned += owned
            asked = AskedOfEntities(entry, sent, owned, own, printer.context_variables)
            lookup.by_need.append(by_need(asked, partial(printer.selections, known=known)))
            lookup.rewrites += rewrites_of(entry, sent, (), own)
            lookup.shapes |= dict.fromkeys(self._shapes.below(entry, sent))
        return lookup

    def _contexts(self, entry: Presence, printer: SelectionPrinter) -> list[ContextVariable]:
        """The variables for the contextual arguments of a lookup."""
        values = entry.entry.contexts if entry.entry is not None else {}
        printer.name_contexts(values, self._context_prefix)
        return [
            ContextVariable(
                printer.context_variables[argument],
                argument.type,
                len(path_of(value.setter, ())),
                input_selections(value.inputs, abstract=value.setter.abstract),
            )
            for argument, value in values.items()
        ]


def _by_place(entries: Iterable[Presence]) -> list[list[Presence]]:
    """Entries grouped by the object they stand at, as far as a group can be one lookup: no type twice."""
    groups: list[list[Presence]] = []
    of_object: dict[Position | None, list[list[Presence]]] = {}
    for entry in entries:
        position = entry.position
        beside = of_object.setdefault(position.parent, []) if position.is_cast else []
        group = next((one for one in beside if all(_can_join(entry, other) for other in one)), None)
        if group is None:
            group = []
            groups.append(group)
            beside.append(group)
        group.append(entry)
    return groups


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
