"""Names of strangers as labels: the frequent ones, however many others come."""

from __future__ import annotations

from router.server.observation.known_names import KnownNames


def names(most: int) -> tuple[KnownNames, list[str]]:
    forgotten: list[str] = []
    return KnownNames(most, forgotten.append), forgotten


def test_names_are_known_until_there_are_as_many_as_may_be() -> None:
    known, forgotten = names(2)
    assert [known.count(name) for name in ("a", "b", "c", "a", "c")] == ["a", "b", "other", "a", "other"]
    assert ([known.label(name) for name in "abc"], forgotten) == (["a", "b", "other"], [])


def test_a_frequent_name_takes_the_place_of_the_rarest() -> None:
    known, forgotten = names(2)
    for name in ("a", "a", "b"):
        known.count(name)
    assert [known.count("c") for _ in range(3)] == ["other", "other", "c"]
    assert (forgotten, known.label("a"), known.label("b")) == (["b"], "a", "other")


def test_ever_new_names_drive_no_frequent_name_out() -> None:
    known, forgotten = names(5)
    for number in range(5):
        known.count(f"early{number}")
    for number in range(20_000):
        known.count(f"junk{number}")
        known.count("checkout")
    assert known.label("checkout") == "checkout"
    assert forgotten == ["early0"]


def test_repeated_junk_changes_hands_a_logarithm_of_times() -> None:
    known, forgotten = names(4)
    for number in range(30_000):
        known.count(f"junk{number // 50}")
    # Each place at least doubles its count when it changes hands, and no name comes more than 50 times.
    assert len(forgotten) <= 4 * 6


def test_a_name_that_came_when_there_was_more_room_gives_it_to_one_that_comes_more_often() -> None:
    known, forgotten = names(1)
    for name in ("often", "often", "often", "stranger"):
        known.count(name)
    known.limit(2)
    assert known.count("once") == "once"
    assert [known.count("thrice") for _ in range(3)] == ["other", "other", "thrice"]
    assert forgotten == ["once"]
