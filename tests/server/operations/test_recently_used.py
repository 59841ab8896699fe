"""What was used last is kept, within bounds of number and of weight."""

from __future__ import annotations

from router.server.operations.recently_used import CacheSize, RecentlyUsed


def kept(max_entries: int, max_bytes: int, *weights: int) -> RecentlyUsed[int, str]:
    """Entries with these weights, put in this order under 0, 1, 2."""
    cache: RecentlyUsed[int, str] = RecentlyUsed(CacheSize(max_entries, max_bytes))
    for key, weight in enumerate(weights):
        cache.put(key, str(key), weight)
    return cache


def test_the_one_not_used_for_longest_goes_when_there_are_too_many() -> None:
    cache = kept(2, 100, 1, 1)
    assert cache.get(0) == "0"
    cache.put(2, "2", 1)
    assert cache.most_recent(9) == [2, 0]


def test_as_many_go_as_a_heavy_one_needs_room() -> None:
    cache = kept(10, 10, 3, 3, 3, 6)
    assert cache.most_recent(9) == [3, 2]


def test_one_too_heavy_for_all_the_room_is_not_kept_and_drives_nothing_out() -> None:
    cache = kept(10, 10, 3, 11)
    assert cache.most_recent(9) == [0]


def test_what_is_put_again_weighs_what_it_weighs_now() -> None:
    cache = kept(10, 10, 1, 1)
    cache.put(0, "heavy", 9)
    assert (cache.get(0), cache.most_recent(9)) == ("heavy", [0, 1])
    cache.put(2, "2", 1)
    assert cache.most_recent(9) == [2, 0]


def test_what_is_forgotten_leaves_its_room() -> None:
    cache = kept(10, 10, 9)
    cache.forget(0)
    cache.forget(0)
    cache.put(1, "1", 10)
    assert (0 in cache, len(cache)) == (False, 1)
