"""The demo shop as recommendations knows it."""

from __future__ import annotations

import pytest

from subgraphs.demo import demo_shop
from subgraphs.recommendations.seed import demo_baskets, seed
from tests.subgraphs.recommendations.examples import NOW, companions, over, tastes
from tests.subgraphs.recommendations.memory_store import MemoryStore


@pytest.mark.asyncio
async def test_the_demo_shop_is_known_after_seeding_twice_as_after_once() -> None:
    shop, store = demo_shop(NOW), MemoryStore()
    baskets = demo_baskets(shop)
    documents = len(shop.products) + len({basket.customer_id for basket in baskets}) + len(baskets)
    assert await seed(over(store), NOW) == documents
    once = await store.neighbourhoods([product.id for product in shop.products])
    assert await seed(over(store), NOW) == documents
    assert await store.neighbourhoods([product.id for product in shop.products]) == once
    assert len(once) == len(shop.products)


def test_every_order_that_was_ever_confirmed_is_a_basket() -> None:
    shop = demo_shop(NOW)
    confirmed = {order.id for order in shop.orders if order.payment.authorized_minor}
    assert {basket.order_id for basket in demo_baskets(shop)} == confirmed


@pytest.mark.asyncio
async def test_what_goes_with_a_grinder_makes_sense_to_a_person() -> None:
    recommendations = over(MemoryStore())
    await seed(recommendations, NOW)
    found = await companions(recommendations, "COF-001", "CMP-001")
    assert {id_[:3] for id_ in found["COF-001"][:5]} <= {"COF", "MUG", "STA", "BOK"}
    assert {id_[:3] for id_ in found["CMP-001"][:4]} == {"CMP"}


@pytest.mark.asyncio
async def test_nothing_that_cannot_be_had_is_recommended() -> None:
    shop, recommendations = demo_shop(NOW), over(MemoryStore())
    await seed(recommendations, NOW)
    missing = {
        product.id
        for product in shop.products
        if not product.active or not any(level.on_hand > level.reserved for level in product.stock)
    }
    found = await companions(recommendations, *(product.id for product in shop.products))
    personal = await tastes(recommendations, *(customer.id for customer in shop.customers))
    ids = {suggestion.product_id for suggestions in personal.values() for suggestion in suggestions}
    for each in (*found.values(), ids, await recommendations.trending(20)):
        assert missing.isdisjoint(each)


@pytest.mark.asyncio
async def test_ada_is_recommended_something_and_nothing_that_she_has_but_what_she_buys_again() -> None:
    shop, recommendations = demo_shop(NOW), over(MemoryStore())
    await seed(recommendations, NOW)
    bought = [id_ for basket in demo_baskets(shop) if basket.customer_id == "cus_ada" for id_ in basket.product_ids]
    suggestions = (await tastes(recommendations, "cus_ada"))["cus_ada"]
    assert len({suggestion.product_id for suggestion in suggestions}) == 20
    assert {suggestion.because for suggestion in suggestions} <= {*bought, None}
    again = [suggestion.product_id for suggestion in suggestions if suggestion.product_id in bought]
    assert all(bought.count(product_id) > 1 for product_id in again)
    assert again == [suggestion.product_id for suggestion in suggestions[: len(again)]]
