"""When what a request asks for is needed: the conditions of what clients select, spread to the inputs of that.

``{ product { stock @include(if: $a) } }``: the lookup of ``stock`` is needed where ``$a`` holds, and so is the ``id``
that the lookup takes from the request before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from router.planning.conditions import simplify
from router.planning.positions import Conditions
from router.planning.presences import Presence

Alternatives = tuple[Conditions, ...]


def spread_conditions(entries: Iterable[Presence]) -> dict[Presence, Alternatives]:
    """When each of ``entries`` is needed, noted on its fields too.

    Inputs are needed when a lookup that uses them is, so the last requests come first.
    """
    alternatives: dict[Presence, Alternatives] = {}
    for entry in sorted(entries, key=lambda presence: -presence.level):
        needed = _needed_when(entry)
        alternatives[entry] = needed
        assert entry.entry is not None  # noqa: S101 - entries have one
        for provider, key in entry.entry.providers:
            provider.uses[key].conditions.update((conditions, True) for conditions in needed)
    return alternatives


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
