"""Learning of replicas that come, go, or are about to go, before a request finds out.

Names with several addresses (as headless services of Kubernetes are) are resolved again and again; each address is a
replica. Replicas are asked whether they are ready: one that says no finishes what it has and gets nothing new.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.execution.traffic.balance import BalancingClient, Replica
from router.told_url import told_url

logger = logging.getLogger("galleria.router")

# The addresses that a subgraph has now; raises OSError where they cannot be learned.
Resolve = Callable[[str], Awaitable[list[str]]]
# The replica of a subgraph, by name, at an address that was not known.
NewReplica = Callable[[str, str], Replica]


class Health(Protocol):
    """Asks replicas how they are."""

    async def is_ready(self, subgraph: str, address: str) -> bool:
        """Whether it takes new requests; False too where it does not answer."""

    async def close(self) -> None:
        """Close all connections."""


@dataclass(frozen=True, slots=True)
class Watching:
    """How replicas are watched, every ``interval_s``; ``health`` is None where they are not asked.

    Of the subgraphs in ``resolved``, ``resolve`` tells the addresses.
    """

    interval_s: float
    new_replica: NewReplica
    resolved: tuple[str, ...]
    resolve: Resolve
    health: Health | None


class WatchingClient:
    """A SubgraphClient that keeps the replicas of ``inner`` true; it begins with the first request."""

    def __init__(self, inner: BalancingClient, watching: Watching) -> None:
        self._inner = inner
        self._watching = watching
        self._task: asyncio.Task[None] | None = None

    def send(self, request: SubgraphRequest) -> Coroutine[Any, Any, SubgraphResponse]:
        """As the protocol says."""
        if self._task is None:  # Here, because a client may be made in a thread without an event loop.
            self._task = asyncio.get_running_loop().create_task(self._watch())
        return self._inner.send(request)

    async def close(self) -> None:
        """As the protocol says."""
        if self._task is not None:
            self._task.cancel()
        if self._watching.health is not None:
            await self._watching.health.close()
        await self._inner.close()

    async def _watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(self._watching.interval_s)

    async def look(self) -> None:
        """Look at every subgraph once."""
        for subgraph in self._watching.resolved:
            await self._resolve(subgraph)
        if self._watching.health is not None:
            for subgraph, replicas in self._inner.replicas.items():
                for replica in replicas if len(replicas) > 1 else ():
                    await self._ask(self._watching.health, subgraph, replica)

    async def _resolve(self, subgraph: str) -> None:
        try:
            addresses = await self._watching.resolve(subgraph)
        except OSError as error:
            logger.warning("subgraph '%s': its name could not be resolved: %s", subgraph, error)
            return
        known = {replica.address: replica for replica in self._inner.replicas[subgraph]}
        if not addresses or known.keys() == set(addresses):
            return
        logger.info("subgraph '%s' has %d addresses, and had %d", subgraph, len(addresses), len(known))
        new_replica = self._watching.new_replica
        replicas = [known.get(address) or new_replica(subgraph, address) for address in addresses]
        await self._inner.replace(subgraph, replicas)

    async def _ask(self, health: Health, subgraph: str, replica: Replica) -> None:
        was_draining = replica.is_draining
        replica.is_draining = not await health.is_ready(subgraph, replica.address)
        if replica.is_draining != was_draining:
            state = "not ready, and gets nothing new" if replica.is_draining else "ready again"
            logger.info("subgraph '%s' at %s is %s", subgraph, told_url(replica.address), state)
