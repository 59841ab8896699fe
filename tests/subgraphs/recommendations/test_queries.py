"""How many queries the real database gets."""

from __future__ import annotations

from typing import Any

import pytest

from subgraphs.chassis.database.mongodb import Database, connect, prepare_collections
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.identity.auth import AuthContext
from subgraphs.chassis.settings import ServiceSettings
from subgraphs.demo import demo_shop
from subgraphs.recommendations.domain import ProductNews, StockNews
from subgraphs.recommendations.schema import make_loaders, schema
from subgraphs.recommendations.seed import demo_baskets, seed
from subgraphs.recommendations.store import COLLECTIONS, SELLABLE, MongoStore
from tests.explained import QueryLog, Watched, collection_scans
from tests.services import CommandLog
from tests.subgraphs.recommendations.examples import NOW, a_basket, over

GRACE = AuthContext("staff_grace", "staff", scopes=frozenset({"orders:read-all"}))
PRODUCTS = """
query ($representations: [_Any!]!) {
  _entities(representations: $representations) { ... on Product { boughtTogether(first: 20) { id } } }
}
"""
CUSTOMERS = """
query ($representations: [_Any!]!) {
  _entities(representations: $representations) { ... on Customer { recommendations(first: 20) { id } } }
}
"""


async def entities(database: Database, query: str, type_name: str, ids: list[str]) -> list[object]:
    recommendations = over(MongoStore(database))
    context = RequestContext(GRACE, lambda: recommendations, make_loaders)
    representations = [{"__typename": type_name, "id": id_} for id_ in ids]
    result = await schema.execute(query, {"representations": representations}, context)
    assert result.errors is None
    assert result.data is not None
    found: list[object] = result.data["_entities"]
    return found


@pytest.mark.asyncio
@pytest.mark.parametrize("count", [1, 100])
async def test_any_number_of_products_is_as_many_queries_as_one(
    database: Database, commands: CommandLog, count: int
) -> None:
    await seed(over(MongoStore(database)), NOW)
    commands.commands.clear()
    ids = [product.id for product in demo_shop(NOW).products][:count]
    found = await entities(database, PRODUCTS, "Product", ids)
    assert len([entity for entity in found if entity]) == count
    # Tallies, those of the companions, and best-sellers where a list is short.
    assert commands.commands == ["find", "find", "find"]


@pytest.mark.asyncio
@pytest.mark.parametrize("count", [1, 40])
async def test_any_number_of_customers_is_as_many_queries_as_one(
    database: Database, commands: CommandLog, count: int
) -> None:
    await seed(over(MongoStore(database)), NOW)
    commands.commands.clear()
    ids = sorted({basket.customer_id for basket in demo_baskets(demo_shop(NOW))})[:count]
    found = await entities(database, CUSTOMERS, "Customer", ids)
    assert len([entity for entity in found if entity]) == count
    # Histories, tallies, those of the companions, and best-sellers where a list is short.
    assert commands.commands in (["find"] * 3, ["find"] * 4)


@pytest.mark.asyncio
async def test_no_query_reads_a_whole_collection(mongodb_url: str) -> None:
    log = QueryLog()
    settings = ServiceSettings.model_validate({"mongodb_url": mongodb_url, "nats_url": "nats://127.0.0.1:1"})
    database = connect(settings, [log])
    await prepare_collections(database, COLLECTIONS)
    store: Any = Watched(MongoStore(database))
    recommendations = over(store)
    await seed(recommendations, NOW)
    basket = a_basket("ord_new", *(product.id for product in demo_shop(NOW).products[:2]))
    await recommendations.learn(basket)
    await store.note_product(ProductNews(basket.product_ids[0], active=True, version=2))
    await store.note_stock(StockNews(basket.product_ids[0], in_stock=True, version=2))
    await recommendations.companions(basket.product_ids)
    await recommendations.tastes(["cus_ada"])
    await recommendations.popular()
    await store.trending(5)
    assert store.uncalled() == set()
    assert await collection_scans(database, log) == []
    database.client.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("count", ["orders", "trend"])
async def test_the_lists_of_sellable_products_are_read_from_an_index(database: Database, count: str) -> None:
    await seed(over(MongoStore(database)), NOW)
    plan = await database["tallies"].find(SELLABLE).sort([(count, -1), ("_id", 1)]).limit(5).explain()
    assert "COLLSCAN" not in str(plan)
    # Which of the two is the server's choice: the embedded one looks at the filter alone.
    assert "sellable_by_" in str(plan)
