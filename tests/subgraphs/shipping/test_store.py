"""The store's promises, kept by the one in memory and by the one on a real database alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pymongo.errors import WriteError

from subgraphs.chassis.database.mongodb import Database
from subgraphs.shipping.domain import Attempt, ShipmentDispatched, ShipmentStatus, StepKind
from subgraphs.shipping.service import Store
from subgraphs.shipping.store import MongoStore, shipment_document
from tests.services import CommandLog
from tests.subgraphs.shipping.examples import NOW, PARCEL, a_shipment, seen

pytestmark = pytest.mark.asyncio


async def test_a_shipment_comes_back_as_it_was_kept(store: Store) -> None:
    shipment = replace(
        a_shipment(),
        events=(seen(ShipmentStatus.BOOKED), seen(ShipmentStatus.IN_TRANSIT, "key-1")),
        cancel_requested=True,
        attempt=Attempt(StepKind.STOP, 3),
    )
    assert await store.add(shipment)
    assert await store.shipments(["shp_1", "shp_unknown"]) == {"shp_1": shipment}
    assert await store.shipments_of_orders(["ord_1", "ord_unknown"]) == {"ord_1": [shipment]}
    assert await store.tracked_shipments(["KP0000000001", "KP0000000002"]) == {"KP0000000001": shipment}


async def test_a_pending_shipment_comes_back_too(store: Store) -> None:
    pending = a_shipment(ShipmentStatus.PENDING)
    assert await store.add(pending, "event-1")
    assert not await store.add(replace(pending, customer_id="cus_other"), "event-2")
    assert await store.shipments(["shp_1"]) == {"shp_1": pending}


async def test_a_return_from_a_warehouse_comes_back_as_it_was_kept(store: Store) -> None:
    parcel = replace(PARCEL, warehouse="BER", index=2, count=3, return_id="ret_1")
    shipment = replace(a_shipment(), parcel=parcel)
    assert await store.add(shipment)
    assert await store.shipments(["shp_1"]) == {"shp_1": shipment}


async def test_the_parcels_of_an_order_come_oldest_first(store: Store) -> None:
    late = replace(a_shipment(number=1), order_id="ord_9", created_at=NOW + timedelta(seconds=1))
    early = replace(a_shipment(number=2), order_id="ord_9")
    for shipment in (late, early):
        await store.add(shipment)
    assert await store.shipments_of_orders(["ord_9"]) == {"ord_9": [early, late]}


async def test_a_change_is_written_over_its_own_revision_alone(store: Store) -> None:
    await store.add(a_shipment())
    writes = [store.save(replace(a_shipment(), carrier=str(number))) for number in range(8)]
    (winner,) = [saved for saved in await asyncio.gather(*writes) if saved]
    assert winner.revision == 1
    assert await store.shipments(["shp_1"]) == {"shp_1": winner}


async def test_an_event_that_was_handled_is_not_handled_again(store: Store) -> None:
    await store.add(a_shipment(), "event-0")
    assert await store.save(a_shipment(), cause="event-0") is None, "by being there it has handled what made it"
    saved = await store.save(a_shipment(), cause="event-1")
    assert saved
    assert await store.save(saved, cause="event-1") is None
    assert await store.save(saved, cause="event-2")


async def test_due_shipments_come_the_longest_waiting_first(store: Store) -> None:
    for number, due_in_s in enumerate([-1, -5, 0, 1], start=1):
        await store.add(replace(a_shipment(number=number), due_at=NOW + timedelta(seconds=due_in_s)))
    await store.add(replace(a_shipment(number=5), due_at=None))
    assert [shipment.id for shipment in await store.due(NOW, 10)] == ["shp_2", "shp_1", "shp_3"]
    assert [shipment.id for shipment in await store.due(NOW, 1)] == ["shp_2"]


async def test_a_cancelled_order_is_remembered(store: Store) -> None:
    assert not await store.is_cancelled("ord_1")
    for _ in range(2):
        await store.mark_cancelled("ord_1", NOW)
    assert await store.is_cancelled("ord_1")
    assert not await store.is_cancelled("ord_2")


async def test_state_and_events_are_one_document(mongo_store: MongoStore, database: Database) -> None:
    await mongo_store.add(a_shipment())
    await mongo_store.save(a_shipment(), [ShipmentDispatched("ord_1", "shp_1", PARCEL, NOW)], "event-1")
    document = await database["shipments"].find_one({"_id": "shp_1"})
    assert document
    (pending,) = document["outbox"]
    assert (pending["type"], pending["subject"]) == ("shipment.dispatched", "shp_1")
    assert pending["data"] == {
        "orderId": "ord_1",
        "shipmentId": "shp_1",
        "lines": [{"productId": "MUG-001", "quantity": 2}, {"productId": "LMP-001", "quantity": 1}],
        "parcel": {"index": 1, "count": 1},
        "dispatchedAt": "2026-03-01T12:00:00Z",
    }
    assert document["handledEvents"] == ["event-1"]


async def test_a_batch_is_one_query(mongo_store: MongoStore, commands: CommandLog) -> None:
    for number in range(5):
        await mongo_store.add(a_shipment(number=number))
    commands.commands.clear()
    assert len(await mongo_store.shipments([f"shp_{number}" for number in range(10)])) == 5
    assert len(await mongo_store.shipments_of_orders([f"ord_{number}" for number in range(10)])) == 5
    assert len(await mongo_store.tracked_shipments([f"KP{number:010}" for number in range(10)])) == 5
    assert commands.commands == ["find", "find", "find"]


async def test_the_database_refuses_a_shipment_without_an_order(database: Database) -> None:
    document = {**shipment_document(a_shipment()), "outbox": [], "handledEvents": []}
    with pytest.raises(WriteError, match="Document failed validation"):
        await database["shipments"].insert_one({**document, "orderId": None})
    with pytest.raises(WriteError, match="Document failed validation"):
        await database["shipments"].insert_one({**document, "status": "LOST_FOR_EVER"})
    assert await database["shipments"].count_documents({}) == 0
