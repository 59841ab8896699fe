"""Asking once more, where that can help and hurts nobody.

Only queries, only where nobody answered, and only while retries are a small part of all requests: a subgraph that is
down because it has too much to do is not given more. The budget is a balance that each request adds a little to and
each retry takes one from.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec import structs

from router.execution.errors import REQUEST_FAILED, SubgraphFailure
from router.execution.subgraph_client import SubgraphClient, SubgraphRequest, SubgraphResponse
from router.execution.traffic.availability import UNAVAILABLE_STATUSES
from router.execution.traffic.breaker import Clock


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``max_retries`` of one request; ``budget`` is how many retries each request pays for (0.2: a fifth of all).

    Pauses are drawn evenly from 0 up to ``first_pause_s``, twice as much each time, ``longest_pause_s`` at most.
    """

    max_retries: int = 2
    budget: float = 0.2
    first_pause_s: float = 0.025
    longest_pause_s: float = 0.5


class RetryBudget:
    """What may be spent on retries; a balance of ``reserve`` retries, so that a quiet router may retry too."""

    def __init__(self, per_request: float, reserve: float = 10.0) -> None:
        self._per_request = per_request
        self._most = reserve if per_request else 0.0
        self._balance = self._most
        # Each request that adds to the balance is counted here, in place of a call.
        self.requests = 0

    def spend(self) -> bool:
        """Take one retry; False where there is none left. Saved up is no more than the reserve."""
        self._balance = min(self._balance + self._per_request * self.requests, self._most)
        self.requests = 0
        if self._balance < 1:
            return False
        self._balance -= 1
        return True


class RetryingClient:
    """A SubgraphClient that asks ``inner`` once more; ``retries`` counts how often, by subgraph."""

    def __init__(
        self,
        inner: SubgraphClient,
        policy: RetryPolicy,
        draw: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        self._inner = inner
        self._longest_pauses_s = tuple(
            min(policy.first_pause_s * 2**number, policy.longest_pause_s) for number in range(policy.max_retries)
        )
        self.retries = Counter[str]()
        self._random = draw or random.Random()  # noqa: S311 - to spread retries, not for secrets
        self._sleep = sleep
        self._clock = clock
        self._budgets: dict[str, RetryBudget] = defaultdict(lambda: RetryBudget(policy.budget))

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """As the protocol says; ``timeout_s`` covers all tries and the pauses between them."""
        if not request.repeatable:
            return await self._inner.send(request)
        clock = self._clock
        ends_at = clock() + request.timeout_s
        budget = self._budgets[request.subgraph]
        budget.requests += 1
        attempt = request
        for longest_pause_s in self._longest_pauses_s:
            try:
                response = await self._inner.send(attempt)
                if response.status not in UNAVAILABLE_STATUSES:
                    return response
                if not await self._may_retry(budget, longest_pause_s, ends_at):
                    return response
            except SubgraphFailure as failure:
                if failure.code != REQUEST_FAILED or not await self._may_retry(budget, longest_pause_s, ends_at):
                    raise
            self.retries[request.subgraph] += 1
            attempt = structs.replace(request, timeout_s=ends_at - clock())
        return await self._inner.send(attempt)

    async def close(self) -> None:
        """As the protocol says."""
        await self._inner.close()

    async def _may_retry(self, budget: RetryBudget, longest_pause_s: float, ends_at: float) -> bool:
        """Wait out a pause, and take the retry from the budget; False where time or budget do not last."""
        pause_s = self._random.uniform(0.0, longest_pause_s)
        if self._clock() + pause_s >= ends_at or not budget.spend():
            return False
        await self._sleep(pause_s)
        return True
