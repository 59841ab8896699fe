"""A subgraph gets no more at once than it can take; the others wait in order, or are refused."""

from __future__ import annotations

import asyncio

import pytest

from router.execution.errors import SubgraphFailure
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.execution.traffic.adaptive_limit import AdaptiveLimit, LimitPolicy
from router.execution.traffic.limit import LimitingClient
from tests.execution.traffic.clients import BROKEN_OFF, LATE, OK, QUERY, Does, Doors, ObedientClient, settle


class Limited:
    def __init__(self, *script: Does, **policy: int) -> None:
        self.inner = ObedientClient(list(script))
        limits = LimitPolicy(**{"initial": 2, "least": 1, "most": 2, "max_waiting": 2} | policy)
        self.client = LimitingClient(self.inner, limits)

    def send(self, request: SubgraphRequest = QUERY) -> asyncio.Task[SubgraphResponse]:
        return asyncio.create_task(self.client.send(request))

    @property
    def state(self) -> tuple[int, int]:
        """How many are under way, and how many wait."""
        gate = self.client.gates["stock"]
        return gate.in_flight, gate.waiting


@pytest.mark.asyncio
async def test_what_is_beyond_the_limit_waits_in_order() -> None:
    doors = Doors()
    limited = Limited(doors)
    requests = [SubgraphRequest("stock", bytes([number])) for number in range(4)]
    tasks = [limited.send(request) for request in requests]
    await settle()
    assert limited.state == (2, 2)
    for index in range(4):
        doors.held[index].set_result(OK)
        await settle()
    assert [task.result() for task in tasks] == [OK] * 4
    assert [sent.body for sent in limited.inner.sent] == [bytes([number]) for number in range(4)]
    assert limited.state == (0, 0)


@pytest.mark.asyncio
async def test_one_too_many_is_refused_and_not_sent() -> None:
    doors = Doors()
    limited = Limited(doors)
    tasks = [limited.send() for _ in range(4)]
    await settle()
    with pytest.raises(SubgraphFailure) as caught:
        await limited.client.send(QUERY)
    assert (caught.value.code, caught.value.message) == (
        "SUBGRAPH_OVERLOADED",
        "Subgraph 'stock' is busy, and 2 requests wait for it already. Try again later.",
    )
    assert limited.client.gates["stock"].refused == 1
    assert len(limited.inner.sent) == 2
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert limited.state == (0, 0)


@pytest.mark.asyncio
async def test_who_could_not_be_let_through_in_time_is_refused_at_once() -> None:
    """Answers take ten seconds, two at once: the first in the row waits for five, the second for ten."""
    doors = Doors()
    limited = Limited(doors)
    tasks = [limited.send(), limited.send()]
    await settle()
    limited.client.gates["stock"].limit.answered(10.0, in_flight=2)
    with pytest.raises(SubgraphFailure) as caught:
        await limited.client.send(SubgraphRequest("stock", b"", timeout_s=4.9))
    assert (caught.value.code, caught.value.message) == (
        "SUBGRAPH_OVERLOADED",
        "Subgraph 'stock' is busy, and 0 requests wait for it already. Try again later.",
    )
    tasks.append(limited.send(SubgraphRequest("stock", b"", timeout_s=5.1)))
    await settle()
    with pytest.raises(SubgraphFailure):
        await limited.client.send(SubgraphRequest("stock", b"", timeout_s=9.9))
    assert limited.client.gates["stock"].refused == 2
    assert limited.state == (2, 1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert limited.state == (0, 0)


@pytest.mark.asyncio
async def test_waiting_takes_from_the_time_of_the_request() -> None:
    doors = Doors()
    limited = Limited(doors)
    tasks = [limited.send(), limited.send()]
    await settle()
    with pytest.raises(SubgraphFailure) as caught:
        await limited.client.send(SubgraphRequest("stock", b"", timeout_s=0.01))
    assert caught.value.code == "SUBGRAPH_OVERLOADED"
    assert limited.state == (2, 0)
    waiting = limited.send(SubgraphRequest("stock", b"", timeout_s=5))
    await settle()
    await asyncio.sleep(0.01)
    doors.held[0].set_result(OK)
    await settle()
    assert limited.inner.sent[-1].timeout_s < 5
    for held in doors.held[1:]:
        held.set_result(OK)
    await asyncio.gather(*tasks, waiting)


@pytest.mark.asyncio
@pytest.mark.parametrize("failure", [BROKEN_OFF, LATE])
async def test_a_failed_request_frees_its_place(failure: SubgraphFailure) -> None:
    limited = Limited(failure)
    for _ in range(5):
        with pytest.raises(SubgraphFailure):
            await limited.client.send(QUERY)
    assert limited.state == (0, 0)


@pytest.mark.asyncio
async def test_a_request_let_through_and_cancelled_in_the_same_moment_frees_its_place() -> None:
    doors = Doors()
    limited = Limited(doors)
    first, second, waiting = limited.send(), limited.send(), limited.send()
    await settle()
    doors.held[0].set_result(OK)
    await first
    waiting.cancel()  # The place of the first was just given to it.
    await asyncio.gather(waiting, return_exceptions=True)
    assert limited.state == (1, 0)
    doors.held[1].set_result(OK)
    await second


def test_the_limit_grows_while_answers_take_as_long_as_usual() -> None:
    limit = AdaptiveLimit(LimitPolicy(initial=10, most=100))
    for _ in range(500):
        limit.answered(0.05, in_flight=limit.value)
    assert limit.value == 100


def test_the_limit_does_not_grow_where_nobody_asks_for_more() -> None:
    limit = AdaptiveLimit(LimitPolicy(initial=10))
    for _ in range(1000):
        limit.answered(0.05, in_flight=2)
    assert limit.value == 10


def test_the_limit_finds_what_a_server_can_take() -> None:
    """A server that works on eight at once, 10 ms each: beyond that, latency is what waits before one."""
    limit = AdaptiveLimit(LimitPolicy(initial=4, least=2, most=1000))
    for _ in range(5010):  # Five looks, the last of them over.
        in_flight = limit.value
        limit.answered(0.01 * max(1.0, in_flight / 8), in_flight)
    # Where v * (1 - 2 * 8 / v) = sqrt(v): some 20.
    assert 16 <= limit.value <= 24


def test_one_quick_answer_is_not_taken_for_the_usual_one() -> None:
    """While the limit is down to see what an answer takes, one comes from a cache: the mean of twenty tells."""
    limit = AdaptiveLimit(LimitPolicy(initial=20, least=2, most=20))
    for _ in range(1000):
        limit.answered(0.01, in_flight=limit.value)
    assert limit.value == 2
    limit.answered(0.001, in_flight=2)
    for _ in range(500):
        limit.answered(0.01, in_flight=limit.value)
    assert limit.value == 20


def test_an_answer_that_nobody_timed_is_a_usual_one() -> None:
    limit = AdaptiveLimit(LimitPolicy(initial=10, most=100))
    for _ in range(500):
        limit.answered(0.001, in_flight=1)
    for _ in range(1000):
        limit.answered_unseen(in_flight=limit.value)
    assert limit.value == 100


@pytest.mark.asyncio
@pytest.mark.parametrize(("own_s", "value"), [(0.0, 5), (1.0, 20)], ids=["of the subgraph", "of the router"])
async def test_only_the_delay_of_the_subgraph_shrinks_the_limit(own_s: float, value: int) -> None:
    """The first answer comes at once, and all others take a hundred times as long."""

    async def later() -> SubgraphResponse:
        await asyncio.sleep(0.005)
        return OK

    limited = Limited(OK, later, initial=10, least=5, most=20, max_waiting=400)
    limited.client.own_delay_s = lambda: own_s
    await limited.send()
    await asyncio.gather(*(limited.send() for _ in range(400)))
    assert limited.client.gates["stock"].limit.value == value


def test_timeouts_shrink_the_limit_to_its_least() -> None:
    limit = AdaptiveLimit(LimitPolicy(initial=100, least=5))
    for _ in range(100):
        limit.timed_out()
    assert limit.value == 5


def test_a_subgraph_that_is_slower_for_good_is_not_held_down() -> None:
    limit = AdaptiveLimit(LimitPolicy(initial=50, least=5, most=100))
    for _ in range(200):
        limit.answered(0.01, in_flight=limit.value)
    for _ in range(50):
        limit.answered(0.2, in_flight=limit.value)
    assert limit.value < 50
    for _ in range(3000):
        limit.answered(0.2, in_flight=limit.value)
    assert limit.value == 100
