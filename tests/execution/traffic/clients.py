"""A subgraph client that does as it is told, and clocks that stand still until they are moved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from router.execution.errors import REQUEST_FAILED, SUBGRAPH_TIMEOUT, NotSent, SubgraphFailure
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse

QUERY = SubgraphRequest("stock", b'{"query":"{x}"}', timeout_s=10)
MUTATION = SubgraphRequest("stock", b'{"query":"mutation{x}"}', repeatable=False, timeout_s=10)
OK = SubgraphResponse(200, b'{"data":{}}')
BROKEN_OFF = SubgraphFailure(REQUEST_FAILED, "Subgraph 'stock' closed the connection without an answer.")
LATE = SubgraphFailure(SUBGRAPH_TIMEOUT, "Subgraph 'stock' did not answer within 10 seconds.")
REFUSED = NotSent("Subgraph 'stock' could not be reached: connection refused.")

Does = SubgraphResponse | SubgraphFailure | Callable[[], Awaitable[SubgraphResponse]]


@dataclass
class ObedientClient:
    """Does what ``script`` says, one entry a request, and the last one ever after; ``sent`` is what it was sent."""

    script: list[Does] = field(default_factory=lambda: [OK])
    sent: list[SubgraphRequest] = field(default_factory=list)
    is_closed: bool = False

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        self.sent.append(request)
        does = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(does, SubgraphFailure):
            raise does
        return does if isinstance(does, SubgraphResponse) else await does()

    async def close(self) -> None:
        self.is_closed = True


@dataclass
class StillClock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Doors:
    """Holds each request until it is let go."""

    held: list[asyncio.Future[SubgraphResponse]] = field(default_factory=list)

    async def __call__(self) -> SubgraphResponse:
        self.held.append(asyncio.get_running_loop().create_future())
        return await self.held[-1]


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(5):
        await asyncio.sleep(0)
