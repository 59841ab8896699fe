"""Requests go to the less busy of two addresses, and to none that fails or is about to go."""

from __future__ import annotations

import asyncio
import random

import pytest

from router.execution.errors import SubgraphFailure
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.execution.traffic.balance import BalancingClient, Replica
from router.execution.traffic.breaker import BreakerPolicy, CircuitBreaker, CircuitState
from tests.execution.traffic.clients import (
    BROKEN_OFF,
    LATE,
    MUTATION,
    OK,
    QUERY,
    REFUSED,
    Does,
    Doors,
    ObedientClient,
    StillClock,
    settle,
)

POLICY = BreakerPolicy(min_failures=2, pause_s=5)


def replica(name: str, *script: Does, clock: StillClock | None = None) -> tuple[Replica, ObedientClient]:
    client = ObedientClient(list(script) or [OK])
    breaker = CircuitBreaker(POLICY, clock or StillClock(), lambda _: None)
    return Replica(f"http://{name}/graphql", client, breaker), client


def balancing(*replicas: Replica, clock: StillClock | None = None) -> BalancingClient:
    return BalancingClient({"stock": list(replicas)}, random.Random(1), clock or StillClock())  # noqa: S311 - seeded, to be repeatable


async def refusal(client: BalancingClient, request: SubgraphRequest = QUERY) -> tuple[str, str]:
    with pytest.raises(SubgraphFailure) as caught:
        await client.send(request)
    return caught.value.code, caught.value.message


@pytest.mark.asyncio
async def test_the_less_busy_of_two_is_asked() -> None:
    doors = Doors()
    (busy, of_busy), (free, of_free) = replica("a", doors), replica("b")
    busy.in_flight = 1
    assert await balancing(busy, free).send(QUERY) == OK
    assert (len(of_busy.sent), len(of_free.sent)) == (0, 1)


@pytest.mark.asyncio
async def test_load_is_even_over_many_replicas() -> None:
    doors = [Doors() for _ in range(5)]
    replicas = [replica(str(number), door)[0] for number, door in enumerate(doors)]
    client = balancing(*replicas)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(100):
            tasks.create_task(client.send(QUERY))
        await settle()
        assert sum(one.in_flight for one in replicas) == 100
        # With two choices the fullest is log log n above the mean; drawn blindly it would be some 10 above.
        assert max(one.in_flight for one in replicas) <= 23
        for held in (held for door in doors for held in door.held):
            held.set_result(OK)
    assert [one.in_flight for one in replicas] == [0] * 5


@pytest.mark.asyncio
async def test_where_all_are_idle_each_is_as_likely_as_another() -> None:
    replicas = [replica(str(number))[0] for number in range(3)]
    client, clients = balancing(*replicas), [one.client for one in replicas]
    for _ in range(300):
        await client.send(QUERY)
    shares = [len(one.sent) for one in clients if isinstance(one, ObedientClient)]
    # Four standard deviations of 300 draws at one in three: 33.
    assert sum(shares) == 300
    assert all(67 <= share <= 133 for share in shares)


@pytest.mark.asyncio
@pytest.mark.parametrize("request_", [QUERY, MUTATION], ids=["query", "mutation"])
async def test_an_address_that_refuses_the_connection_was_sent_nothing_and_another_is_asked(
    request_: SubgraphRequest,
) -> None:
    (down, of_down), (up, of_up) = replica("a", REFUSED), replica("b")
    up.in_flight = 1
    assert await balancing(down, up).send(request_) == OK
    assert (len(of_down.sent), len(of_up.sent)) == (1, 1)


@pytest.mark.asyncio
async def test_what_may_have_been_received_is_not_sent_elsewhere() -> None:
    (broken, _), (up, of_up) = replica("a", BROKEN_OFF), replica("b")
    up.in_flight = 1
    assert await refusal(balancing(broken, up), MUTATION) == (BROKEN_OFF.code, BROKEN_OFF.message)
    assert of_up.sent == []


@pytest.mark.asyncio
async def test_where_all_refuse_the_last_refusal_is_told() -> None:
    client = balancing(replica("a", REFUSED)[0], replica("b", REFUSED)[0])
    assert await refusal(client) == (REFUSED.code, REFUSED.message)


@pytest.mark.asyncio
@pytest.mark.parametrize("failing", [BROKEN_OFF, LATE, SubgraphResponse(503, b"")], ids=["broken off", "late", "503"])
async def test_an_address_that_keeps_failing_is_left_out(failing: Does) -> None:
    clock = StillClock()
    (bad, of_bad), (good, of_good) = replica("a", failing), replica("b")
    client = balancing(bad, good, clock=clock)
    for _ in range(2):
        clock.now += 1
        good.in_flight = 1
        if isinstance(failing, SubgraphFailure):
            await refusal(client)
        else:
            await client.send(QUERY)
    assert bad.breaker.state is CircuitState.OPEN
    good.in_flight = 5
    assert await client.send(QUERY) == OK
    assert (len(of_bad.sent), len(of_good.sent)) == (2, 1)


@pytest.mark.asyncio
async def test_an_address_that_failed_a_moment_ago_is_second_choice() -> None:
    clock = StillClock()
    (bad, of_bad), (good, of_good) = replica("a", BROKEN_OFF, OK), replica("b")
    client = balancing(bad, good, clock=clock)
    good.in_flight = 1
    await refusal(client)
    good.in_flight = 0
    for _ in range(20):
        await client.send(QUERY)
    assert (len(of_bad.sent), len(of_good.sent)) == (1, 20)
    clock.now += 0.6
    for _ in range(20):
        await client.send(QUERY)
    assert len(of_bad.sent) > 1


@pytest.mark.asyncio
async def test_an_answer_with_status_500_does_not_open_the_circuit() -> None:
    crash, client_of_it = replica("a", SubgraphResponse(500, b"{}"))
    client = balancing(crash)
    for _ in range(20):
        await client.send(QUERY)
    assert crash.breaker.state is CircuitState.CLOSED
    assert len(client_of_it.sent) == 20


@pytest.mark.asyncio
async def test_where_every_address_fails_none_is_asked() -> None:
    clock = StillClock()
    replicas = [replica(name, BROKEN_OFF, clock=clock) for name in "ab"]
    client = balancing(*(one for one, _ in replicas))
    for _ in range(4):
        await refusal(client)
    asked = [len(of.sent) for _, of in replicas]
    clock.now += 1
    message = "Subgraph 'stock' keeps failing and is not asked for the next 4.0 seconds."
    assert await refusal(client) == ("SUBGRAPH_UNAVAILABLE", message)
    assert [len(of.sent) for _, of in replicas] == asked == [2, 2]


@pytest.mark.asyncio
async def test_a_draining_replica_gets_nothing_while_there_are_others() -> None:
    (leaving, of_leaving), (staying, of_staying) = replica("a"), replica("b")
    leaving.is_draining = True
    staying.in_flight = 100
    client = balancing(leaving, staying)
    for _ in range(10):
        await client.send(QUERY)
    assert (len(of_leaving.sent), len(of_staying.sent)) == (0, 10)
    staying.is_draining = True
    staying.in_flight = 0
    leaving.in_flight = 1
    assert await client.send(QUERY) == OK


@pytest.mark.asyncio
async def test_an_unknown_subgraph_has_no_address() -> None:
    code, message = await refusal(balancing(), QUERY)
    assert (code, message) == ("SUBGRAPH_UNAVAILABLE", "Subgraph 'stock' has no address.")


@pytest.mark.asyncio
async def test_a_cancelled_request_frees_its_place_and_says_nothing_of_the_address() -> None:
    doors = Doors()
    one, _ = replica("a", doors)
    client = balancing(one)
    for _ in range(5):
        request = asyncio.create_task(client.send(QUERY))
        await settle()
        assert one.in_flight == 1
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
    assert (one.in_flight, one.breaker.state) == (0, CircuitState.CLOSED)


@pytest.mark.asyncio
async def test_a_client_that_several_replicas_share_is_closed() -> None:
    (one, of_one), (other, of_other) = replica("a"), replica("b")
    await balancing(one, other).close()
    assert (of_one.is_closed, of_other.is_closed) == (True, True)
