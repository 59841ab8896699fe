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
    denied in one mention and not in another is told by the latter: there the denied mention comes last.
    """
    mentions = [
        mention
        for selected in selection_sets
        for mention in _mentions(schema, type_name, selected.conditions, selected.selections)
    ]
    hidden = {id(field) for _, field in mentions if is_denied(schema, field, type_name, denied)} if denied else set()
    if hidden:
        shown = {field.response_key for _, field in mentions if id(field) not in hidden}
        mentions.sort(key=lambda mention: id(mention[1]) in hidden and mention[1].response_key in shown)
    return tuple(_occurrences(mentions, hidden))


def _occurrences(mentions: list[tuple[Conditions, Field]], hidden: Set[int]) -> Iterator[Occurrence]:
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
) -> Iterator[tuple[Conditions, Field]]:
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
