"""A mall whose processes are killed and paused under load loses, doubles and forgets nothing."""

from __future__ import annotations

import pytest

from tests.faults.load import Scenario
from tests.faults.ordeal import Report
from tests.faults.saboteur import COMMANDS, schedule

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]


def test_nothing_is_lost_doubled_or_stuck(report: Report) -> None:
    assert not report.findings, report.text()
    assert set(report.kills) == set(COMMANDS)
    assert len({each.plan.scenario for each in report.placed}) > len(Scenario) / 2, report.text()


def test_a_seed_says_who_is_killed_and_when() -> None:
    assert schedule(7, 200) == schedule(7, 200) != schedule(8, 200)
