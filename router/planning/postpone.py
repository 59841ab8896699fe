"""Lookups that can wait for a later request to the same subgraph go with that one: fewer fetches, and no more depth.

``#1 accounts after #0`` and ``#3 accounts after #2`` become one, where nothing but the answer waits for ``#1``.
"""

from __future__ import annotations

from collections.abc import Iterable

from router.planning.presences import Presence, Slot


def postpone_lookups(entries: Iterable[Presence]) -> dict[Slot, Slot]:
    """For every slot the one that it becomes part of, most often itself."""
    needed_by: dict[Slot, int] = {}
    roots: set[Slot] = set()
    slots: dict[Slot, bool] = {}
    for presence in entries:
        slots[presence.slot] = True
        if presence.entry is None or presence.entry.jump is None:
            roots.add(presence.slot)
            continue
        for provider, _ in presence.entry.providers:
            needed_by[provider.slot] = min(presence.level, needed_by.get(provider.slot, presence.level))
    last = max((level for _, level, _, _ in slots), default=0)
    final: dict[Slot, Slot] = {}
    for subgraph, level, place, part in sorted(slots, key=lambda slot: -slot[1]):
        slot = (subgraph, level, place, part)
        before = needed_by.get(slot, last + 1)
        # Later ones are settled already; one that has moved on itself is not there to be joined.
        later = [other for other in range(level + 1, before) if _stays(final, (subgraph, other, place, part))]
        final[slot] = (subgraph, later[0], place, part) if later and slot not in roots else slot
    return final


def _stays(final: dict[Slot, Slot], slot: Slot) -> bool:
    return final.get(slot) == slot
