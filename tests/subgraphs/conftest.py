"""What every service is told in its tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def environment(mongodb_url: str, nats_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a service with an empty database and a NATS without streams."""
    return {"MONGODB_URL": mongodb_url, "NATS_URL": nats_url, "GALLERIA_DATA": str(tmp_path)}
