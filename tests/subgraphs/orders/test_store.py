"""What the store over the real database promises beyond the contract: atomic events, indexes, and few commands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from subgraphs.chassis.events.event import from_cloud_event
from subgraphs.orders.changes import events_between, move
from subgraphs.orders.domain import Customer, OrderPlaced
from subgraphs.orders.order_life import Occurrence, OrderStatus
from subgraphs.orders.seed import seed
from subgraphs.orders.service import Slice
from tests.subgraphs.orders.examples import NOW, an_order
from tests.subgraphs.orders.own_database import OwnDatabase

pytestmark = pytest.mark.asyncio
SEEDED_AT = datetime(2026, 3, 1, tzinfo=UTC)


async def test_an_order_and_its_event_are_one_write(own: OwnDatabase) -> None:
    order = an_order()
    await own.store.insert(order, [OrderPlaced(order, "tok_approved")])
    assert own.log.commands == ["insert", "insert"], "the number, then the order with its event"
    document = await own.database["orders"].find_one({"_id": "ord_1"})
    assert document is not None
    [event] = [from_cloud_event(raw) for raw in document["outbox"]]
    assert (event.source, event.type, event.subject, event.time) == ("/orders", "order.placed", "ord_1", NOW)


async def test_a_change_its_event_and_its_cause_are_one_write(own: OwnDatabase) -> None:
    order = an_order()
    await own.store.insert(order, [])
    own.log.commands.clear()
    after = move(order, Occurrence.STOCK_REJECTED, NOW, "Not enough mugs.", "OUT_OF_STOCK")
    assert await own.store.save(after, events_between(order, after), "evt_1")
    assert own.log.commands == ["update"]
    document = await own.database["orders"].find_one({"_id": "ord_1"})
    assert document is not None
    assert [raw["type"] for raw in document["outbox"]] == ["order.cancelled"]
    assert document["handledEvents"] == ["evt_1"]
    assert (document["stage"], document["status"]) == ("CANCELLED", "CANCELLED")


async def test_the_payment_token_lies_in_the_outbox_alone(own: OwnDatabase) -> None:
    order = an_order()
    await own.store.insert(order, [OrderPlaced(order, "tok_approved")])
    document: dict[str, Any] = await own.database["orders"].find_one({"_id": "ord_1"}, {"outbox": 0}) or {}
    assert document
    assert "tok_approved" not in str(document)


async def test_many_of_anything_are_one_command(own: OwnDatabase) -> None:
    for customer_id in ("cus_ada", "cus_bob"):
        await own.store.put_customer(Customer(customer_id))
        for n in range(3):
            order_id = f"ord_{customer_id}_{n}"
            await own.store.insert(an_order(id=order_id, number=order_id, customer_id=customer_id), [])
    for ask, command in (
        (own.store.orders([f"ord_cus_ada_{n}" for n in range(100)]), "find"),
        (own.store.customers([f"cus_{n}" for n in range(100)]), "find"),
        (own.store.products([f"P-{n}" for n in range(100)]), "find"),
        (own.store.newest(Slice(2), "cus_ada"), "find"),
        (own.store.newest_by_customer(["cus_ada", "cus_bob"], Slice(2)), "aggregate"),
    ):
        own.log.commands.clear()
        await ask
        assert own.log.commands == [command]


def used_indexes(plan: Any) -> set[str]:
    """The names of the indexes that an explained plan reads, and COLLSCAN where it reads all."""
    if isinstance(plan, list):
        return set().union(*(used_indexes(part) for part in plan))
    if not isinstance(plan, dict):
        return set()
    own = {"COLLSCAN"} if plan.get("stage") == "COLLSCAN" else {plan["indexName"]} if "indexName" in plan else set()
    return own.union(*(used_indexes(part) for part in plan.values()))


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ({"customerId": "cus_1"}, "customer_newest"),
        ({"customerId": "cus_ada", "position": {"$lt": "2026"}}, "customer_newest"),
        ({"customerId": "cus_ada", "status": "PENDING"}, "customer_status_newest"),
        ({"status": "PENDING"}, "status_newest"),
        ({"status": "PENDING", "position": {"$lt": "2026"}}, "status_newest"),
        ({"position": {"$lt": "2026"}}, "newest"),
    ],
)
async def test_every_list_reads_an_index(own: OwnDatabase, where: dict[str, Any], index: str) -> None:
    for n in range(30):
        customer_id = f"cus_{n % 3}"
        await own.store.insert(an_order(id=f"ord_{n}", number=f"G-{n}", customer_id=customer_id), [])
    find = {"find": "orders", "filter": where, "sort": {"position": -1}, "limit": 21}
    explained = await own.database.command("explain", find)
    assert used_indexes(explained["queryPlanner"]["winningPlan"]) == {index}


async def test_the_demo_shop_is_seeded_once_whole_and_goes_on_like_any_other(own: OwnDatabase) -> None:
    count = await seed(own.store, SEEDED_AT)
    listed = await own.store.newest(Slice(1000))
    assert await seed(own.store, SEEDED_AT) == count
    assert await own.store.newest(Slice(1000)) == listed
    assert len(listed) == 500
    assert {order.status for order in listed} == set(OrderStatus) - {OrderStatus.RETURNED}
    assert all(order.history[-1].to_status is order.status for order in listed)
    assert all(order.total == order.subtotal + order.shipping_fee for order in listed)
    assert await own.database["orders"].count_documents({"outbox": {"$ne": []}}) == 0

    [pending] = await own.store.newest(Slice(1, None, OrderStatus.PENDING), "cus_ada")
    after = move(pending, Occurrence.PAYMENT_AUTHORIZED, SEEDED_AT + timedelta(seconds=1))
    assert await own.store.save(after, events_between(pending, after), "evt_1")
    assert (await own.store.orders([pending.id]))[pending.id].status is OrderStatus.CONFIRMED
