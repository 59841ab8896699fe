"""No more requests under way at once than a subgraph can take; the others wait in order, and not too many of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

from msgspec import structs

from router.execution.errors import OVERLOADED, SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.subgraph_client import SubgraphClient, SubgraphRequest, SubgraphResponse
from router.execution.traffic.adaptive_limit import AdaptiveLimit, LimitPolicy

# More of an answer's time than this part was spent in this process: it tells little of the subgraph.
_MOST_OF_OWN = 0.25


class LimitingClient:
    """A SubgraphClient that lets through to ``inner`` what the subgraph can take.

    ``gates`` are those of the subgraphs that were asked, by name. ``own_delay_s`` tells how long an answer lies here
    before it is read: a router that is busy would take its own delay for the subgraph's, and hold back what is quick.
    """

    def __init__(self, inner: SubgraphClient, policy: LimitPolicy) -> None:
        self._inner = inner
        self._policy = policy
        self.gates: dict[str, Gate] = {}
        self.own_delay_s: Callable[[], float] = lambda: 0.0

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """As the protocol says; ``timeout_s`` covers the wait too. SUBGRAPH_OVERLOADED where too many wait already.

        Too many are as many as the policy says, or as would keep it waiting for all its time.
        """
        gate = self.gates.get(request.subgraph)
        if gate is None:
            gate = self.gates[request.subgraph] = Gate(self._policy)
        if gate.waiters or gate.in_flight >= gate.limit.value:
            request = await self._wait(gate, request)
        else:
            gate.in_flight += 1
        started = monotonic()
        try:
            response = await self._inner.send(request)
        except SubgraphFailure as failure:
            if failure.code == SUBGRAPH_TIMEOUT:
                gate.limit.timed_out()
            raise
        else:
            own_delay_s = self.own_delay_s
            latency_s, own_s = monotonic() - started, own_delay_s()
            if own_s > _MOST_OF_OWN * latency_s:
                gate.limit.answered_unseen(gate.in_flight)
            else:
                gate.limit.answered(latency_s - own_s, gate.in_flight)
            return response
        finally:
            gate.in_flight -= 1
            if gate.waiters:
                gate.let_in()

    async def close(self) -> None:
        """As the protocol says."""
        await self._inner.close()

    async def _wait(self, gate: Gate, request: SubgraphRequest) -> SubgraphRequest:
        """Wait to be let through; the request with the time that is left."""
        name = request.subgraph
        if gate.waiting >= self._policy.max_waiting or gate.expected_wait_s() > request.timeout_s:
            gate.refused += 1
            message = f"Subgraph '{name}' is busy, and {gate.waiting} requests wait for it already. Try again later."
            raise SubgraphFailure(OVERLOADED, message)
        ends_at = monotonic() + request.timeout_s
        try:
            async with asyncio.timeout(request.timeout_s):
                await gate.wait()
        except TimeoutError:
            gate.refused += 1
            message = f"Subgraph '{name}' had no room for the request within {request.timeout_s:.3g} seconds."
            raise SubgraphFailure(OVERLOADED, message) from None
        return structs.replace(request, timeout_s=ends_at - monotonic())


class Gate:
    """The requests of one subgraph: ``in_flight`` are through, the ``waiters`` wait in the order they came.

    ``refused`` counts those that found too many others waiting, or waited for too long.
    """

    def __init__(self, policy: LimitPolicy) -> None:
        self.limit = AdaptiveLimit(policy)
        self.in_flight = 0
        self.refused = 0
        self.waiters: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self.waiters)

    def expected_wait_s(self) -> float:
        """How long one more would wait behind those that do."""
        return (self.waiting + 1) * self.limit.turn_s

    async def wait(self) -> None:
        """Wait, then go through."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self.in_flight -= 1  # It was let through and given up in the same moment.
                self.let_in()
            elif waiter in self.waiters:
                self.waiters.remove(waiter)
            raise

    def let_in(self) -> None:
        """Let those through that wait, as far as there is room."""
        while self.waiters and self.in_flight < self.limit.value:
            waiter = self.waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                self.in_flight += 1
