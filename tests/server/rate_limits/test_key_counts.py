"""Sliding windows of many keys, at times of the test: what is within a limit, when there is room again, and memory."""

from __future__ import annotations

import random

import pytest

from router.server.rate_limits.key_counts import KeyCounts, digest

A, B = digest("a"), digest("b")


def counted(*at: float, window_s: float = 60.0) -> KeyCounts:
    """A rule of which A was used once at each of these times."""
    counts = KeyCounts(window_s, 100)
    for now in at:
        counts.add(A, 1, now)
    return counts


def test_a_key_has_its_limit_in_a_window_and_others_have_theirs() -> None:
    counts = counted(600.0, 601.0, 602.0)
    assert counts.wait_s(A, 1, 4, 603.0) == 0
    assert counts.wait_s(A, 1, 3, 603.0) != 0
    assert counts.wait_s(B, 1, 3, 603.0) == 0


@pytest.mark.parametrize(
    ("at", "now", "limit", "wait_s"),
    [
        # Three of this window fade in the next: of 3 there are 2 left, a third of the way into it.
        ((600.0, 600.0, 600.0), 630.0, 3, 30 + 20),
        # Three of the window before: half way into this one 1.5 count, and one more is within 3.
        ((540.0, 540.0, 540.0), 630.0, 3, 0),
        # At its beginning all 3 do: a third of the way there is room.
        ((540.0, 540.0, 540.0), 600.0, 3, 20),
        # Two of before, and one of now: half of the two have to fade.
        ((540.0, 540.0, 600.0), 600.0, 3, 30),
        # What is older than two windows is forgotten.
        ((480.0, 480.0, 480.0), 600.0, 3, 0),
    ],
)
def test_there_is_room_again_as_what_was_counted_fades(
    at: tuple[float, ...], now: float, limit: float, wait_s: float
) -> None:
    counts = counted(*at)
    assert counts.wait_s(A, 1, limit, now) == pytest.approx(wait_s)
    assert counts.wait_s(A, 1, limit, now + wait_s + 1e-6) == 0
    if wait_s:
        assert counts.wait_s(A, 1, limit, now + wait_s - 0.1) != 0


def test_what_is_more_than_the_limit_never_fits() -> None:
    assert counted().wait_s(A, 11, 10, 600.0) is None
    assert counted().wait_s(A, 10, 10, 600.0) == 0


def test_in_no_window_more_than_the_limit_gets_through_beyond_what_is_said_to_be_approximate() -> None:
    counts = KeyCounts(10.0, 100)
    taken: list[float] = []
    for tick in range(2000):
        now = 1000 + tick / 10
        if counts.wait_s(A, 1, 20, now) == 0:
            counts.add(A, 1, now)
            taken.append(now)
    # Who asks all the time gets the limit in each window, give or take what was uneven in the one before.
    assert max(sum(1 for at in taken if start <= at < start + 10) for start in taken) <= 25
    assert len(taken) == pytest.approx(20 * 20, rel=0.1)


def test_others_counts_are_added_and_replaced_by_what_they_tell_next() -> None:
    counts = counted(600.0)
    counts.hear("other", A[0], {A: (10, 2, 5)})
    used = counts.used(A, 615.0)
    assert (used.current, used.previous, used.elapsed) == (3, 5, 0.25)
    counts.hear("other", A[0], {A: (10, 4, 5)})
    counts.hear("third", A[0], {A: (9, 7, 1)})
    used = counts.used(A, 615.0)
    assert (used.current, used.previous) == (1 + 4, 5 + 7)
    # One whose clock is ahead is in the next window already.
    counts.hear("other", A[0], {A: (11, 1, 4)})
    assert counts.used(A, 659.0).current == 1 + 1


def test_what_others_told_long_ago_is_forgotten() -> None:
    counts = counted()
    counts.hear("other", "x", {"xy": (10, 2, 5)})
    counts.forget_old(11 * 60.0)
    assert list(counts.replicas()) == ["other"]
    counts.forget_old(12 * 60.0)
    assert list(counts.replicas()) == []


def test_what_is_told_is_what_still_matters_of_the_shards_that_changed() -> None:
    counts = counted(480.0)
    counts.add(B, 2, 600.0)
    assert counts.changed == {A[0], B[0]}
    assert counts.told(B[0], 600.0) == {B: (10, 2, 0)}
    assert counts.told(A[0], 600.0) == {}


def test_the_keys_counted_longest_ago_are_forgotten_beyond_the_bound() -> None:
    counts = KeyCounts(60.0, 1000)
    for number in range(50_000):
        counts.add(digest(f"2001:db8::{number}"), 1, 600.0)
    assert len(counts) == 1000
    assert sum(len(counts.told(shard, 600.0)) for shard in counts.changed) == 1000
    assert counts.used(digest("2001:db8::49999"), 600.0).current == 1
    assert counts.used(digest("2001:db8::1"), 600.0).current == 0


def test_a_digest_is_short_and_tells_nothing() -> None:
    assert len(digest("x" * 1_000_000)) == len(digest("")) == 22
    assert digest("ada@example.com") == digest("ada@example.com") != digest("eve@example.com")


def test_taking_is_waiting_for_nothing_and_counting_then() -> None:
    draw = random.Random(7)  # noqa: S311 - no secret
    at_once, in_two = KeyCounts(10.0, 3), KeyCounts(10.0, 3)
    now = 600.0
    for number in range(3000):
        now += draw.choice([0.0, 0.1, 0.7, 3.0, 11.0])
        key, amount, limit = digest(f"key {draw.randrange(5)}"), draw.choice([0.5, 1, 4]), draw.choice([3, 6, 20])
        wait_s = in_two.wait_s(key, amount, limit, now)
        if wait_s == 0:
            in_two.add(key, amount, now)
        assert at_once.take(key, amount, limit, now) == wait_s
        if number == 1500:  # From here on another replica has counted for one of the keys too.
            for counts in (at_once, in_two):
                counts.hear("other", key[0], {key: (int(now / 10), 2.0, 2.0)})
    shards = {digest(f"key {number}")[0] for number in range(5)}
    assert {shard: at_once.told(shard, now) for shard in shards} == {shard: in_two.told(shard, now) for shard in shards}
    assert at_once.changed == in_two.changed
