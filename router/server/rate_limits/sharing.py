"""Replicas tell each other what they counted, over a key-value bucket of NATS JetStream.

Theory of operation. No request waits for NATS: each replica decides by what it counted itself and what it last heard.
Every ``interval_s`` it puts its own counts of each shard that has changed under ``rule.replica.shard``, and it listens
to what others put. So a key may come to more than its limit by what other replicas let in within that interval. While
NATS is away each replica goes on with what it knows; the counts are told in full when it is back.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Any

from router.execution.json_numbers import decode, encode
from router.server.nats.connection import RETRY_AFTER_S, Bucket, NatsUnavailable
from router.server.rate_limits.key_counts import Count, KeyCounts

logger = logging.getLogger("galleria.router")


class Replica:
    """The name of this process among the replicas; made when first asked for, because workers fork from one process."""

    def __init__(self) -> None:
        self._name = ""

    @property
    def name(self) -> str:
        """Random, and the same from then on."""
        if not self._name:
            self._name = secrets.token_hex(6)
        return self._name


class CountSharing:
    """Shares the counts of rules, by the rules' ids; ``start`` and ``close`` in a running event loop."""

    def __init__(
        self,
        bucket: Bucket,
        counts: Mapping[str, KeyCounts],
        replica: Replica,
        interval_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bucket = bucket
        self.counts = counts
        self._replica = replica
        self._interval_s = interval_s
        self._clock = clock
        self._losses = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._is_closed = False

    def start(self) -> None:
        """Begin, if that has not been done; nothing after ``close``."""
        if not self._tasks and not self._is_closed:
            # In no context: not in that of the request which happens to be the first.
            self._tasks = [asyncio.create_task(one, context=Context()) for one in (self._tell(), self._listen())]

    async def close(self) -> None:
        """Tell and hear no more."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _tell(self) -> None:
        # The client waits by asyncio.wait_for, which can swallow a cancellation on Python 3.11.
        while not self._is_closed:
            await asyncio.sleep(self._interval_s)
            try:
                await self.tell_changes()
            except NatsUnavailable:
                continue  # The connection tells in the log, and in /metrics.
            except Exception:  # ours: the limits hold on, each replica's for itself
                logger.exception("rate limits: what was counted cannot be told to other replicas")

    async def tell_changes(self) -> None:
        """Put what has changed since. NatsUnavailable; what was not put has changed still."""
        now = self._clock()
        if self._losses != self._bucket.losses:
            self._losses = self._bucket.losses
            for counts in self.counts.values():
                counts.tell_all()
        for rule, counts in self.counts.items():
            counts.forget_old(now)
            for shard in sorted(counts.changed):
                counts.changed.discard(shard)
                try:
                    key = f"{rule}.{self._replica.name}.{shard}"
                    await self._bucket.put(key, encode(counts.told(shard, now)))
                except BaseException:
                    counts.changed.add(shard)
                    raise

    async def _listen(self) -> None:
        while not self._is_closed:
            try:
                async for key, value in self._bucket.entries():
                    self.hear(key, value)
            except NatsUnavailable:
                await asyncio.sleep(RETRY_AFTER_S)
            except Exception:  # ours: the limits hold on, each replica's for itself
                logger.exception("rate limits: what other replicas counted cannot be heard")
                await asyncio.sleep(RETRY_AFTER_S)

    def hear(self, key: str, value: bytes) -> None:
        """Take in an entry of the bucket; one that is not of our making is left out."""
        rule, _, rest = key.partition(".")
        replica, _, shard = rest.partition(".")
        counts = self.counts.get(rule)
        if counts is None or replica == self._replica.name or len(shard) != 1:
            return
        try:
            heard = decode(value)
            counts.hear(replica, shard, {str(one): _count(told) for one, told in heard.items()})
        except (ValueError, TypeError, AttributeError):
            logger.warning("rate limits: an entry of another replica cannot be read, and is left out")


def _count(told: Any) -> Count:
    """Raises TypeError or ValueError for what is no count."""
    window, current, previous = told
    return int(window), float(current), float(previous)
