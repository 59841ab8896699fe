"""Goodput is compared with the peak that was measured right before it."""

from __future__ import annotations

import pytest

from bench.overload.__main__ import goodput_of
from bench.overload.goodput import Turn


@pytest.mark.parametrize(("answered", "is_kept"), [(91.0, True), (89.0, False)])
def test_the_median_of_the_turns_counts(answered: float, is_kept: bool) -> None:
    """Neither one lucky turn nor one in which the machine was slow."""
    turns = [Turn(200.0, 100.0), Turn(100.0, answered), Turn(50.0, 50.0)]
    verdict = goodput_of(turns)
    assert (verdict.seen, verdict.is_kept) == (f"{answered:.0f}%, the median of 50%, {answered:.0f}%, 100%", is_kept)
