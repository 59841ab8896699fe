"""What was used of late is kept within a bound, and what was used once is noted within one."""

from __future__ import annotations

from router.generations import Generations, UsedOnce


def test_what_is_used_stays_and_the_rest_is_forgotten() -> None:
    kept: Generations[int, str] = Generations(max_entries=8, max_bytes=1000)
    kept.put(0, "first", 1)
    for number in range(1, 100):
        kept.put(number, str(number), 1)
        assert kept.get(0) == "first"
        assert len(kept) <= 8
    assert kept.get(99) == "99"
    assert kept.get(50) is None


def test_heavy_values_are_fewer() -> None:
    kept: Generations[int, int] = Generations(max_entries=1000, max_bytes=100)
    for number in range(100):
        kept.put(number, number, 10)
        assert len(kept) <= 10
    assert kept.get(99) == 99


def test_a_key_is_new_once_and_then_again() -> None:
    once = UsedOnce(max_keys=2)
    assert [once.note(b"a") for _ in range(4)] == [False, True, False, True]


def test_keys_that_come_once_drive_out_others() -> None:
    once = UsedOnce(max_keys=2)
    assert [once.note(key) for key in (b"a", b"b", b"c", b"a")] == [False] * 4
