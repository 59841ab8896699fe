"""One ``_entities`` field of a fetch, as the cache reads it."""

from __future__ import annotations

from dataclasses import dataclass

from router.server.caching.selected import Selected


@dataclass(frozen=True, slots=True)
class EntityField:
    """``alias`` in the answer, ``variable`` of its representations.

    ``identity`` stands for what an entity's answer depends on beside representation and ``variables``: subgraph,
    selection and definitions.
    """

    alias: str
    variable: str
    variables: tuple[str, ...]
    identity: bytes
    selected: Selected
