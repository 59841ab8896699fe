"""A query that nobody answered is asked once more; a mutation never, and nothing beyond the budget."""

from __future__ import annotations

import asyncio
import random

import pytest

from router.execution.errors import INVALID_RESPONSE, SubgraphFailure
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.execution.traffic.retry import RetryBudget, RetryingClient, RetryPolicy
from tests.execution.traffic.clients import BROKEN_OFF, LATE, MUTATION, OK, QUERY, Does, ObedientClient

AWAY = SubgraphResponse(503, b"")


class Retrying:
    """A retrying client over an obedient one; pauses are noted, not waited."""

    def __init__(self, *script: Does, policy: RetryPolicy | None = None) -> None:
        self.inner = ObedientClient(list(script))
        self.pauses: list[float] = []
        policy = policy or RetryPolicy()
        draw = random.Random(7)  # noqa: S311 - seeded, to be repeatable
        self.client = RetryingClient(self.inner, policy, draw, self._pause)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def code(self, request: SubgraphRequest = QUERY) -> str:
        with pytest.raises(SubgraphFailure) as caught:
            await self.client.send(request)
        return caught.value.code


@pytest.mark.asyncio
@pytest.mark.parametrize("first", [BROKEN_OFF, AWAY], ids=["broken off", "503"])
async def test_a_query_that_nobody_answered_is_asked_again(first: Does) -> None:
    retrying = Retrying(first, OK)
    assert await retrying.client.send(QUERY) == OK
    assert len(retrying.inner.sent) == 2
    assert retrying.client.retries == {"stock": 1}


@pytest.mark.asyncio
async def test_a_mutation_is_never_asked_again() -> None:
    retrying = Retrying(BROKEN_OFF, OK)
    assert await retrying.code(MUTATION) == BROKEN_OFF.code
    assert len(retrying.inner.sent) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "answer",
    [LATE, SubgraphFailure(INVALID_RESPONSE, "…"), SubgraphResponse(500, b""), SubgraphResponse(400, b"")],
    ids=["late", "garbage", "500", "400"],
)
async def test_what_would_only_happen_again_is_not_asked_again(answer: Does) -> None:
    retrying = Retrying(answer, OK)
    if isinstance(answer, SubgraphFailure):
        assert await retrying.code() == answer.code
    else:
        assert await retrying.client.send(QUERY) == answer
    assert len(retrying.inner.sent) == 1


@pytest.mark.asyncio
async def test_after_the_last_retry_the_last_outcome_is_told() -> None:
    retrying = Retrying(BROKEN_OFF, BROKEN_OFF, AWAY, policy=RetryPolicy(max_retries=2))
    assert await retrying.client.send(QUERY) == AWAY
    assert len(retrying.inner.sent) == 3


@pytest.mark.asyncio
async def test_pauses_are_drawn_below_a_bound_that_doubles() -> None:
    policy = RetryPolicy(max_retries=4, first_pause_s=1, longest_pause_s=3)
    retrying = Retrying(BROKEN_OFF, policy=policy)
    await retrying.code()
    assert len(retrying.pauses) == 4
    assert all(0 <= pause <= longest for pause, longest in zip(retrying.pauses, [1, 2, 3, 3], strict=True))
    assert len(set(retrying.pauses)) == 4


@pytest.mark.asyncio
async def test_there_is_no_retry_where_the_time_does_not_last() -> None:
    retrying = Retrying(BROKEN_OFF, policy=RetryPolicy(first_pause_s=1000, longest_pause_s=1000))
    await retrying.code()
    assert len(retrying.inner.sent) == 1


@pytest.mark.asyncio
async def test_a_retry_has_only_the_time_that_is_left() -> None:
    async def late() -> SubgraphResponse:
        await asyncio.sleep(0.01)
        return AWAY

    retrying = Retrying(late, OK)
    await retrying.client.send(QUERY)
    assert retrying.inner.sent[1].timeout_s <= 9.99


@pytest.mark.asyncio
async def test_retries_are_at_most_a_fifth_of_the_requests_once_the_reserve_is_spent() -> None:
    retrying = Retrying(BROKEN_OFF, policy=RetryPolicy(max_retries=1, budget=0.2))
    for _ in range(1000):
        await retrying.code()
    assert (
        retrying.client.retries.total() == 10 + 200 - 1
    )  # The reserve is full at first: the first request adds nothing to it.


@pytest.mark.asyncio
async def test_without_a_budget_nothing_is_asked_again() -> None:
    retrying = Retrying(BROKEN_OFF, policy=RetryPolicy(budget=0))
    await retrying.code()
    assert len(retrying.inner.sent) == 1


def test_a_quiet_time_saves_up_no_more_than_the_reserve() -> None:
    budget = RetryBudget(0.5, reserve=3)
    for _ in range(100):
        budget.requests += 1
    assert [budget.spend() for _ in range(4)] == [True, True, True, False]
