"""Metrics are made anew for who asks now and then, and told again to who asks in a loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from router.server.metrics.kept_exposition import KeptExposition


@dataclass
class Rendering:
    """Metrics that number themselves, and take ``costs_s``; and both clocks, by which nothing else takes time."""

    costs_s: float
    made: int = 0
    now_s: float = 100.0
    spent_s: float = 0.0

    async def make(self) -> bytes:
        self.made += 1
        number = self.made
        await asyncio.sleep(0)
        self.spent_s += self.costs_s
        self.now_s += self.costs_s
        return str(number).encode()

    def kept(self) -> KeptExposition:
        return KeptExposition(self.make, lambda: self.now_s, lambda: self.spent_s)


@pytest.mark.asyncio
async def test_who_asks_now_and_then_gets_figures_of_now() -> None:
    rendering = Rendering(costs_s=0.05)
    kept = rendering.kept()
    for number in range(1, 101):
        rendering.now_s += 1
        assert await kept.read() == str(number).encode()


@pytest.mark.asyncio
async def test_some_in_a_row_are_made_anew_too() -> None:
    """Half a second may be spent at once: 63 milliseconds each for eight of them."""
    kept = Rendering(costs_s=0.063).kept()
    assert [await kept.read() for _ in range(8)] == [str(number).encode() for number in range(1, 9)]


@pytest.mark.asyncio
async def test_in_a_loop_no_more_than_a_tenth_of_the_time_is_spent() -> None:
    rendering = Rendering(costs_s=0.01)
    kept, began_s = rendering.kept(), rendering.now_s
    for _ in range(100_000):
        rendering.now_s += 0.001
        await kept.read()
    took_s = rendering.now_s - began_s
    assert rendering.spent_s == pytest.approx(0.5 + took_s / 10, abs=0.02)


@pytest.mark.asyncio
@pytest.mark.parametrize("costs_s", [0.001, 0.4, 3.0])
async def test_nothing_is_older_than_five_seconds_however_long_it_takes(costs_s: float) -> None:
    rendering = Rendering(costs_s)
    kept, oldest_s, made_at_s = rendering.kept(), 0.0, rendering.now_s
    for _ in range(20_000):
        before = rendering.made
        await kept.read()
        if rendering.made > before:
            made_at_s = rendering.now_s
        oldest_s = max(oldest_s, rendering.now_s - made_at_s)
        rendering.now_s += 0.01
    assert oldest_s <= 5.02


@pytest.mark.asyncio
async def test_who_asks_at_once_waits_for_one_that_is_being_made() -> None:
    rendering = Rendering(costs_s=0.6)
    kept = rendering.kept()
    assert set(await asyncio.gather(*[kept.read() for _ in range(50)])) == {b"1"}
