"""The demo shop's parcels hang together, and are seeded once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from subgraphs import demo
from subgraphs.chassis.database.mongodb import Database
from subgraphs.shipping.domain import Shipment, ShipmentStatus
from subgraphs.shipping.journey import next_step
from subgraphs.shipping.seed import demo_shipments, seed
from subgraphs.shipping.store import MongoStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@cache
def shipments() -> tuple[Shipment, ...]:
    return tuple(demo_shipments(demo.demo_shop(NOW), NOW))


def test_every_parcel_is_in_the_state_that_the_demo_shop_says() -> None:
    known = [each for order in demo.demo_shop(NOW).orders for each in order.shipments]
    assert {each.id: each.status.value for each in shipments()} == {each.id: each.status for each in known}
    counts = Counter(each.status for each in shipments())
    assert set(counts) == set(ShipmentStatus) - {ShipmentStatus.PENDING}


def test_tracking_ends_at_the_status() -> None:
    assert all(each.events[-1].sighting.status is each.status for each in shipments())


def test_parcels_that_are_not_at_their_end_move_on_one_by_one() -> None:
    due = [each.due_at for each in shipments() if each.due_at]
    assert len(due) == len([each for each in shipments() if next_step(each)])
    assert due == [NOW + timedelta(minutes=10) * number for number in range(1, len(due) + 1)]


@pytest.mark.asyncio
async def test_seeding_again_adds_nothing(mongo_store: MongoStore, database: Database) -> None:
    first = await seed(mongo_store, NOW)
    assert await seed(mongo_store, NOW) == first
    assert await database["shipments"].count_documents({}) == len(shipments())
    assert await mongo_store.shipments([each.id for each in shipments()]) == {each.id: each for each in shipments()}
