"""Is it worth it? Each customer's last order of the demo shop is held out, and recommended for without it.

A hit is a list of ten that names a product of the order held out. Popularity alone is the bar: the ten best-sellers for
everyone, and, for those who want to see something new, the ten best-sellers that a customer does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
import pytest_asyncio

from bench.recommendations import Rates, compare
from subgraphs.demo import demo_shop
from subgraphs.recommendations.domain import Basket
from subgraphs.recommendations.seed import demo_baskets, demo_products, demo_stock
from subgraphs.recommendations.service import Recommendations
from tests.subgraphs.recommendations.examples import NOW, over, tastes
from tests.subgraphs.recommendations.memory_store import MemoryStore

LIST = 10


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What was learned of all orders but the last ones, which are `last`, by customer."""

    recommendations: Recommendations
    best_sellers: Sequence[str]
    bought: Mapping[str, frozenset[str]]
    last: Mapping[str, frozenset[str]]

    def hits(self, lists: Mapping[str, Sequence[str]]) -> int:
        return sum(not self.last[customer].isdisjoint(lists[customer][:LIST]) for customer in self.last)


@pytest_asyncio.fixture
async def held_out() -> HeldOut:
    """Everyone who ordered at least twice, without their last order."""
    shop = demo_shop(NOW)
    orders: dict[str, list[Basket]] = {}
    for basket in sorted(demo_baskets(shop), key=lambda basket: basket.confirmed_at):
        orders.setdefault(basket.customer_id, []).append(basket)
    last = {customer: baskets.pop() for customer, baskets in orders.items() if len(baskets) > 1}
    recommendations = over(MemoryStore())
    await recommendations.import_shop(
        demo_products(shop), demo_stock(shop), [basket for baskets in orders.values() for basket in baskets]
    )
    return HeldOut(
        recommendations,
        await recommendations.store.best_sellers(len(shop.products)),
        {customer: _products(orders[customer]) for customer in last},
        {customer: _products([basket]) for customer, basket in last.items()},
    )


def _products(baskets: Sequence[Basket]) -> frozenset[str]:
    return frozenset(product_id for basket in baskets for product_id in basket.product_ids)


async def recommended(held_out: HeldOut) -> dict[str, list[str]]:
    found = await tastes(held_out.recommendations, *held_out.last)
    return {customer: [each.product_id for each in suggestions] for customer, suggestions in found.items()}


@pytest.mark.asyncio
async def test_ten_recommendations_hit_the_next_order_more_often_than_ten_best_sellers(held_out: HeldOut) -> None:
    popular = held_out.hits(dict.fromkeys(held_out.last, held_out.best_sellers))
    assert (len(held_out.last), held_out.hits(await recommended(held_out)), popular) == (55, 26, 23)


@pytest.mark.asyncio
async def test_ten_new_products_hit_more_often_than_the_ten_best_sellers_that_are_new(held_out: HeldOut) -> None:
    def new(customer: str, ids: Sequence[str]) -> list[str]:
        return [product_id for product_id in ids if product_id not in held_out.bought[customer]]

    ours = {customer: new(customer, ids) for customer, ids in (await recommended(held_out)).items()}
    popular = {customer: new(customer, held_out.best_sellers) for customer in held_out.last}
    assert (held_out.hits(ours), held_out.hits(popular)) == (17, 14)


@pytest.mark.parametrize(("only_new", "ours", "popular"), [(False, 26, 23), (True, 17, 14)])
def test_the_benchmark_counts_what_the_service_recommends(only_new: bool, ours: int, popular: int) -> None:
    """It learns and ranks without a store; on the demo shop the hits are those of the tests above."""
    assert compare("", only_new=only_new) == Rates(ours / 55, popular / 55)


def test_another_edition_of_the_shop_has_the_same_products_and_other_orders() -> None:
    shop, other = demo_shop(NOW), demo_shop(NOW, " edition 1")
    assert [product.id for product in shop.products] == [product.id for product in other.products]
    assert len(shop.orders) == len(other.orders)
    assert not {order.id for order in shop.orders} & {order.id for order in other.orders}
