"""The entity cache as the settings want it, around the way to the subgraphs."""

from __future__ import annotations

from dataclasses import dataclass

from router.execution.subgraph_client import SubgraphClient
from router.server.caching.client import CachingClient
from router.server.caching.entry import EntryStore
from router.server.caching.lifetime import configured_hints
from router.server.caching.memory_store import MemoryStore
from router.server.caching.selected import GraphFacts, graph_facts
from router.server.config.entity_cache import EntityCacheSettings
from router.supergraph.model import Supergraph


@dataclass(frozen=True, slots=True)
class EntityCacheInput:
    """What the cache is made from: the ``settings``, and what the supergraph says."""

    settings: EntityCacheSettings
    facts: GraphFacts


def entity_cache_input(settings: EntityCacheSettings, supergraph: Supergraph) -> EntityCacheInput | None:
    """What ``open_cache`` needs; None where the settings want no cache."""
    if not settings.enabled:
        return None
    return EntityCacheInput(settings, graph_facts(supergraph.graph, configured_hints(supergraph.cache_hints, settings)))


def open_cache(inner: SubgraphClient, made_from: EntityCacheInput, previous: CachingClient | None) -> CachingClient:
    """A cache around ``inner``; what the ``previous`` one has kept is kept on where the bounds are the same."""
    settings = made_from.settings
    store = previous.store if previous is not None and _bounds(previous.settings) == _bounds(settings) else None
    return CachingClient(inner, store or _store(settings), made_from.facts, settings)


def _bounds(settings: EntityCacheSettings) -> object:
    return settings.max_bytes, settings.max_entries


def _store(settings: EntityCacheSettings) -> EntryStore:
    return MemoryStore(settings.max_bytes, settings.max_entries)
