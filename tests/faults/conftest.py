"""A mall of its own for the faults: no other test sees it, since it is killed and paused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.ordeal import SETTINGS, Report, undergo
from tests.mall import RunningMall, running_mall

SEED = 2026
KILLS = 8
SHOPPERS = 8


@pytest.fixture(scope="session")
def ill_fated_mall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMall]:
    """A mall that nobody else uses; mark tests ``xdist_group("faults")``, so that one worker opens one."""
    with running_mall(tmp_path_factory.mktemp("faults"), **SETTINGS) as mall:
        yield mall


@pytest.fixture(scope="session")
def report(ill_fated_mall: RunningMall) -> Report:
    """What a short ordeal did to it, in which every process is killed once."""
    return undergo(ill_fated_mall, SEED, KILLS, SHOPPERS)
