"""What /metrics tells of rate limits: read when asked. Rules are named by the settings; keys are never told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from router.server.rate_limits.limiter import RateLimiter


class RateLimitCollector(Collector):
    """Reads the limiter that ``current`` gives; None where there are no rules."""

    def __init__(self, current: Callable[[], RateLimiter | None]) -> None:
        self._current = current

    def collect(self) -> Iterator[Metric]:
        """The families of now (of prometheus-client's Collector)."""
        limiter = self._current()
        if limiter is None:
            return
        refused = CounterMetricFamily("galleria_rate_limited", "Operations refused by a rule.", labels=["rule"])
        keys = GaugeMetricFamily("galleria_rate_limit_keys", "Keys that are counted.", labels=["rule"])
        for rule in limiter.rules:
            refused.add_metric([rule.settings.name], limiter.refusals[rule.settings.name])
            keys.add_metric([rule.settings.name], len(rule.counts))
        yield from (refused, keys)
        if limiter.sharing is not None:
            about = "Other replicas whose counts are heard; without NATS each counts for itself."
            heard = {name for rule in limiter.rules for name in rule.counts.replicas()}
            yield GaugeMetricFamily("galleria_rate_limit_replicas", about, len(heard))
