"""Every query that the store sends is answered from an index."""

from __future__ import annotations

from typing import Any

import pytest

from subgraphs.chassis.database.mongodb import connect, prepare_collections
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.shipping.events import encode
from subgraphs.shipping.store import COLLECTIONS, MongoStore
from tests.explained import QueryLog, Watched, collection_scans
from tests.subgraphs.shipping.conftest import SilentOutbox
from tests.subgraphs.shipping.examples import NOW, a_shipment


@pytest.mark.asyncio
async def test_no_query_reads_a_whole_collection(mongodb_url: str) -> None:
    log = QueryLog()
    settings = ServiceSettings.model_validate({"mongodb_url": mongodb_url, "nats_url": "nats://127.0.0.1:1"})
    database = connect(settings, [log])
    await prepare_collections(database, COLLECTIONS)
    store: Any = Watched(MongoStore(database, SilentOutbox(), encode))
    await store.add_all([a_shipment(number=number) for number in range(20)], {"ord_9": NOW})
    log.finds.clear()
    await store.shipments(["shp_1", "shp_2"])
    await store.shipments_of_orders(["ord_1", "ord_2"])
    await store.tracked_shipments(["KP0000000001", "KP0000000002"])
    await store.due(NOW, 10)
    await store.save(a_shipment(), cause="event-1")
    await store.is_cancelled("ord_9")
    await store.add(a_shipment(number=30))
    await store.mark_cancelled("ord_8", NOW)
    assert store.uncalled() == set()
    assert len(log.finds) == 6
    assert await collection_scans(database, log) == []
    database.client.close()
