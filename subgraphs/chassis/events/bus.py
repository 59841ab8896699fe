"""The bus that carries events: a Protocol, and one in memory with the same promises as NATS JetStream.

Publishing is durable when it returns, and idempotent by the event's id. A consumer is durable: it has a name, sees
every event of its types from the beginning, and sees one again until it acknowledges it. What cannot be handled is
buried as a dead letter, with the reason, and can be revived for that consumer alone. The stream keeps what it carried,
so anyone may replay it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from subgraphs.chassis.clock import Clock, utc_now
from subgraphs.chassis.events.event import Event, encode_event


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one consumer; ``attempt`` is 1 the first time.

    ``position`` is where it lies in the stream: the same at each attempt, and another one for a revived dead letter.
    """

    type: str
    body: bytes
    position: int
    attempt: int
    acknowledge: Callable[[], Awaitable[None]]
    retry: Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that ``consumer`` could not handle, and why."""

    sequence: int
    consumer: str
    type: str
    reason: str
    buried_at: datetime
    body: bytes


class Subscription(Protocol):
    """A consumer's end of the bus."""

    async def fetch(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        """Up to ``limit`` deliveries; waits up to ``wait_s`` for the first, and returns none if there is none."""

    async def leave(self) -> None:
        """Take no more, and give back what came and was not fetched, so that another replica gets it at once."""


class Bus(Protocol):
    """Where events go and come from."""

    async def publish(self, event: Event) -> None:
        """Store ``event`` durably; the same id twice is stored once."""

    async def subscribe(self, consumer: str, types: Collection[str]) -> Subscription:
        """The durable consumer of that name, for events of ``types``."""

    def replay(self, types: Collection[str], after: int = 0) -> AsyncIterator[tuple[int, Event]]:
        """Events of ``types`` with their positions, in order: from behind position ``after`` to the end that the stream
        has when this begins. Leaves consumers as they are; leaves out what is no event. Raises Unavailable.
        """

    async def bury(self, consumer: str, delivery: Delivery, reason: str) -> None:
        """Keep ``delivery`` as a dead letter of ``consumer``; the caller acknowledges it afterwards.

        A delivery that comes again, because the consumer died in between, is kept once.
        """

    async def dead_letters(self) -> Sequence[DeadLetter]:
        """All dead letters, oldest first."""

    async def revive(self, letter: DeadLetter) -> None:
        """Deliver ``letter`` once more to its consumer, and to no other, and take it from the dead letters."""

    async def announce(self, topic: str, notice: str) -> None:
        """Tell ``notice`` to everyone who listens to ``topic`` at this moment; it is kept for nobody."""

    async def listen(self, topic: str, hear: Callable[[str], None]) -> None:
        """Call ``hear`` with every notice of ``topic`` from now on, until the bus is closed."""


@dataclass(slots=True)
class _Queue:
    types: frozenset[str]
    waiting: deque[tuple[str, bytes, int, int]] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, type_: str, body: bytes, position: int, attempt: int = 1) -> None:
        self.waiting.append((type_, body, position, attempt))
        self.arrived.set()

    async def fetch(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        if not self.waiting:
            await self._await_arrival(wait_s)
        taken = [self.waiting.popleft() for _ in range(min(limit, len(self.waiting)))]
        return [self._delivery(*entry) for entry in taken]

    async def leave(self) -> None:
        """See :class:`Subscription`; what waits is no one's yet."""

    async def _await_arrival(self, wait_s: float) -> None:
        self.arrived.clear()
        try:
            await asyncio.wait_for(self.arrived.wait(), wait_s)
        except TimeoutError:
            return

    def _delivery(self, type_: str, body: bytes, position: int, attempt: int) -> Delivery:
        async def acknowledge() -> None:
            return None

        async def retry(after_s: float) -> None:
            asyncio.get_running_loop().call_later(after_s, self.put, type_, body, position, attempt + 1)

        return Delivery(type_, body, position, attempt, acknowledge, retry)


class MemoryBus:
    """A bus inside one process, for tests and experiments; :attr:`published` is everything it took, in order."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self.published: list[Event] = []
        self._clock = clock
        self._queues: dict[str, _Queue] = {}
        self._dead: dict[int, DeadLetter] = {}
        self._sequence = itertools.count(1)
        self._buried: set[tuple[str, int]] = set()
        self._revived = itertools.count(-1, -1)  # positions beside those of the stream
        self._listeners: list[tuple[str, Callable[[str], None]]] = []

    async def publish(self, event: Event) -> None:
        """See :class:`Bus`."""
        if any(event.id == earlier.id for earlier in self.published):
            return
        self.published.append(event)
        for queue in self._queues.values():
            if event.type in queue.types:
                queue.put(event.type, encode_event(event), len(self.published))

    async def subscribe(self, consumer: str, types: Collection[str]) -> Subscription:
        """See :class:`Bus`."""
        known = self._queues.get(consumer)
        if known is not None:
            return known
        queue = self._queues[consumer] = _Queue(frozenset(types))
        for position, event in enumerate(self.published, start=1):
            if event.type in queue.types:
                queue.put(event.type, encode_event(event), position)
        return queue

    async def replay(self, types: Collection[str], after: int = 0) -> AsyncIterator[tuple[int, Event]]:
        """See :class:`Bus`."""
        for position, event in enumerate(tuple(self.published), start=1):
            if position > after and event.type in types:
                yield position, event

    async def bury(self, consumer: str, delivery: Delivery, reason: str) -> None:
        """See :class:`Bus`."""
        if (consumer, delivery.position) in self._buried:
            return
        self._buried.add((consumer, delivery.position))
        letter = DeadLetter(next(self._sequence), consumer, delivery.type, reason, self._clock(), delivery.body)
        self._dead[letter.sequence] = letter

    async def dead_letters(self) -> Sequence[DeadLetter]:
        """See :class:`Bus`."""
        return [replace(letter) for letter in self._dead.values()]

    async def revive(self, letter: DeadLetter) -> None:
        """See :class:`Bus`."""
        if self._dead.pop(letter.sequence, None) is not None:
            self._queues[letter.consumer].put(letter.type, letter.body, next(self._revived))

    async def announce(self, topic: str, notice: str) -> None:
        """See :class:`Bus`."""
        for listened, hear in self._listeners:
            if listened == topic:
                hear(notice)

    async def listen(self, topic: str, hear: Callable[[str], None]) -> None:
        """See :class:`Bus`."""
        self._listeners.append((topic, hear))
