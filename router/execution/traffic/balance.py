"""Choosing an address: of two drawn at random the less busy one, and none that is failing or about to go.

An address that failed a moment ago is second choice, so that a retry goes elsewhere.

Two draws are enough to keep the load even, without a list that all requests must agree on (Mitzenmacher, "The Power of
Two Choices in Randomized Load Balancing", 2001).
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.execution.errors import UNAVAILABLE, NotSent, SubgraphFailure
from router.execution.subgraph_client import SubgraphClient, SubgraphRequest, SubgraphResponse
from router.execution.traffic.availability import UNAVAILABLE_STATUSES, tells_of_absence
from router.execution.traffic.breaker import ANSWERED, CLOSED, FAILED, GIVEN_UP, CircuitBreaker, Clock

RECENTLY_S = 0.5


@dataclass(slots=True, eq=False)
class Replica:
    """One ``address`` of a subgraph, as people know it, and the client that reaches it.

    ``is_draining`` is set by whoever learns that the replica is about to go: it gets no new requests while there are
    others. ``failed_at`` is when it failed last, by the clock of the balance.
    """

    address: str
    client: SubgraphClient
    breaker: CircuitBreaker
    in_flight: int = 0
    is_draining: bool = False
    failed_at: float = -math.inf


class BalancingClient:
    """A SubgraphClient over the ``replicas`` of each subgraph, by name."""

    def __init__(
        self,
        replicas: Mapping[str, Sequence[Replica]],
        draw: random.Random | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.replicas = dict(replicas)
        self._clock = clock
        self._retired: list[Replica] = []
        self._random = draw or random.Random()  # noqa: S311 - for an even load, not for secrets

    def send(self, request: SubgraphRequest) -> Coroutine[Any, Any, SubgraphResponse]:
        """As the protocol says. SUBGRAPH_UNAVAILABLE where every address is failing, without asking any.

        An address that cannot be connected to was sent nothing, so another one is tried, whatever the request is.
        """
        replicas = self.replicas.get(request.subgraph, ())
        return self._send_to(replicas[0], request) if len(replicas) == 1 else self._send_to_one_of(replicas, request)

    async def close(self) -> None:
        """As the protocol says."""
        current = [one for several in self.replicas.values() for one in several]
        clients = {id(one.client): one.client for one in (*current, *self._retired)}
        for client in clients.values():
            await client.close()

    async def replace(self, subgraph: str, replicas: Sequence[Replica]) -> None:
        """Let new requests go to ``replicas``; others are closed when what is under way at them has ended."""
        self._retired += [one for one in self.replicas[subgraph] if one not in replicas]
        self.replicas[subgraph] = replicas
        ended = [one for one in self._retired if not one.in_flight]
        self._retired = [one for one in self._retired if one.in_flight]
        for replica in ended:
            await replica.client.close()

    def _choose(self, replicas: Sequence[Replica]) -> Replica | None:
        """The one to ask; None where each of them is failing."""
        able = [one for one in replicas if one.breaker.admits]
        if len(able) < 2:
            return able[0] if able else None
        staying = [one for one in able if not one.is_draining] or able
        recently = self._clock() - RECENTLY_S
        candidates = [one for one in staying if one.failed_at < recently] or staying
        return self._less_busy_of_two(candidates)

    def _less_busy_of_two(self, replicas: Sequence[Replica]) -> Replica:
        """Of two drawn at random; by hand, because ``sample`` and ``min`` take as long as half a fetch."""
        draw, count = self._random.random, len(replicas)
        index = int(draw() * count)
        first = replicas[index]
        if count == 1:
            return first
        # One of the others, each as likely.
        other = int(draw() * (count - 1))
        second = replicas[other + (other >= index)]
        return second if second.in_flight < first.in_flight else first

    async def _send_to_one_of(self, replicas: Sequence[Replica], request: SubgraphRequest) -> SubgraphResponse:
        untried = list(replicas)
        if not untried:
            raise SubgraphFailure(UNAVAILABLE, f"Subgraph '{request.subgraph}' has no address.")
        failure: NotSent | None = None
        while untried:
            replica = self._choose(untried)
            if replica is None:
                break
            try:
                return await self._send_to(replica, request)
            except NotSent as error:
                failure = error
                untried.remove(replica)
        raise failure or _unavailable(request.subgraph, untried)

    async def _send_to(self, replica: Replica, request: SubgraphRequest) -> SubgraphResponse:
        breaker = replica.breaker
        admission = breaker.admission if breaker.state is CLOSED else breaker.enter()
        if admission is None:
            raise _unavailable(request.subgraph, [replica])
        outcome = GIVEN_UP
        replica.in_flight += 1
        try:
            response = await replica.client.send(request)
            outcome = FAILED if response.status in UNAVAILABLE_STATUSES else ANSWERED
            return response
        except SubgraphFailure as failure:
            outcome = FAILED if tells_of_absence(failure) else ANSWERED
            raise
        finally:
            replica.in_flight -= 1
            if outcome is FAILED:
                replica.failed_at = self._clock()
            breaker.leave(admission, outcome)


def _unavailable(subgraph: str, replicas: Sequence[Replica]) -> SubgraphFailure:
    again_s = min(one.breaker.opens_in_s for one in replicas)
    message = f"Subgraph '{subgraph}' keeps failing and is not asked for the next {again_s:.1f} seconds."
    return SubgraphFailure(UNAVAILABLE, message)
