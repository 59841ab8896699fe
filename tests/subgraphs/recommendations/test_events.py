"""Recommendations among the others: real database, real NATS."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from subgraphs.chassis.clock import utc_now
from subgraphs.chassis.database.mongodb import connect
from subgraphs.chassis.events.bus import Bus
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.settings import ServiceSettings, read_settings
from subgraphs.recommendations.app import service
from tests.services import ServiceClient, bus_of, event, eventually, running_service

PRODUCTS = ("COF-001", "COF-012", "MUG-001")
BOUGHT_TOGETHER = """
query ($id: ID!) {
  _entities(representations: [{__typename: "Product", id: $id}]) { ... on Product { boughtTogether { id } } }
}
"""
RECOMMENDATIONS = """
query ($id: ID!) {
  _entities(representations: [{__typename: "Customer", id: $id}]) { ... on Customer { recommendations { id } } }
}
"""


def confirmed(order_id: str, *product_ids: str, customer_id: str = "cus_ada", **changes: Any) -> Event:
    data = {
        "orderId": order_id,
        "number": "G-2026-000001",
        "customerId": customer_id,
        "lines": [{"productId": product_id, "quantity": 1, "weightGrams": 360} for product_id in product_ids],
        "shippingAddress": {"name": "Ada", "line1": "1", "city": "London", "postalCode": "W1", "countryCode": "GB"},
        "confirmedAt": utc_now().isoformat(),
    }
    return event("order.confirmed", order_id, data | changes, "orders")


def changed(product_id: str, *, active: bool = True, version: int = 1) -> Event:
    data = {
        "productId": product_id,
        "name": "A product",
        "category": "Coffee",
        "price": {"amountMinor": 1690, "currencyCode": "EUR"},
        "weightGrams": 360,
        "active": active,
        "imageUrl": f"/images/products/{product_id}.webp",
        "version": version,
    }
    return event("product.changed", product_id, data, "inventory")


def stock_changed(product_id: str, *, in_stock: bool = True, version: int = 1) -> Event:
    data = {"productId": product_id, "inStock": in_stock, "version": version}
    return event("product.stock_changed", product_id, data, "inventory")


async def offer(bus: Bus, *product_ids: str) -> None:
    """Let the products be sold, and be in stock."""
    for product_id in product_ids:
        await bus.publish(changed(product_id))
        await bus.publish(stock_changed(product_id))


async def ids(client: ServiceClient, query: str, id_: str, subject: str | None = None) -> list[str] | None:
    """The ids of the products that an entity recommends; None where there is no such entity."""
    entity = (await client.data(query, subject, id=id_))["_entities"][0]
    return None if entity is None else [product["id"] for (products,) in [entity.values()] for product in products]


async def await_companions(client: ServiceClient, product_id: str, expected: list[str]) -> None:
    async def attempt() -> bool:
        return await ids(client, BOUGHT_TOGETHER, product_id) == expected

    await eventually(attempt, f"{product_id} with {expected}")


async def counted(environment: Mapping[str, str], product_id: str, orders: int) -> bool:
    """Whether that many orders of the product are counted, when no basket waits to be."""
    database = connect(read_settings(ServiceSettings, "recommendations", environment))
    try:
        if await database["baskets"].count_documents({"settled": True}) < orders:
            return False
        tally = await database["tallies"].find_one({"_id": product_id})
        return tally is not None and bool(tally["orders"] == orders)
    finally:
        database.client.close()


@pytest.mark.asyncio
async def test_a_confirmed_order_is_learned(environment: Mapping[str, str]) -> None:
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await offer(bus, *PRODUCTS)
        await bus.publish(confirmed("ord_1", "COF-001", "MUG-001"))
        await await_companions(client, "COF-001", ["MUG-001", "COF-012"])
        assert await ids(client, RECOMMENDATIONS, "cus_ada", "cus_ada") == ["COF-012"]


@pytest.mark.asyncio
async def test_an_order_told_of_many_times_counts_once(environment: Mapping[str, str]) -> None:
    """The same event again, and others of the same order: two orders of a mug still outweigh one of beans.

    Beans go with beans where nothing was learned, so the mug is not first by itself.
    """
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await offer(bus, *PRODUCTS)
        again = confirmed("ord_1", "COF-001", "COF-012")
        for told in (again, again, *(confirmed("ord_1", "COF-001", "COF-012") for _ in range(4))):
            await bus.publish(told)
        await bus.publish(confirmed("ord_2", "COF-001", "MUG-001"))
        await bus.publish(confirmed("ord_3", "COF-001", "MUG-001"))
        await await_companions(client, "COF-001", ["MUG-001", "COF-012"])
        # It is taken after all that came before.
        await bus.publish(confirmed("ord_4", "COF-001", "MUG-001"))
        await eventually(lambda: counted(environment, "COF-001", 4), "four orders, each counted once")


@pytest.mark.asyncio
async def test_a_product_that_is_no_longer_sold_disappears(environment: Mapping[str, str]) -> None:
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await offer(bus, *PRODUCTS)
        await bus.publish(confirmed("ord_1", "COF-001", "MUG-001"))
        await await_companions(client, "COF-001", ["MUG-001", "COF-012"])
        await bus.publish(changed("MUG-001", active=False, version=2))
        await await_companions(client, "COF-001", ["COF-012"])


@pytest.mark.asyncio
async def test_a_product_that_is_out_of_stock_disappears_until_it_is_back(environment: Mapping[str, str]) -> None:
    """News of the product leaves its stock as it is, and old news of its stock, which came late, too."""
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await offer(bus, *PRODUCTS)
        await bus.publish(confirmed("ord_1", "COF-001", "MUG-001"))
        await await_companions(client, "COF-001", ["MUG-001", "COF-012"])
        await bus.publish(stock_changed("MUG-001", in_stock=False, version=2))
        await await_companions(client, "COF-001", ["COF-012"])
        await bus.publish(changed("MUG-001", version=2))
        await bus.publish(stock_changed("MUG-001", in_stock=True, version=1))
        await bus.publish(changed("COF-012", active=False, version=2))
        await await_companions(client, "COF-001", [])
        await bus.publish(stock_changed("MUG-001", in_stock=True, version=3))
        await await_companions(client, "COF-001", ["MUG-001"])


@pytest.mark.asyncio
async def test_orders_that_come_before_their_products_are_learned_too(environment: Mapping[str, str]) -> None:
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(confirmed("ord_1", "COF-001", "MUG-001"))
        await await_companions(client, "COF-001", [])
        await offer(bus, "MUG-001")
        await await_companions(client, "COF-001", ["MUG-001"])


@pytest.mark.asyncio
async def test_an_order_that_cannot_be_read_is_buried_with_the_reason(environment: Mapping[str, str]) -> None:
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        bad = confirmed("ord_1", "COF.001")
        await bus.publish(bad)
        letters = await eventually(bus.dead_letters, "a dead letter")
        assert [(letter.consumer, letter.type) for letter in letters] == [("recommendations", "order.confirmed")]
        pattern = "String should match pattern '^[A-Za-z0-9_-]{1,64}$'"
        assert letters[0].reason == f"order.confirmed {bad.id}: data.lines.0.productId: {pattern}"
        assert await ids(client, BOUGHT_TOGETHER, "COF.001") is None


@pytest.mark.asyncio
async def test_a_new_instance_goes_on_where_the_last_one_ended(environment: Mapping[str, str]) -> None:
    """Events that came while the service was away are learned, those that it had learned are not learned again."""
    async with bus_of(environment["NATS_URL"]) as bus:
        async with running_service(service, environment) as client:
            await offer(bus, *PRODUCTS)
            await bus.publish(confirmed("ord_1", "COF-001", "MUG-001"))
            await await_companions(client, "COF-001", ["MUG-001", "COF-012"])
        await bus.publish(confirmed("ord_2", "COF-001", "COF-012"))
        await bus.publish(confirmed("ord_3", "COF-001", "COF-012"))
        async with running_service(service, environment) as client:
            await await_companions(client, "COF-001", ["COF-012", "MUG-001"])


@pytest.mark.asyncio
async def test_the_demo_shop_recommends_from_the_first_request(environment: Mapping[str, str]) -> None:
    async with running_service(service, {**environment, "SEED_DEMO": "1"}) as client:
        trending = (await client.data("{ trending(first: 10) { id } }"))["trending"]
        assert len({product["id"] for product in trending}) == 10
        assert "CMP-005" in (await ids(client, BOUGHT_TOGETHER, "CMP-001") or [])
        own = await ids(client, RECOMMENDATIONS, "cus_ada", "cus_ada")
        assert own is not None
        assert len(own) == 5
        assert await ids(client, RECOMMENDATIONS, "cus_ada", "staff_grace") == own
        assert await ids(client, RECOMMENDATIONS, "cus_ada", "cus_alan") is None
        assert await client.error_code(RECOMMENDATIONS, None, id="cus_ada") == "UNAUTHENTICATED"


@pytest.mark.asyncio
async def test_two_replicas_share_the_work_and_count_every_order_once(environment: Mapping[str, str]) -> None:
    environment = {**environment}
    async with (
        running_service(service, environment) as one,
        running_service(service, environment) as two,
        bus_of(environment["NATS_URL"]) as bus,
    ):
        await offer(bus, *PRODUCTS)
        at = utc_now()
        orders = [
            confirmed(f"ord_{n}", "COF-001", ("MUG-001", "COF-012")[n < 4], confirmedAt=(at - timedelta(n)).isoformat())
            for n in range(10)
        ]
        await asyncio.gather(*(bus.publish(order) for order in orders))
        for client in (one, two):
            await await_companions(client, "COF-001", ["MUG-001", "COF-012"])
        await eventually(lambda: counted(environment, "COF-001", 10), "ten orders, each counted once")
