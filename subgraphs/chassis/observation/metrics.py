"""What a service counts, in a registry of its own: ``/metrics`` prints it in Prometheus' text format."""

from __future__ import annotations

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

LOG = structlog.get_logger()


class Metrics:
    """Counters of one service; label values are few and fixed (event types, command names)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "galleria_requests_seconds", "GraphQL requests by HTTP status", ["status"], registry=self.registry
        )
        self._events = Counter("galleria_events", "Events by type and fate", ["type", "fate"], registry=self.registry)
        self._errors = Counter("galleria_errors", "GraphQL errors by code", ["code"], registry=self.registry)
        self._resolvers = Histogram(
            "galleria_resolvers_seconds", "Resolvers that may wait, by field", ["field"], registry=self.registry
        )
        self._publishing = Histogram(
            "galleria_publish_seconds", "From an event's time until the bus has it", registry=self.registry
        )
        self._relay_lag = Gauge(
            "galleria_relay_lag_seconds", "Age of the oldest event that the bus does not have", registry=self.registry
        )
        self._watching = Gauge("galleria_subscriptions", "Subscriptions that are open", registry=self.registry)
        self.mongodb = MongoMetrics(self.registry)

    def requested(self, status: int, seconds: float) -> None:
        """A GraphQL request was answered with HTTP ``status``."""
        self._requests.labels(str(status)).observe(seconds)

    def failed(self, code: str) -> None:
        """A GraphQL error with ``code`` was answered."""
        self._errors.labels(code).inc()

    def resolved(self, field: str, seconds: float) -> None:
        """``field``, such as ``Order.payment``, was resolved."""
        self._resolvers.labels(field).observe(seconds)

    def published(self, type_: str, lag_s: float) -> None:
        """An event reached the bus ``lag_s`` after it happened."""
        self._events.labels(type_, "published").inc()
        self._publishing.observe(lag_s)

    def watching(self, count: int) -> None:
        """So many subscriptions are open."""
        self._watching.set(count)

    def relay_lags(self, seconds: float) -> None:
        """The oldest event in an outbox is of ``seconds`` ago; 0 where there is none."""
        self._relay_lag.set(seconds)

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
        """Count a command that failed, and log it: the driver carries the request's ids into its threads."""
        LOG.debug("mongodb_failed", command=event.command_name, ms=event.duration_micros / 1000)
        self._commands.labels(event.command_name, "failed").observe(event.duration_micros / 1e6)
