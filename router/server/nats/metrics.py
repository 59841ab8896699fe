"""What /metrics tells of NATS: read when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from router.server.nats.connection import NatsConnection


class NatsCollector(Collector):
    """Reads the connection that ``current`` gives; None where the settings name no server."""

    def __init__(self, current: Callable[[], NatsConnection | None]) -> None:
        self._current = current

    def collect(self) -> Iterator[Metric]:
        """Whether the server is there (of prometheus-client's Collector)."""
        connection = self._current()
        if connection is not None:
            about = "1 while NATS is connected; it is connected to when something is first shared."
            yield GaugeMetricFamily("galleria_nats_connected", about, connection.is_connected)
