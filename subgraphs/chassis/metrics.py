"""What a service counts, in a registry of its own: ``/metrics`` prints it in Prometheus' text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent


class Metrics:
    """Counters of one service; label values are few and fixed (event types, command names)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "galleria_requests_seconds", "GraphQL requests by HTTP status", ["status"], registry=self.registry
        )
        self._events = Counter("galleria_events", "Events by type and fate", ["type", "fate"], registry=self.registry)
        self._relay_lag = Gauge(
            "galleria_relay_lag_seconds", "Age of the last event when it was published", registry=self.registry
        )
        self.mongodb = MongoMetrics(self.registry)

    def requested(self, status: int, seconds: float) -> None:
        """A GraphQL request was answered with HTTP ``status``."""
        self._requests.labels(str(status)).observe(seconds)

    def published(self, type_: str, lag_s: float) -> None:
        """An event reached the bus ``lag_s`` after it happened."""
        self._events.labels(type_, "published").inc()
        self._relay_lag.set(lag_s)

    def consumed(self, type_: str, fate: str) -> None:
        """An event was handled: ``fate`` is ``consumed``, ``retried`` or ``dead``."""
        self._events.labels(type_, fate).inc()

    def render(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)


class MongoMetrics(CommandListener):
    """Durations of database commands by name; called from the driver's threads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._commands = Histogram(
            "galleria_mongodb_seconds", "Database commands", ["command", "outcome"], registry=registry
        )

    def started(self, event: CommandStartedEvent) -> None:
        """Nothing to count yet."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Count a command that was answered."""
        self._commands.labels(event.command_name, "ok").observe(event.duration_micros / 1e6)

    def failed(self, event: CommandFailedEvent) -> None:
        """Count a command that failed."""
        self._commands.labels(event.command_name, "failed").observe(event.duration_micros / 1e6)
