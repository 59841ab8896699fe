"""What is learned, and what is recommended from it; on the store in memory."""

from __future__ import annotations

import pytest

from subgraphs.recommendations.domain import Basket, ProductNews, StockNews, Suggestion
from subgraphs.recommendations.service import Recommendations
from tests.subgraphs.recommendations.examples import TODAY, a_basket, companions, over, sell, tastes
from tests.subgraphs.recommendations.memory_store import MemoryStore


class CrashError(Exception):
    """The process ended here."""


class CrashingStore(MemoryStore):
    """A store whose process ends right before, or right after, a basket was counted."""

    def __init__(self, *, after_counting: bool) -> None:
        super().__init__()
        self._after_counting = after_counting
        self.crashes = 1

    async def count_basket(self, basket: Basket) -> None:
        if self.crashes and not self._after_counting:
            self.crashes -= 1
            raise CrashError
        await super().count_basket(basket)
        if self.crashes:
            self.crashes -= 1
            raise CrashError


async def shop(*product_ids: str, store: MemoryStore | None = None) -> tuple[Recommendations, MemoryStore]:
    store = store or MemoryStore()
    recommendations = over(store)
    await sell(store, *product_ids)
    return recommendations, store


async def weight_of(store: MemoryStore, product_id: str) -> int:
    return (await store.neighbourhoods([product_id]))[product_id].weight


@pytest.mark.asyncio
async def test_an_order_that_is_told_of_again_is_learned_once() -> None:
    recommendations, store = await shop("COF-001", "COF-012")
    for _ in range(3):
        await recommendations.learn(a_basket("ord_1", "COF-001", "COF-012"))
    assert await weight_of(store, "COF-001") == TODAY


@pytest.mark.asyncio
@pytest.mark.parametrize("after_counting", [False, True])
async def test_a_crash_neither_loses_nor_doubles_an_order(after_counting: bool) -> None:
    recommendations, store = await shop("COF-001", store=CrashingStore(after_counting=after_counting))
    basket = a_basket("ord_1", "COF-001")
    with pytest.raises(CrashError):
        await recommendations.learn(basket)
    await recommendations.learn(basket)
    assert await weight_of(store, "COF-001") == TODAY


@pytest.mark.asyncio
async def test_companions_come_before_best_sellers_and_the_product_itself_never() -> None:
    recommendations, _ = await shop("COF-001", "COF-012", "MUG-001", "TEA-001")
    await recommendations.learn(a_basket("ord_1", "COF-001", "COF-012"))
    for number in range(2, 5):
        await recommendations.learn(a_basket(f"ord_{number}", "MUG-001"))
    found = await companions(recommendations, "COF-001")
    assert found == {"COF-001": ("COF-012", "MUG-001", "TEA-001")}


@pytest.mark.asyncio
async def test_a_new_product_gets_best_sellers() -> None:
    recommendations, _ = await shop("COF-001", "MUG-001", "NEW-001")
    await recommendations.learn(a_basket("ord_1", "MUG-001"))
    assert await companions(recommendations, "NEW-001") == {"NEW-001": ("MUG-001", "COF-001")}


@pytest.mark.asyncio
@pytest.mark.parametrize(("active", "in_stock"), [(False, True), (True, False)])
async def test_a_product_that_cannot_be_had_is_recommended_nowhere(active: bool, in_stock: bool) -> None:
    """Neither one that is no longer sold, nor one that is out of stock; not even to those who buy it again."""
    recommendations, _ = await shop("COF-001", "COF-012", "MUG-001")
    await recommendations.learn(a_basket("ord_1", "COF-001", "COF-012", "MUG-001"))
    await recommendations.learn(a_basket("ord_2", "COF-012"))
    await recommendations.note_product(ProductNews("COF-012", active, version=2))
    await recommendations.note_stock(StockNews("COF-012", in_stock, version=2))
    assert await companions(recommendations, "COF-001") == {"COF-001": ("MUG-001",)}
    assert list(await recommendations.popular()) == ["COF-001", "MUG-001"]
    assert list(await recommendations.trending(5)) == ["COF-001", "MUG-001"]
    assert await tastes(recommendations, "cus_ada") == {"cus_ada": ()}


@pytest.mark.asyncio
async def test_a_product_that_is_sold_again_comes_back() -> None:
    recommendations, _ = await shop("COF-001", "COF-012")
    await recommendations.learn(a_basket("ord_1", "COF-001", "COF-012"))
    for version, active in ((2, False), (3, True)):
        await recommendations.note_product(ProductNews("COF-012", active, version))
    assert await companions(recommendations, "COF-001") == {"COF-001": ("COF-012",)}


@pytest.mark.asyncio
async def test_customers_get_what_goes_with_their_history_and_nothing_that_they_have() -> None:
    recommendations, _ = await shop("COF-001", "COF-012", "MUG-001", "CMP-001")
    await recommendations.learn(a_basket("ord_1", "COF-001", customer_id="cus_ada"))
    await recommendations.learn(a_basket("ord_2", "COF-001", "COF-012", customer_id="cus_alan"))
    for number in range(3, 6):
        await recommendations.learn(a_basket(f"ord_{number}", "CMP-001", customer_id="cus_emmy"))
    assert await tastes(recommendations, "cus_ada", "cus_alan", "cus_nobody") == {
        "cus_ada": (Suggestion("COF-012", "COF-001"), Suggestion("CMP-001"), Suggestion("MUG-001")),
        "cus_alan": (Suggestion("CMP-001"), Suggestion("MUG-001")),
    }


@pytest.mark.asyncio
@pytest.mark.parametrize("count", [1, 50])
async def test_any_number_of_products_is_one_query(count: int) -> None:
    many = [f"MUG-{number:03}" for number in range(count)]
    recommendations, store = await shop(*many)
    assert len(await recommendations.companions(many)) == count
    assert store.reads == ["neighbourhoods"]


@pytest.mark.asyncio
@pytest.mark.parametrize("count", [1, 50])
async def test_any_number_of_customers_is_as_many_queries_as_one(count: int) -> None:
    recommendations, store = await shop("COF-001")
    customers = [f"cus_{number}" for number in range(count)]
    for customer_id in customers:
        await recommendations.learn(a_basket(f"ord_{customer_id}", "COF-001", customer_id=customer_id))
    assert len(await recommendations.tastes(customers)) == count
    assert store.reads == ["histories", "neighbourhoods"]
