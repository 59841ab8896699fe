"""Misprints: events that no handler can read, published while processes are killed.

Each must end as one dead letter of each consumer of its type; it may hold up nothing else, and be lost to nobody.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import nats

from subgraphs.chassis.command import load_service, service_names
from subgraphs.chassis.errors import Unavailable
from subgraphs.chassis.events import nats_bus
from subgraphs.chassis.events.event import Event
from tests.faults.books import nats_url
from tests.mall import RunningMall
from tests.services import event

TYPE = "order.confirmed"
TRY_AGAIN_S = 0.5


def readers() -> frozenset[str]:
    """The services that consume the type of misprints."""
    return frozenset(name for name in service_names() if TYPE in load_service(name).handlers)


class Misprints:
    """Publishes a misprint, and another every ``pause_s`` seconds."""

    def __init__(self, mall: RunningMall, pause_s: float = 3.0) -> None:
        self._url = nats_url(mall)
        self._pause_s = pause_s
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(1, "misprints")
        self._published = self._pool.submit(lambda: asyncio.run(self._publish_until_closed()))

    def finish(self) -> Sequence[str]:
        """The ids of all that were published; NATS must be back."""
        self._closing.set()
        with self._pool:
            return self._published.result()

    async def _publish_until_closed(self) -> list[str]:
        ids: list[str] = []
        while not ids or not self._closing.is_set():
            misprint = event(TYPE, f"ord_misprint_{len(ids)}", {})
            await self._insist(misprint)
            ids.append(misprint.id)
            await asyncio.to_thread(self._closing.wait, self._pause_s)
        return ids

    async def _insist(self, misprint: Event) -> None:
        """Publish it until the bus says that it has it; the id keeps it from being there twice."""
        while True:
            try:
                bus = await nats_bus.connect(self._url, "misprints")
            except Unavailable:
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            try:
                return await bus.publish(misprint)
            except (nats.errors.Error, OSError):
                await asyncio.sleep(TRY_AGAIN_S)
            finally:
                await bus.close()
