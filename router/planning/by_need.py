"""What a lookup asks for, by what each field needs: so that a field whose inputs fail costs no other.

``... on Product { name shipping }`` where ``shipping`` requires ``weight``: ``name`` needs the key alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from router.planning.presences import Entry, Presence, Use
from router.planning.query_plan import ComputedField, OwnedField, SelectionsByNeed
from router.planning.reach import TYPENAME
from router.planning.representations import input_fields
from router.planning.subgraph_document import in_order

_VARIABLE = re.compile(r"\$(\w+)")

PrintField = Callable[[Presence, str, Use], list[str]]


def by_need(
    presence: Presence,
    selections: Sequence[str],
    owned: Sequence[OwnedField],
    print_field: PrintField,
    contexts: Iterable[str],
) -> SelectionsByNeed | None:
    """``selections`` of the entities at ``presence`` by what they need; None where all need the same.

    ``contexts`` are the variables of contextual arguments. What takes them inside a fragment stays with all the rest.
    """
    entry = presence.entry
    if entry is None or not (entry.computed or entry.contexts):
        return None
    variables = frozenset(contexts)
    printed = {key: tuple(print_field(presence, key, use)) for key, use in in_order(presence)}
    computed = {
        key: _computed(entry, presence.uses[key], texts, _owned_at(owned, key), variables)
        for key, texts in printed.items()
        if presence.uses[key].name in entry.computed or _used(texts) & variables
    }
    dependent = {text for key in computed for text in printed[key]}
    rest = tuple(text for text in selections if text not in dependent)
    if rest == (TYPENAME,) and TYPENAME not in presence.uses:
        rest = ()
    if _used(rest) & variables or len(computed) + bool(rest) < 2:
        return None
    return SelectionsByNeed(
        presence.node.type_name,
        input_fields(entry.key),
        rest,
        tuple(one for one in owned if _first_key(one) not in computed),
        tuple(computed.values()),
    )


def _computed(
    entry: Entry, use: Use, texts: tuple[str, ...], owned: tuple[OwnedField, ...], variables: frozenset[str]
) -> ComputedField:
    inputs = input_fields(entry.computed.get(use.name, entry.key))
    return ComputedField(texts, owned, inputs, tuple(sorted(_used(texts) & variables)))


def _used(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in _VARIABLE.findall(text)}


def _owned_at(owned: Iterable[OwnedField], key: str) -> tuple[OwnedField, ...]:
    return tuple(one for one in owned if _first_key(one) == key)


def _first_key(owned: OwnedField) -> str:
    return owned.path[0].response_key if owned.path else owned.response_key
