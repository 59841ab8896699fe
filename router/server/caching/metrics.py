"""What /metrics tells of the entity cache: read when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from router.server.caching.client import CachingClient
from router.server.caching.events import CacheEvents


class EntityCacheCollector(Collector):
    """Reads the cache that ``current`` gives, None where there is none, and the ``events`` that drop from it."""

    def __init__(self, current: Callable[[], CachingClient | None], events: CacheEvents) -> None:
        self._current = current
        self._events = events

    def collect(self) -> Iterator[Metric]:
        """Outcomes by subgraph and type, whose names come from the supergraph, and what is kept."""
        cache = self._current()
        if cache is None:
            return
        about = "Entities and root fetches looked for, by outcome: hit, stale, miss."
        found = CounterMetricFamily("galleria_entity_cache", about, labels=["subgraph", "type", "outcome"])
        for labels, count in cache.counts.items():
            found.add_metric(labels, count)
        yield found
        size = cache.store.size
        yield GaugeMetricFamily("galleria_entity_cache_entries", "Entries in this process.", size.entries)
        yield GaugeMetricFamily("galleria_entity_cache_bytes", "Memory that they take.", size.size_bytes)
        yield CounterMetricFamily("galleria_entity_cache_failures", "Times that the server failed.", size.failures)
        yield GaugeMetricFamily("galleria_entity_cache_reachable", "0 while the server fails.", size.is_reachable)
        yield CounterMetricFamily("galleria_entity_cache_drops", "Times that something was dropped.", cache.drops)
        if self._events.feeds:
            about = "1 while the events that drop entries are followed."
            yield GaugeMetricFamily("galleria_entity_cache_events_followed", about, self._events.are_followed)
