"""Parts of what a request reads: presences with some of their fields alone, or without some, to be printed apart.

``accounts { id limit(tier: $context_0) }`` is ``accounts { id }`` without the fields that take a context, and
``accounts { limit(tier: $context_0) }`` with these alone. The copies are printed under the names of the whole.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from router.planning.presences import Presence, Use
from router.planning.reach import TYPENAME
from router.planning.shapes import Sent

# What is asked for where nothing else is left of an object; no name that a subgraph's types are known by.
_LEFT = "_typename"


class Pruner:
    """Makes copies of presences; ``sent`` has the names of the originals, and then those of the copies."""

    def __init__(self, sent: Sent) -> None:
        self.sent = Sent(dict(sent.names))

    def without(self, presence: Presence, uses: Collection[Use]) -> Presence:
        """``presence`` without ``uses``, at any depth; of an object that has no others, whether it is there."""
        kept: dict[str, Use] = {}
        for key, use in presence.uses.items():
            if use not in uses:
                children = {position: self.without(below, uses) for position, below in use.children.items()}
                kept[key] = replace(use, children=children)
        casts = {name: self.without(cast, uses) for name, cast in presence.casts.items()}
        is_empty = not kept and not any(cast.uses for cast in casts.values())
        if is_empty and (presence.uses or casts) and not presence.position.is_cast and presence.above is not None:
            kept[presence.position.place.free_key((_LEFT, ""))] = Use(TYPENAME, (), None)
        return self._copy(presence, kept, casts)

    def only(self, presence: Presence, uses: Collection[Use]) -> Presence:
        """``presence`` with those of ``uses`` alone that are read there or below."""
        kept: dict[str, Use] = {}
        for key, use in presence.uses.items():
            if use in uses:
                kept[key] = use
                continue
            children = {position: self.only(below, uses) for position, below in use.children.items()}
            if any(below.uses or below.casts for below in children.values()):
                kept[key] = replace(use, children=children)
        casts = {name: self.only(cast, uses) for name, cast in presence.casts.items()}
        casts = {name: cast for name, cast in casts.items() if cast.uses or cast.casts}
        return self._copy(presence, kept, casts)

    def _copy(self, presence: Presence, uses: dict[str, Use], casts: dict[str, Presence]) -> Presence:
        copy = replace(presence, uses=uses, casts=casts)
        for key in uses:
            if (presence, key) in self.sent.names:
                self.sent.names[copy, key] = self.sent.names[presence, key]
        return copy
