"""Events of a NATS JetStream stream that drop what they tell of: each replica hears each of them.

Theory of operation. A consumer without a name follows the stream from the position behind the last event that was
handled, so that nothing is missed while the connection is away. Where that position is not known (at the start), is not
in the stream any more, or is one of an earlier stream of the name, all entities of the types concerned are dropped
first: any of them may have changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from router.execution.json_numbers import decode_exact
from router.server.caching.client import CachingClient
from router.server.caching.selectors import entity_tags, type_tags
from router.server.config.entity_cache import EventSettings
from router.server.nats.connection import NatsConnection, NatsUnavailable
from router.server.request_error import RequestError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

logger = logging.getLogger("galleria.router")

RETRY_AFTER_S = 1.0
HEARTBEAT_S = 2.0
_MISSING = object()


@dataclass(slots=True)
class EventFeed:
    """Follows ``events``, which are all of one ``stream``, and drops from the cache that is ``current``.

    ``next_position`` is the first that was not handled yet of the stream that was ``created`` then; None while that is
    not known. A stream that was deleted and made again counts anew, and may be past the position of the earlier one.
    """

    stream: str
    events: Sequence[EventSettings]
    connection: NatsConnection
    current: Callable[[], CachingClient | None]
    next_position: int | None = None
    created: datetime | None = None
    is_following: bool = False
    _is_told: bool = False

    async def run(self) -> None:
        """Follow until cancelled, and begin anew after each failure."""
        import nats.errors

        while True:
            try:
                await self._follow(await self.connection.client())
            except (NatsUnavailable, nats.errors.Error, OSError, TimeoutError) as error:
                if _is_cancelled():
                    return
                if not self._is_told:
                    self._is_told = True
                    logger.error("events of the stream '%s' are not followed: %s", self.stream, error)
            finally:
                self.is_following = False
            await asyncio.sleep(RETRY_AFTER_S)

    async def _follow(self, client: Client) -> None:
        position = await self._position(client)
        subscription = await client.subscribe(client.new_inbox())
        try:
            await self._consume(client, subscription, position)
            self.is_following = True
            if self._is_told:
                self._is_told = False
                logger.info("events of the stream '%s' are followed again", self.stream)
            handled = 0
            while True:
                # Heartbeats come more often: without one the consumer is gone.
                message = await subscription.next_msg(timeout=3 * HEARTBEAT_S)
                if message.headers is not None and "Status" in message.headers:
                    continue
                sequence = message.metadata.sequence
                if sequence.consumer != handled + 1:
                    return
                await self._handle(message)
                handled, self.next_position = sequence.consumer, sequence.stream + 1
        finally:
            await subscription.unsubscribe()

    async def _position(self, client: Client) -> int:
        """Where to begin. What may have changed unseen is dropped, after the position is known: none falls between."""
        info = await client.jetstream().stream_info(self.stream)
        state, position = info.state, self.next_position
        is_same = info.created == self.created
        if position is None or not is_same or not state.first_seq <= position <= state.last_seq + 1:
            position = state.last_seq + 1
            for event in self.events:
                await self._drop_type(event)
            self.next_position, self.created = position, info.created
        return position

    async def _consume(self, client: Client, subscription: Subscription, position: int) -> None:
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

        config = ConsumerConfig(
            deliver_subject=subscription.subject,
            filter_subjects=list(dict.fromkeys(event.subject for event in self.events)),
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=position,
            ack_policy=AckPolicy.NONE,
            idle_heartbeat=HEARTBEAT_S,
            mem_storage=True,
            inactive_threshold=30,
        )
        await client.jetstream().add_consumer(self.stream, config)

    async def _handle(self, message: Msg) -> None:
        for event in self.events:
            if is_subject(message.subject, event.subject):
                found = value_at(event.pointer, message.data)
                if type(found) in (str, int, float):
                    await self._drop_entity(event, found)
                else:
                    logger.warning("an event of '%s' has no '%s': all of its type go", message.subject, event.pointer)
                    await self._drop_type(event)

    async def _drop_entity(self, event: EventSettings, value: Any) -> None:
        cache = self.current()
        if cache is not None:
            try:
                tags = entity_tags(event.type, event.key, value, cache.facts)
            except RequestError:  # the supergraph has changed, and does not know it any more
                return
            await cache.drop(tags)

    async def _drop_type(self, event: EventSettings) -> None:
        cache = self.current()
        if cache is not None:
            try:
                tags = type_tags(event.type, cache.facts)
            except RequestError:  # as above
                return
            await cache.drop(tags)


class CacheEvents:
    """The ``feeds`` that the settings want, one for each stream, exchanged when they change."""

    def __init__(self, current: Callable[[], CachingClient | None]) -> None:
        self.feeds: list[EventFeed] = []
        self._current = current
        self._followed: tuple[Sequence[EventSettings], NatsConnection | None] = ((), None)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def are_followed(self) -> bool:
        """Whether all of them are, at this moment."""
        return all(feed.is_following for feed in self.feeds)

    def follow(self, events: Sequence[EventSettings], connection: NatsConnection | None) -> None:
        """Follow ``events`` from now on, in the running event loop."""
        if (events, connection) == self._followed:
            return
        self.close()
        self._followed = events, connection
        if connection is None:
            return
        loop = asyncio.get_running_loop()
        for stream in dict.fromkeys(event.stream for event in events):
            of_stream = [event for event in events if event.stream == stream]
            self.feeds.append(EventFeed(stream, of_stream, connection, self._current))
        self._tasks = [loop.create_task(feed.run()) for feed in self.feeds]

    def close(self) -> None:
        """Follow nothing any more."""
        for task in self._tasks:
            task.cancel()
        self._followed = (), None
        self.feeds, self._tasks = [], []


def _is_cancelled() -> bool:
    """Whether the running task is; a wait of nats-py that is cancelled says that its connection is closed instead."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def is_subject(subject: str, pattern: str) -> bool:
    """Whether a NATS subject is one of ``pattern``, where ``*`` stands for one word and ``>`` for all that follow."""
    words, wanted = subject.split("."), pattern.split(".")
    if wanted[-1] == ">" and len(words) >= len(wanted):
        words, wanted = words[: len(wanted) - 1], wanted[:-1]
    return len(words) == len(wanted) and all(one in ("*", word) for word, one in zip(words, wanted, strict=True))


def value_at(pointer: str, body: bytes) -> Any:
    """The value in a JSON body that a JSON pointer (RFC 6901) leads to; ``_MISSING`` where it leads nowhere."""
    try:
        value = decode_exact(body)
    except ValueError:
        return _MISSING
    for step in _steps(pointer):
        if type(value) is dict and step in value:
            value = value[step]
        elif type(value) is list and step.isascii() and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _MISSING
    return value


def _steps(pointer: str) -> Sequence[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
