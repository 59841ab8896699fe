"""What is meant to hurt the planner is planned or refused within two seconds of CPU time and 200 MB each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.planning.adversarial import ATTACKS

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 2.0
MEGABYTES = 200
# Of all others the plan is the shortest that there is, so that being fast is no excuse for being wrong.
OUTCOMES = {
    "deep_abstract_types": "QUERY_PLANNING_LIMIT",
    "types_within_types": "2-fetches",
    "many_shared_paths": "12-fetches",
    "ten_thousand_aliases": "2-fetches",
    "five_thousand_aliased_objects": "2-fetches",
    "exponential_fragments": "OPERATION_TOO_LARGE",
    "chained_requirements": "30-fetches",
    "requirements_of_all_before": "40-fetches",
    "many_conditions": "2-fetches",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_ends_within_bounds(name: str) -> None:
    command = [sys.executable, "-m", "tests.planning.adversarial", name]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    outcome, seconds, megabytes = told.split()

    assert outcome == OUTCOMES.get(name, outcome)
    assert float(seconds) < SECONDS
    assert float(megabytes) < MEGABYTES
