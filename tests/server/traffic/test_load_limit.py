"""How many requests may be under way, by what probes through the event loop took: all in simulated time."""

from __future__ import annotations

import pytest

from router.server.shedding.load_limit import INTERVAL_S, LoadLimit, OverloadPolicy
from router.server.shedding.room import COUNTED_FOR_S, GENERATIONS, Room
from tests.server.traffic.simulated_loop import SimulatedLoop, Work

POLICY = OverloadPolicy(max_in_flight=2000, max_lag_s=0.1, max_body_bytes=1, target_lag_s=0.002, initial=200)
# As large answers cost; as small ones do; over subgraphs that take their time, more of it, or oftener; and requests of
# 40 milliseconds each.
LARGE = Work()
SMALL = Work(steps=3, step_s=0.00005, subgraph_s=0.0003, refusal_s=0.00001)
SLOW_SUBGRAPHS = Work(steps=3, step_s=0.0005, subgraph_s=0.05)
SLOWER_SUBGRAPHS = Work(steps=3, step_s=0.0005, subgraph_s=0.2)
MANY_SLOW_FETCHES = Work(steps=5, step_s=0.0004, subgraph_s=0.1)
HEAVY = Work(steps=4, step_s=0.01, subgraph_s=0.005)


def learn(limit: LoadLimit, lag_s: float, busiest: int, intervals: int = 1) -> None:
    for _ in range(intervals):
        limit.probed(lag_s, INTERVAL_S, busiest)


def overloaded() -> LoadLimit:
    limit = LoadLimit(POLICY)
    learn(limit, 0.2, busiest=200, intervals=2)
    assert limit.is_overloaded
    return limit


def test_it_begins_small_and_doubles_while_it_is_used_up_in_time() -> None:
    limit = LoadLimit(POLICY)
    assert limit.value == 200
    learn(limit, 0.001, busiest=200)
    assert limit.value == 400
    learn(limit, 0.001, busiest=2000, intervals=10)
    assert limit.value == 2000


def test_room_that_nobody_used_is_forgotten() -> None:
    limit = LoadLimit(POLICY)
    learn(limit, 0.001, busiest=200, intervals=3)
    learn(limit, 0.001, busiest=1, intervals=int(30 / INTERVAL_S))
    assert limit.value == 200


def test_a_short_queue_is_no_overload() -> None:
    """Fifty clients who wait for their answers delay each other, and are refused nothing."""
    limit = LoadLimit(POLICY)
    learn(limit, 0.09, busiest=50, intervals=100)
    assert (limit.value, limit.is_overloaded) == (200, False)


def test_being_late_once_is_no_overload() -> None:
    limit = LoadLimit(POLICY)
    for _ in range(10):
        learn(limit, 1.0, busiest=200)
        learn(limit, 0.0, busiest=10)
    assert (limit.value, limit.is_overloaded) == (200, False)


@pytest.mark.parametrize(("lag_s", "busiest"), [(0.11, 20), (0.006, 200)], ids=["very late", "no room left and late"])
def test_being_late_twice_in_a_row_is_overload(lag_s: float, busiest: int) -> None:
    limit = LoadLimit(POLICY)
    learn(limit, lag_s, busiest, intervals=2)
    assert limit.is_overloaded
    assert limit.value < busiest


def test_it_shrinks_by_half_at_most_and_leaves_room_for_eight() -> None:
    limit = overloaded()
    assert limit.value == 100
    learn(limit, 10.0, busiest=100)
    assert limit.value == 50
    learn(limit, 10.0, busiest=100, intervals=20)
    assert limit.value == 8


def test_it_grows_by_a_fifth_while_what_is_let_in_is_no_load_and_is_calm_again_within_two_seconds() -> None:
    limit = overloaded()
    learn(limit, 10.0, busiest=100, intervals=20)
    learn(limit, 0.0, busiest=8)
    assert limit.value == 9
    learn(limit, 0.0, busiest=2, intervals=int(1.8 / INTERVAL_S))
    assert (limit.value, limit.is_overloaded) == (200, False)


def test_it_stays_where_the_delay_is_as_it_should_be() -> None:
    limit = overloaded()
    learn(limit, POLICY.target_lag_s, busiest=100, intervals=100)
    assert limit.value == 100


def test_it_grows_although_it_is_late_where_often_nothing_is_ready() -> None:
    """One probe of the five of each interval finds nothing ready, four take longer than the target."""
    limit = overloaded()
    begin = limit.value
    for _ in range(10):
        for lag_s in (0.0, 0.01, 0.01, 0.01, 0.01):
            limit.probed(lag_s, INTERVAL_S / 5, busiest=limit.value)
    assert limit.value > begin


def filled_room(lag_s: float) -> Room:
    """One with 200 requests under way for a little more than half a second, in a loop that is ``lag_s`` late."""
    room = Room(OverloadPolicy(max_in_flight=300, max_lag_s=0.1, max_body_bytes=1, target_lag_s=0.005, initial=200))
    assert all(room.enter() for _ in range(200))
    assert room.enter() is None
    tick_s = COUNTED_FOR_S / GENERATIONS
    for tick in range(GENERATIONS + 2):
        room.probed(lag_s, tick_s, tick * tick_s)
    return room


def test_requests_that_wait_for_half_a_second_take_no_room() -> None:
    """A subgraph that hangs fills no room that others need; but all together they are bounded."""
    room = filled_room(lag_s=0.0)
    assert (room.in_flight, room.counted) == (200, 0)
    assert sum(room.enter() is not None for _ in range(200)) == 100


def test_requests_that_may_wait_for_a_late_loop_count_for_longer() -> None:
    room = filled_room(lag_s=0.2)
    assert (room.in_flight, room.counted) == (200, 200)


def test_a_request_gives_back_its_room_once_whether_it_counts_or_not() -> None:
    room = Room(POLICY)
    old = room.enter()
    for tick in range(GENERATIONS + 2):
        room.probed(0.0, 1.0, float(tick))
    young = room.enter()
    assert old is not None
    assert young is not None
    assert (room.in_flight, room.counted) == (2, 1)
    room.leave(old)
    assert (room.in_flight, room.counted) == (1, 1)
    room.leave(young)
    assert (room.in_flight, room.counted) == (0, 0)


def test_there_is_room_while_few_enough_count_and_few_enough_are_under_way() -> None:
    room = Room(OverloadPolicy(max_in_flight=3, max_lag_s=0.1, max_body_bytes=1, target_lag_s=0.005, initial=2))
    old = [room.enter(), room.enter()]
    assert (room.counted, room.in_flight, room.has_room()) == (2, 2, False)
    for tick in range(GENERATIONS + 2):
        room.probed(0.0, 1.0, float(tick))
    assert (room.counted, room.in_flight, room.has_room(), room.has_room(beside=1)) == (0, 2, True, False)
    assert None not in (*old, room.enter())
    assert (room.counted, room.in_flight, room.has_room()) == (1, 3, False)


@pytest.mark.parametrize("work", [LARGE, HEAVY], ids=["large answers", "heavy requests"])
def test_twice_the_load_costs_neither_goodput_nor_time(work: Work) -> None:
    normal = SimulatedLoop(work, None).run(work.capacity * 0.7, 30)
    loop = SimulatedLoop(work, Room(POLICY))
    loop.run(work.capacity * 0.7, 5)
    loop.run(work.capacity * 2, 5)
    seen = loop.run(work.capacity * 2, 30)
    assert len(seen.latencies_s) / 30 > 0.9 * work.capacity
    assert seen.p99_s < 2 * normal.p99_s


@pytest.mark.parametrize("work", [SMALL, SLOW_SUBGRAPHS], ids=["small answers", "slow subgraphs"])
def test_twice_the_load_costs_no_goodput_where_a_refusal_weighs_or_requests_wait_elsewhere(work: Work) -> None:
    """Here the target of delay is what one waits for: up to 25 rounds of two milliseconds."""
    normal = SimulatedLoop(work, None).run(work.capacity * 0.7, 10)
    loop = SimulatedLoop(work, Room(POLICY))
    loop.run(work.capacity * 2, 5)
    seen = loop.run(work.capacity * 2, 10)
    assert len(seen.latencies_s) / 10 > 0.9 * work.capacity
    assert seen.p99_s < normal.p99_s + 0.05


@pytest.mark.parametrize("work", [SLOWER_SUBGRAPHS, MANY_SLOW_FETCHES], ids=["slower", "many"])
def test_the_loop_is_kept_busy_by_requests_that_wait_for_subgraphs_nearly_all_their_time(work: Work) -> None:
    """They come back in bursts, so that a round is long before the loop is busy: 76% and 83% by delay alone."""
    normal = SimulatedLoop(work, None).run(work.capacity * 0.7, 10)
    loop = SimulatedLoop(work, Room(POLICY))
    loop.run(work.capacity * 2, 5)
    seen = loop.run(work.capacity * 2, 20)
    assert len(seen.latencies_s) / 20 > 0.88 * work.capacity
    assert seen.p99_s < 1.25 * normal.p99_s


def test_nothing_is_refused_five_seconds_after_twice_the_load() -> None:
    room = Room(POLICY)
    loop = SimulatedLoop(LARGE, room)
    loop.run(LARGE.capacity * 2, 10)
    assert room.is_overloaded
    loop.run(LARGE.capacity * 0.7, 5)
    after = loop.run(LARGE.capacity * 0.7, 10)
    assert (after.refused, room.is_overloaded) == (0, False)
    assert after.p99_s < 2 * SimulatedLoop(LARGE, None).run(LARGE.capacity * 0.7, 30).p99_s
