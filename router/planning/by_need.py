"""What a lookup asks for, by what each field needs: so that a field whose inputs fail costs no other.

``... on Product { name shipping }`` where ``shipping`` requires ``weight``: ``name`` needs the key alone. A field that
takes a context is told apart wherever it stands below the entity.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from router.planning.ownership import owned_alone
from router.planning.presences import Entry, Presence, Use
from router.planning.pruning import Pruner
from router.planning.query_plan import ComputedField, InputField, OwnedField, SelectionsByNeed
from router.planning.representations import input_fields
from router.planning.shapes import Sent
from router.planning.subgraph_document import in_order
from router.supergraph.query_graph import ContextualArgument

PrintSelections = Callable[[Presence, Sent], list[str]]


@dataclass(frozen=True, slots=True)
class AskedOfEntities:
    """What a lookup asks of the entities at ``presence``: all it has ``owned``, and the variables of its contexts.

    ``types`` are those of its objects, where there are others in the lookup.
    """

    presence: Presence
    sent: Sent
    owned: Sequence[OwnedField]
    types: tuple[str, ...] | None
    context_variables: Mapping[ContextualArgument, str]


def by_need(asked: AskedOfEntities, print_selections: PrintSelections) -> SelectionsByNeed | None:
    """What is ``asked`` of entities by what it needs; None where all needs the same."""
    presence, entry = asked.presence, asked.presence.entry
    if entry is None or not (entry.computed or entry.contexts):
        return None
    groups = [*_computed(presence, entry, asked), *_contextual(presence, entry, asked)]
    apart = {use for group in groups for use in group.uses}
    pruner = Pruner(asked.sent)
    rest = pruner.without(presence, apart)
    selections = tuple(print_selections(rest, pruner.sent)) if _reads(rest) else ()
    if len(groups) + bool(selections) < 2:
        return None
    computed = []
    for group in groups:
        texts = tuple(print_selections(pruner.only(presence, group.uses), pruner.sent))
        owned = owned_alone(presence, group.uses, asked.types)
        computed.append(ComputedField(texts, tuple(owned), group.inputs, group.contexts))
    places = {owned.place for one in computed for owned in one.owned}
    owned_by_rest = tuple(one for one in asked.owned if not _is_within(one, places))
    return SelectionsByNeed(
        presence.node.type_name, input_fields(entry.key), selections, owned_by_rest, tuple(computed)
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Fields that need the same: ``inputs`` of the entity, and ``contexts``, by the names of their variables."""

    uses: frozenset[Use]
    inputs: tuple[InputField, ...]
    contexts: tuple[str, ...]


def _computed(presence: Presence, entry: Entry, asked: AskedOfEntities) -> Iterator[_Group]:
    """Fields that require others of the entity, with all that is below them."""
    for _, use in in_order(presence):
        if use.name in entry.computed:
            below = [_variables(one, asked) for one in (use, *_uses_below(use)) if _takes_context(one)]
            contexts = tuple(sorted({variable for variables in below for variable in variables}))
            yield _Group(frozenset({use}), input_fields(entry.computed[use.name]), contexts)


def _contextual(presence: Presence, entry: Entry, asked: AskedOfEntities) -> Iterator[_Group]:
    """Other fields that take values from around, at whatever depth: those together that take the same."""
    groups: dict[tuple[str, ...], set[Use]] = {}
    for use in _uses_of(presence, leave=entry.computed):
        if _takes_context(use):
            groups.setdefault(_variables(use, asked), set()).add(use)
    for contexts, uses in groups.items():
        yield _Group(frozenset(uses), input_fields(entry.key), contexts)


def _uses_of(presence: Presence, leave: Collection[str] = ()) -> Iterator[Use]:
    """All that is read at ``presence`` and below, but for the fields to ``leave`` there."""
    for use in presence.uses.values():
        if use.name not in leave:
            yield use
            yield from _uses_below(use)
    for cast in presence.casts.values():
        yield from _uses_of(cast)


def _uses_below(use: Use) -> Iterator[Use]:
    for below in use.children.values():
        yield from _uses_of(below)


def _takes_context(use: Use) -> bool:
    return use.edge is not None and bool(use.edge.contextual)


def _variables(use: Use, asked: AskedOfEntities) -> tuple[str, ...]:
    arguments = use.edge.contextual if use.edge is not None else ()
    return tuple(sorted(asked.context_variables[argument] for argument in arguments))


def _reads(presence: Presence) -> bool:
    """Whether any field is asked for at ``presence``."""
    return bool(presence.uses) or any(_reads(cast) for cast in presence.casts.values())


def _is_within(owned: OwnedField, places: Collection[tuple[str, ...]]) -> bool:
    return any(owned.place[: len(place)] == place for place in places)
