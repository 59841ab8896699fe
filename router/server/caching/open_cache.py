"""The entity cache as the settings want it, around the way to the subgraphs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec

from router.errors import InputError
from router.execution.subgraph_client import SubgraphClient
from router.nearest import nearest
from router.server.caching.asked_before import AskedBefore
from router.server.caching.client import CachingClient
from router.server.caching.entry import EntryStore
from router.server.caching.lifetime import configured_hints
from router.server.caching.memory_store import MemoryStore
from router.server.caching.selected import GraphFacts, graph_facts
from router.server.config import INVALID_CONFIG, RouterConfig
from router.server.config.entity_cache import EntityCacheSettings, InvalidationSettings
from router.supergraph.model import Supergraph


@dataclass(frozen=True, slots=True)
class EntityCacheInput:
    """What the cache is made from: the ``settings``, without what drops entries, and what the supergraph says."""

    settings: EntityCacheSettings
    facts: GraphFacts


def entity_cache_input(config: RouterConfig, supergraph: Supergraph) -> EntityCacheInput | None:
    """What ``open_cache`` needs; None where the settings want no cache. InputError as check_entity_cache."""
    settings = config.entity_cache
    if not settings.enabled:
        return None
    kept = settings.model_copy(update={"invalidation": InvalidationSettings(), "events": ()})
    facts = graph_facts(supergraph.graph, configured_hints(supergraph.cache_hints, settings))
    check_entity_cache(config, facts)
    return EntityCacheInput(kept, facts)


def check_entity_cache(config: RouterConfig, facts: GraphFacts) -> None:
    """Refuse settings of what the supergraph, or this installation, does not have. InputError: INVALID_CONFIG."""
    settings = config.entity_cache
    if settings.valkey.url is not None and find_spec("valkey") is None:
        missing = "entries in Valkey need the extra galleria[valkey]; it is not installed."
        raise InputError(INVALID_CONFIG, f"entity_cache.valkey.url: {missing}")
    merged = facts.graph.merged
    for coordinate in settings.lifetimes:
        type_name, _, field = coordinate.partition(".")
        if type_name not in merged:
            raise _unknown(f"lifetimes.{coordinate}", "type", type_name, merged)
        if field and field not in merged[type_name].fields:
            raise _unknown(f"lifetimes.{coordinate}", "field", field, merged[type_name].fields)
    if settings.events and config.nats.url is None:
        raise InputError(INVALID_CONFIG, "entity_cache.events: they come from the server in nats.url, so set that.")
    for number, event in enumerate(settings.events):
        if event.type not in merged:
            raise _unknown(f"events[{number}].type", "type", event.type, merged)
        known = {key for name in facts.related(event.type) for key in facts.key_fields.get(name, ())}
        if event.key not in known:
            raise _unknown(f"events[{number}].key", f"key field of '{event.type}'", event.key, known)


def _unknown(setting: str, kind: str, name: str, known: Iterable[str]) -> InputError:
    return InputError(INVALID_CONFIG, f"entity_cache.{setting}: there is no {kind} '{name}'{nearest(name, known, '.')}")


def open_cache(inner: SubgraphClient, made_from: EntityCacheInput, previous: CachingClient | None) -> CachingClient:
    """A cache around ``inner``; what the ``previous`` one has kept is kept on where the bounds are the same."""
    settings = made_from.settings
    store, before = _store(settings), asked_before_of(settings)
    if previous is not None and _bounds(previous.settings) == _bounds(settings):
        store, before = previous.store, before and (previous.asked_before or before)
    return CachingClient(inner, store, made_from.facts, settings, asked_before=before)


def asked_before_of(settings: EntityCacheSettings) -> AskedBefore | None:
    """What tells which keys were asked for before; None where all are kept at once."""
    return AskedBefore(settings.max_entries) if settings.admit == "second" else None


def _bounds(settings: EntityCacheSettings) -> object:
    return settings.max_bytes, settings.max_entries, settings.valkey, settings.max_ttl_s, settings.max_stale_s


def _store(settings: EntityCacheSettings) -> EntryStore:
    if settings.valkey.url is not None:
        # Here, because few routers have one.
        from router.server.caching.valkey_store import ValkeyStore

        return ValkeyStore(settings.valkey, settings.max_ttl_s + settings.max_stale_s)
    return MemoryStore(settings.max_bytes, settings.max_entries)
