"""The consumer runner: fetches events, calls handlers, acknowledges after the handler's own write.

A handler that raises is called again after growing pauses; after :attr:`RetryPolicy.attempts` the event becomes a
dead letter with the reason. An outage of the database is not the event's fault: it is retried without end, and the
tries that it took count for nothing afterwards. Handlers run side by side across aggregates and in order within one
(the event's subject), so they must bear any order between different aggregates.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from subgraphs.chassis.cancellation import leave_if_cancelled
from subgraphs.chassis.database.mongodb import is_outage
from subgraphs.chassis.errors import InvalidEvent, RetryLater, Unavailable
from subgraphs.chassis.events.bus import Bus, Delivery
from subgraphs.chassis.events.event import Event, decode_event
from subgraphs.chassis.observation.metrics import Metrics
from subgraphs.chassis.observation.tracing import IdTracer, Span, Tracer, parse_traceparent

BATCH = 32
FETCH_WAIT_S = 5.0
STOP_LIMIT_S = 4.0
REMEMBERED_FAILURES = 10_000
LOG = structlog.get_logger()

EventHandler = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, in each replica, and how soon a failed event comes again: after ``first_pause_s``, then ``factor``
    times longer each time.
    """

    attempts: int = 20
    first_pause_s: float = 0.1
    factor: float = 2.0
    longest_pause_s: float = 60.0

    def pause_s(self, attempt: int) -> float:
        """The pause after the ``attempt``-th failure (1 is the first)."""
        return min(self.longest_pause_s, self.first_pause_s * self.factor ** min(attempt - 1, 32))


class Consumer:
    """One durable consumer of the bus: ``handlers`` by event type."""

    def __init__(
        self,
        name: str,
        handlers: Mapping[str, EventHandler],
        metrics: Metrics,
        policy: RetryPolicy | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._name = name
        self._handlers = dict(handlers)
        self._metrics = metrics
        self._policy = policy or RetryPolicy()
        self._tracer = tracer or IdTracer()
        # By position in the stream. The bus counts deliveries, also those that came to nothing through no fault of the
        # event: those of an outage, and those of a replica that died.
        self._failures: dict[int, int] = {}

    async def run(self, bus: Bus) -> None:
        """Handle events until cancelled; what is being handled at that moment may finish, up to a limit."""
        subscription = await bus.subscribe(self._name, sorted(self._handlers))
        try:
            while True:
                leave_if_cancelled()
                deliveries = await subscription.fetch(BATCH, FETCH_WAIT_S)
                await _finish(self.handle_all(bus, deliveries))
        finally:
            await subscription.leave()

    async def handle_all(self, bus: Bus, deliveries: Sequence[Delivery]) -> None:
        """Handle ``deliveries``: aggregates side by side, the events of one aggregate in order."""
        groups: dict[str, list[tuple[Delivery, Event]]] = defaultdict(list)
        for delivery in deliveries:
            try:
                event = decode_event(delivery.body)
            except InvalidEvent as error:
                await self._bury(bus, delivery, str(error))
            else:
                groups[event.subject].append((delivery, event))
        await asyncio.gather(*(self._handle_in_order(bus, group) for group in groups.values()))

    async def _handle_in_order(self, bus: Bus, group: Sequence[tuple[Delivery, Event]]) -> None:
        for delivery, event in group:
            parent = parse_traceparent(event.traceparent)
            trace = {"trace": parent.trace_id} if parent else {}
            named = {"event_id": event.id, "event_type": event.type, "subject": event.subject, **trace}
            with structlog.contextvars.bound_contextvars(**named):
                await self._handle(bus, delivery, event, parent)

    async def _handle(self, bus: Bus, delivery: Delivery, event: Event, parent: Span | None) -> None:
        attributes = {"messaging.system": "nats", "messaging.message.id": event.id}
        try:
            with self._tracer.span(f"handle {event.type}", "consumer", parent, attributes):
                await self._handlers[event.type](event)
                LOG.debug("event_handled", attempt=delivery.attempt)
        except InvalidEvent as error:
            await self._bury(bus, delivery, str(error))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the event must not be lost
            await self._fail(bus, delivery, error)
        else:
            self._failures.pop(delivery.position, None)
            await delivery.acknowledge()
            self._metrics.consumed(delivery.type, "consumed")

    async def _fail(self, bus: Bus, delivery: Delivery, error: Exception) -> None:
        outage = isinstance(error, Unavailable) or is_outage(error)
        reason = f"{type(error).__name__}: {error}"
        failures = 0 if outage else self._count_failure(delivery)
        if failures >= self._policy.attempts:
            await self._bury(bus, delivery, reason)
            return
        expected = outage or isinstance(error, RetryLater)
        LOG.warning("event_retried", attempt=delivery.attempt, reason=reason, exc_info=None if expected else error)
        await delivery.retry(self._policy.pause_s(failures or delivery.attempt))
        self._metrics.consumed(delivery.type, "retried")

    def _count_failure(self, delivery: Delivery) -> int:
        """How often the event of ``delivery`` has failed in this replica, this time included."""
        failures = self._failures.pop(delivery.position, 0) + 1
        self._failures[delivery.position] = failures
        while len(self._failures) > REMEMBERED_FAILURES:
            self._failures.pop(next(iter(self._failures)))  # the one that failed longest ago
        return failures

    async def _bury(self, bus: Bus, delivery: Delivery, reason: str) -> None:
        self._failures.pop(delivery.position, None)
        LOG.error("event_buried", type=delivery.type, attempt=delivery.attempt, reason=reason)
        await bus.bury(self._name, delivery, reason)
        await delivery.acknowledge()
        self._metrics.consumed(delivery.type, "dead")


async def _finish(work: Awaitable[None]) -> None:
    """Await ``work``; a cancellation waits for it too, up to a limit, before it goes on."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=STOP_LIMIT_S)
        task.cancel()
        raise
