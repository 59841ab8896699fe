"""The consumer runner over the bus in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pymongo.errors import AutoReconnect

from subgraphs.chassis.errors import InvalidEvent, RetryLater, Unavailable
from subgraphs.chassis.events.bus import Delivery, MemoryBus
from subgraphs.chassis.events.consumer import Consumer, RetryPolicy
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.observation.metrics import Metrics
from tests.services import event, eventually

SOON = RetryPolicy(attempts=3, first_pause_s=0.001, factor=1.0)
Handler = Callable[[Event], Awaitable[None]]


class Handled:
    """A handler that raises ``errors`` one after another, and then notes what it gets."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.events: list[Event] = []

    async def __call__(self, event: Event) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.events.append(event)

    async def anything(self) -> bool:
        """Whether it has got an event that it noted."""
        return bool(self.events)


async def run_until(bus: MemoryBus, handler: Handler, condition: Callable[[], Awaitable[object]]) -> None:
    """Run a consumer until ``condition``."""
    consumer = Consumer("reader", {"note.taken": handler}, Metrics(), SOON)
    running = asyncio.create_task(consumer.run(bus))
    await eventually(condition, "the condition")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("errors", [[], [RetryLater("not yet")], [ValueError("a bug"), RetryLater("not yet")]])
@pytest.mark.asyncio
async def test_an_event_comes_again_until_it_is_handled(errors: list[Exception]) -> None:
    bus, handled, taken = MemoryBus(), Handled(*errors), event("note.taken", "n1", {})
    await bus.publish(taken)
    await run_until(bus, handled, handled.anything)
    assert handled.events == [taken]
    assert await bus.dead_letters() == []


@pytest.mark.asyncio
async def test_what_fails_too_often_is_buried_with_the_reason() -> None:
    bus, handled = MemoryBus(), Handled(*[ValueError("a bug")] * 3)
    await bus.publish(event("note.taken", "n1", {}))
    await run_until(bus, handled, bus.dead_letters)
    (letter,) = await bus.dead_letters()
    assert (letter.consumer, letter.reason) == ("reader", "ValueError: a bug")
    assert handled.errors == []


@pytest.mark.asyncio
async def test_what_can_never_be_read_is_buried_at_once() -> None:
    bus, handled = MemoryBus(), Handled(InvalidEvent("no text"))
    await bus.publish(event("note.taken", "n1", {}))
    await run_until(bus, handled, bus.dead_letters)
    (letter,) = await bus.dead_letters()
    assert letter.reason == "no text"


@pytest.mark.asyncio
async def test_an_outage_is_not_the_events_fault() -> None:
    outage = [AutoReconnect("gone"), Unavailable("gone")] * 5
    bus, handled, taken = MemoryBus(), Handled(*outage), event("note.taken", "n1", {})
    await bus.publish(taken)
    await run_until(bus, handled, handled.anything)
    assert handled.events == [taken]
    assert await bus.dead_letters() == []


@pytest.mark.asyncio
async def test_what_an_outage_took_is_no_try_of_an_event_that_came_before_its_time() -> None:
    outage, early = [AutoReconnect("gone")] * 5, [RetryLater("not yet")] * 2
    bus, handled, taken = MemoryBus(), Handled(*outage, *early), event("note.taken", "n1", {})
    await bus.publish(taken)
    await run_until(bus, handled, handled.anything)
    assert handled.events == [taken]
    assert await bus.dead_letters() == []


@pytest.mark.asyncio
async def test_an_outage_between_failures_does_not_start_their_count_anew() -> None:
    failures = [ValueError("a bug"), AutoReconnect("gone"), ValueError("a bug"), ValueError("a bug")]
    bus, handled = MemoryBus(), Handled(*failures)
    await bus.publish(event("note.taken", "n1", {}))
    await run_until(bus, handled, bus.dead_letters)
    (letter,) = await bus.dead_letters()
    assert letter.reason == "ValueError: a bug"
    assert handled.errors == []


@pytest.mark.asyncio
async def test_events_of_one_aggregate_are_handled_in_order_and_others_do_not_wait() -> None:
    """The first event of ``slow`` waits for the event of ``quick``, which came last."""
    bus, order, quick_came = MemoryBus(), [], asyncio.Event()

    async def handler(each: Event) -> None:
        if each.data["number"] == 1:
            await quick_came.wait()
        if each.subject == "quick":
            quick_came.set()
        order.append(each.data["number"])

    for number, subject in ((1, "slow"), (2, "slow"), (3, "quick")):
        await bus.publish(event("note.taken", subject, {"number": number}))

    async def all_done() -> bool:
        return len(order) == 3

    await run_until(bus, handler, all_done)
    assert order == [3, 1, 2]


@pytest.mark.asyncio
async def test_a_stopping_consumer_finishes_what_it_handles() -> None:
    bus, begun, may_end, ended = MemoryBus(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(each: Event) -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    await bus.publish(event("note.taken", "n1", {}))
    running = asyncio.create_task(Consumer("reader", {"note.taken": handler}, Metrics(), SOON).run(bus))
    await begun.wait()
    running.cancel()
    may_end.set()
    await asyncio.gather(running, return_exceptions=True)
    assert ended.is_set()


@pytest.mark.asyncio
async def test_what_is_no_cloud_event_is_buried() -> None:
    bus = MemoryBus()
    delivery = Delivery("note.taken", b"{}", 1, 1, lambda: _nothing(), lambda pause: _nothing())
    await Consumer("reader", {}, Metrics(), SOON).handle_all(bus, [delivery])
    (letter,) = await bus.dead_letters()
    assert letter.reason == "not a CloudEvent: specversion: Field required"


async def _nothing() -> None:
    """Done."""


def test_pauses_grow_up_to_a_limit() -> None:
    policy = RetryPolicy(first_pause_s=0.1, factor=2.0, longest_pause_s=60.0)
    assert [policy.pause_s(attempt) for attempt in (1, 2, 3, 11, 1000)] == [0.1, 0.2, 0.4, 60.0, 60.0]
