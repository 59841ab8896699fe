"""Five services seed themselves from the shop, each in its own process and at its own second: they must agree."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from subgraphs.demo import DemoShop, demo_shop

_FINGERPRINT = """
from datetime import UTC, datetime
from hashlib import sha256
from subgraphs.demo import demo_shop
print(sha256(repr(demo_shop(datetime(2026, 5, 4, 12, 34, 56, tzinfo=UTC))).encode()).hexdigest())
"""


def _fingerprint(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", _FINGERPRINT], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_the_hash_seed_changes_nothing() -> None:
    assert _fingerprint("1") == _fingerprint("2")


def test_two_instants_of_one_hour_give_equal_shops(shop: DemoShop, now: datetime) -> None:
    assert demo_shop(now + timedelta(minutes=20)) == shop


def test_the_time_zone_of_now_changes_nothing(shop: DemoShop, now: datetime) -> None:
    assert demo_shop(now.astimezone(timezone(timedelta(hours=9)))) == shop


def test_another_hour_changes_times_alone(shop: DemoShop, now: datetime) -> None:
    """Services that start on both sides of a full hour still hang together."""
    later = demo_shop(now + timedelta(hours=1))
    told = [(o.id, o.number, o.status, o.lines, o.total_minor, o.payment.id, o.reservation.id) for o in shop.orders]
    assert told == [
        (o.id, o.number, o.status, o.lines, o.total_minor, o.payment.id, o.reservation.id) for o in later.orders
    ]
    assert [s.id for o in shop.orders for s in o.shipments] == [s.id for o in later.orders for s in o.shipments]
    assert [p.stock for p in shop.products] == [p.stock for p in later.products]


def test_an_instant_without_time_zone_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^demo_shop needs an instant with a time zone, such as datetime\.now\(UTC\)$"
    ):
        demo_shop(datetime(2026, 5, 4, tzinfo=UTC).replace(tzinfo=None))
