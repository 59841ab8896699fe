"""The demo shop at one instant, made once for all tests of its invariants."""

from datetime import UTC, datetime

import pytest

from subgraphs.demo import DemoShop, demo_shop


@pytest.fixture(scope="session")
def now() -> datetime:
    return datetime(2026, 5, 4, 12, 34, 56, tzinfo=UTC)


@pytest.fixture(scope="session")
def shop(now: datetime) -> DemoShop:
    return demo_shop(now)
