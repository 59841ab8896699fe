"""Every query that the store sends is answered from an index."""

from __future__ import annotations

from typing import Any

import pytest

from subgraphs.chassis.database.mongodb import connect, prepare_collections
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.payments.events import encode
from subgraphs.payments.store import COLLECTIONS, MongoStore
from tests.explained import QueryLog, Watched, collection_scans
from tests.subgraphs.payments.conftest import SilentOutbox
from tests.subgraphs.payments.examples import NOW, captured


@pytest.mark.asyncio
async def test_no_query_reads_a_whole_collection(mongodb_url: str) -> None:
    log = QueryLog()
    settings = ServiceSettings.model_validate({"mongodb_url": mongodb_url, "nats_url": "nats://127.0.0.1:1"})
    database = connect(settings, [log])
    await prepare_collections(database, COLLECTIONS)
    store: Any = Watched(MongoStore(database, SilentOutbox(), encode))
    for number in range(20):
        await store.add(captured(number))
    log.finds.clear()
    await store.payments(["pay_1", "pay_2"])
    await store.payments_of_orders(["ord_1", "ord_2"])
    await store.due(NOW, 10)
    await store.save(captured(), cause="event-1")
    await store.invoice_number("INV-2026", "pay_1:capture:shp_1")
    await store.add_all([captured(30)])
    assert store.uncalled() == set()
    assert len(log.finds) == 6
    assert await collection_scans(database, log) == []
    database.client.close()
