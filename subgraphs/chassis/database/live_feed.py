"""Live changes: who in this replica waits for which documents, and who wrote them in any replica.

Each write to an aggregate is told to the feed, which tells the bus; from there the feeds of all replicas hear it::

    update of orders/ord_1 -> changed("orders", "ord_1") -> bus, topic "orders" -> every feed -> who watches ord_1

A notice says only that there may be something new: whoever hears it reads the document again. So it may come twice, and
may be lost (with a connection, with a replica that dies): watchers read again after :data:`LOOK_AGAIN_S` anyway. What
must not be lost travels as an event, through the outbox.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import NoReturn, TypeVar

from subgraphs.chassis.cancellation import leave_if_cancelled
from subgraphs.chassis.errors import Unavailable
from subgraphs.chassis.events.bus import Bus
from subgraphs.chassis.events.outbox import Outbox
from subgraphs.chassis.observation.metrics import Metrics

TOGETHER_S = 0.05
"""Notices this close to each other are one: a hot document is not read for every write."""
LOOK_AGAIN_S = 30.0
MAXIMUM_WATCHERS = 10_000
MAXIMUM_UNTOLD = 10_000

T = TypeVar("T")


class LiveFeed:
    """The feed of one service in one replica; made at its start, and of use once :meth:`run` has a bus."""

    def __init__(self, service: str, metrics: Metrics, look_again_s: float = LOOK_AGAIN_S) -> None:
        self._topic = service
        self._metrics = metrics
        self._look_again_s = look_again_s
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._watching = 0
        self._told: set[str] = set()
        self._to_tell = asyncio.Event()
        self._closed = False
        self._nobody = asyncio.Event()
        self._nobody.set()

    def changed(self, collection: str, id_: str) -> None:
        """The document ``id_`` of ``collection`` was written here."""
        if len(self._told) < MAXIMUM_UNTOLD:
            self._told.add(_key(collection, id_))
        self._to_tell.set()

    async def run(self, bus: Bus) -> NoReturn:
        """Tell ``bus`` and hear it until cancelled; what was missed before, watchers look for at once."""
        await bus.listen(self._topic, self._hear)
        self.look_again()
        while True:
            leave_if_cancelled()
            await self._to_tell.wait()
            self._to_tell.clear()
            told, self._told = self._told, set()
            for key in told:
                await bus.announce(self._topic, key)

    def look_again(self) -> None:
        """Something may have been missed: every watcher reads again."""
        for watchers in self._watchers.values():
            for woken in watchers:
                woken.set()

    def close(self) -> None:
        """End every watch, now and from now on: the service stops."""
        self._closed = True
        self.look_again()

    async def ended(self) -> None:
        """Return when nobody watches any more."""
        await self._nobody.wait()

    async def watch(
        self, collection: str, ids: Sequence[str], load: Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]
    ) -> AsyncGenerator[tuple[str, T | None]]:
        """What ``load`` finds for ``ids`` now, and each of them again whenever it is a different one, until closed.

        None stands for what is not there. Raises Unavailable where too many watch already.
        """
        seen: dict[str, T | None] = {}
        async with aclosing(self._changes(collection, ids)) as changes:
            async for _ in changes:
                found = await load(ids)
                for id_ in ids:
                    now = found.get(id_)
                    if id_ not in seen or seen[id_] != now:
                        seen[id_] = now
                        yield id_, now

    async def _changes(self, collection: str, ids: Sequence[str]) -> AsyncGenerator[None]:
        woken, keys = asyncio.Event(), [_key(collection, id_) for id_ in ids]
        self._count(1)
        for key in keys:
            self._watchers[key].add(woken)
        try:
            yield
            while not self._closed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), self._look_again_s)
                await asyncio.sleep(TOGETHER_S)
                woken.clear()
                yield
        finally:
            self._count(-1)
            for key in keys:
                self._forget(key, woken)

    def _count(self, more: int) -> None:
        if self._watching + more > MAXIMUM_WATCHERS:
            raise Unavailable("Too many subscriptions are open here; try again.")
        self._watching += more
        self._metrics.watching(self._watching)
        if self._watching:
            self._nobody.clear()
        else:
            self._nobody.set()

    def _forget(self, key: str, woken: asyncio.Event) -> None:
        self._watchers[key].discard(woken)
        if not self._watchers[key]:
            del self._watchers[key]

    def _hear(self, key: str) -> None:
        for woken in self._watchers.get(key, ()):
            woken.set()


class LiveOutbox:
    """The outbox of a running service: wakes its relay, and tells its feed of every write."""

    def __init__(self, relay: Outbox, feed: LiveFeed) -> None:
        self.wake = relay.wake
        self.changed = feed.changed


def _key(collection: str, id_: str) -> str:
    return f"{collection}/{id_}"
