"""What parts of fetches have in common that are of one type, and stand in one field of one document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router.server.caching.entity_field import EntityField
from router.server.caching.selected import Hint

HIT, STALE, MISS = "hit", "stale", "miss"
# In place of a type's name that the supergraph does not have: a subgraph must not choose the metrics' labels.
OTHER = "other"

Labels = tuple[str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Entities of a type in ``field``, or the whole data of root fetches (``field`` None), and their lifetime.

    ``labels`` are those of the metrics, by outcome.
    """

    field: EntityField | None
    hint: Hint
    labels: Mapping[str, Labels]


def labels_of(subgraph: str, type_name: str) -> Mapping[str, Labels]:
    """The labels of each outcome."""
    return {outcome: (subgraph, type_name, outcome) for outcome in (HIT, STALE, MISS)}
