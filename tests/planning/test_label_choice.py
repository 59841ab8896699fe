"""Labels ``percent(n)`` are active for that share of requests, and no other label is."""

from __future__ import annotations

import pytest

from router.planning.override_labels import label_choice


@pytest.mark.parametrize(
    ("number", "active"),
    [
        (0.0, {"percent(5)", "percent(12.5)", "percent(100)"}),
        (0.0499, {"percent(5)", "percent(12.5)", "percent(100)"}),
        (0.05, {"percent(12.5)", "percent(100)"}),
        (0.999, {"percent(100)"}),
    ],
)
def test_labels_are_active_below_their_percentage(number: float, active: set[str]) -> None:
    labels = ["percent(5)", "percent(12.5)", "percent(100)", "percent(0)", "beta"]

    assert label_choice(labels, lambda: number)() == active


def test_without_percentages_nothing_is_drawn() -> None:
    def draw() -> float:
        raise AssertionError("drawn")

    assert label_choice(["beta"], draw)() == frozenset()
