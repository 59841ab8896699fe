"""Collecting the fields that one concrete type answers, in the client's order (the specification's CollectFields).

Of ``{ id ... on Book { pages } ... on Film { minutes } }`` the type ``Book`` answers ``id`` and ``pages``. Conditions
on variables cannot be decided here: they stay with each occurrence, and the generated code asks them per request.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

from graphql import GraphQLSchema, is_abstract_type, is_object_type

from router.operation.authorization import NOTHING_DENIED, Denied, is_denied
from router.operation.model import Condition, Field, Selection

Conditions = tuple[Condition, ...]
Mention = tuple[Conditions, Field]


@dataclass(frozen=True, slots=True)
class ConditionalSelections:
    """Selections that count only where all ``conditions`` hold."""

    conditions: Conditions
    selections: tuple[Selection, ...]


SelectionSets = tuple[ConditionalSelections, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One mention of a field; ``selection_sets`` are those of all mentions of its response key, merged.

    ``is_first`` says that no mention of the response key stands before it, ``is_denied`` that it may not be seen.
    """

    conditions: Conditions
    field: Field
    selection_sets: SelectionSets
    is_first: bool
    is_denied: bool = False


def collect_fields(
    schema: GraphQLSchema, type_name: str, selection_sets: SelectionSets, denied: Denied = NOTHING_DENIED
) -> tuple[Occurrence, ...]:
    """The mentions of fields that apply to object type ``type_name``, in order.

    Mentions that can add nothing are left out: those behind an unconditional one of the same response key. What is
    denied in one mention and not in another is told by the latter: all mentions of it stand where the first one does,
    the denied ones last.
    """
    mentions = [
        mention
        for selected in selection_sets
        for mention in _mentions(schema, type_name, selected.conditions, selected.selections)
    ]
    hidden = {id(field) for _, field in mentions if is_denied(schema, field, type_name, denied)} if denied else set()
    if hidden:
        mentions = _denied_last(mentions, hidden)
    return tuple(_occurrences(mentions, hidden))


def _denied_last(mentions: list[Mention], hidden: Set[int]) -> list[Mention]:
    """The mentions, those of a response key that is denied in some of them only being moved to the first of them."""
    keys = [(field.response_key, id(field) in hidden) for _, field in mentions]
    moved = {key for key, is_hidden in keys if is_hidden} & {key for key, is_hidden in keys if not is_hidden}
    first: dict[str, int] = {}
    places = [first.setdefault(key, at) if key in moved else at for at, (key, _) in enumerate(keys)]
    order = sorted(range(len(mentions)), key=lambda at: (places[at], keys[at][1]))
    return [mentions[at] for at in order]


def _occurrences(mentions: list[Mention], hidden: Set[int]) -> Iterator[Occurrence]:
    merged: dict[str, list[ConditionalSelections]] = {}
    for conditions, field in mentions:
        if id(field) not in hidden:
            merged.setdefault(field.response_key, []).append(ConditionalSelections(conditions, field.selections))
    seen: dict[str, bool] = {}
    for conditions, field in mentions:
        key = field.response_key
        if seen.get(key):
            continue
        sets = merged.get(key, ())
        # A field mentioned once is only reached where its conditions hold: below it they need not be asked again.
        below = tuple(sets) if len(sets) > 1 else (ConditionalSelections((), field.selections),)
        yield Occurrence(conditions, field, below, key not in seen, id(field) in hidden)
        seen[key] = not conditions


def _mentions(
    schema: GraphQLSchema, type_name: str, conditions: Conditions, selections: tuple[Selection, ...]
) -> Iterator[Mention]:
    for selection in selections:
        needed = conditions + tuple(c for c in selection.conditions if c not in conditions)
        if isinstance(selection, Field):
            yield needed, selection
        elif applies(schema, type_name, selection.type_condition):
            yield from _mentions(schema, type_name, needed, selection.selections)


def applies(schema: GraphQLSchema, type_name: str, condition: str) -> bool:
    """Whether objects of ``type_name`` are of the type ``condition``."""
    if type_name == condition:
        return True
    concrete, abstract = schema.get_type(type_name), schema.get_type(condition)
    return is_abstract_type(abstract) and is_object_type(concrete) and schema.is_sub_type(abstract, concrete)
