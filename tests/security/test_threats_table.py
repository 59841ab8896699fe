"""docs/security.md names settings and tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

from router.server.config import RouterConfig
from tests.server.config.test_settings_document import settings

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "security.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| threat")
]


def test_every_threat_has_a_default_a_setting_and_a_test() -> None:
    assert len(ROWS) == 62
    assert all(len(row) == 4 and all(row) for row in ROWS)


def test_every_setting_is_one_of_the_routers() -> None:
    known = {name for name, _ in settings(RouterConfig)}
    named = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[2])}
    assert named <= known


def test_every_test_is_there() -> None:
    named = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[3])}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
