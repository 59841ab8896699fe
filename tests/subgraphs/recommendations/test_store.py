"""The store's promises, kept by the one in memory and by the one on a real database alike."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from subgraphs.recommendations.domain import (
    History,
    Neighbourhood,
    ProductNews,
    Purchases,
    StockNews,
    build_model,
    new_basket,
)
from subgraphs.recommendations.service import Store
from tests.subgraphs.recommendations.examples import NOW, TODAY, a_basket, over, sell
from tests.subgraphs.recommendations.memory_store import MemoryStore

PRODUCTS = ("COF-001", "COF-012", "MUG-001")


@pytest.mark.asyncio
async def test_a_basket_is_to_be_counted_until_it_is_settled(store: Store) -> None:
    basket = a_basket("ord_1", "COF-001")
    assert await store.keep_basket(basket)
    assert await store.keep_basket(basket)
    await store.settle_basket("ord_1")
    assert not await store.keep_basket(basket)


@pytest.mark.asyncio
async def test_counting_tells_each_product_of_the_others(store: Store) -> None:
    await sell(store, *PRODUCTS)
    await store.count_basket(a_basket("ord_1", "COF-001", "COF-012"))
    await store.count_basket(a_basket("ord_2", "COF-001", "MUG-001"))
    both = {"COF-012": TODAY, "MUG-001": TODAY}
    assert await store.neighbourhoods(["COF-001", "COF-012"]) == {
        "COF-001": Neighbourhood("COF-001", 2 * TODAY, both, both),
        "COF-012": Neighbourhood("COF-012", TODAY, {"COF-001": TODAY}, {"COF-001": 2 * TODAY}),
    }


@pytest.mark.asyncio
async def test_counting_the_same_basket_again_changes_nothing(store: Store) -> None:
    await sell(store, *PRODUCTS)
    await store.count_basket(a_basket("ord_1", "COF-001", "COF-012"))
    once = await store.neighbourhoods(PRODUCTS)
    await store.count_basket(a_basket("ord_1", "COF-001", "COF-012"))
    assert await store.neighbourhoods(PRODUCTS) == once


@pytest.mark.asyncio
async def test_a_basket_that_was_counted_in_part_is_completed(store: Store) -> None:
    """A crash between two tallies: the repeat counts what is missing, and nothing twice."""
    await sell(store, "COF-001", "COF-012")
    await store.count_basket(new_basket("ord_1", "cus_ada", ["COF-001"], NOW))
    await store.count_basket(new_basket("ord_1", "cus_ada", ["COF-001", "COF-012"], NOW))
    found = await store.neighbourhoods(["COF-001", "COF-012"])
    assert [found[product_id].weight for product_id in ("COF-001", "COF-012")] == [TODAY, TODAY]


@pytest.mark.asyncio
async def test_baskets_counted_side_by_side_are_all_counted(store: Store) -> None:
    await sell(store, *PRODUCTS)
    await asyncio.gather(*(store.count_basket(a_basket(f"ord_{n % 10}", "COF-001", "MUG-001")) for n in range(20)))
    found = await store.neighbourhoods(["MUG-001"])
    ten = {"COF-001": 10 * TODAY}
    assert found == {"MUG-001": Neighbourhood("MUG-001", 10 * TODAY, ten, ten)}
    assert (await store.histories(["cus_ada"]))["cus_ada"].bought["MUG-001"] == Purchases(10, NOW)


@pytest.mark.asyncio
async def test_companions_that_cannot_be_had_have_no_weight(store: Store) -> None:
    await sell(store, "COF-001", "MUG-001")
    await store.note_stock(StockNews("MUG-001", in_stock=False, version=2))
    await store.count_basket(a_basket("ord_1", "COF-001", "COF-012", "MUG-001"))
    together = {"COF-012": TODAY, "MUG-001": TODAY}
    assert await store.neighbourhoods(["COF-001"]) == {"COF-001": Neighbourhood("COF-001", TODAY, together, {})}
    assert not (await store.neighbourhoods(["MUG-001"]))["MUG-001"].sellable


@pytest.mark.asyncio
async def test_unknown_products_and_customers_are_left_out(store: Store) -> None:
    assert await store.neighbourhoods(["NIX-001"]) == {}
    assert await store.neighbourhoods([]) == {}
    assert await store.histories(["cus_nobody"]) == {}


@pytest.mark.asyncio
async def test_a_history_keeps_times_and_the_last_whatever_the_order_of_the_news(store: Store) -> None:
    earlier = NOW - timedelta(days=3)
    await store.count_basket(a_basket("ord_2", "COF-012", "MUG-001"))
    await store.count_basket(a_basket("ord_1", "COF-001", "COF-012", at=earlier))
    once = Purchases(1, NOW)
    expected = {"COF-001": Purchases(1, earlier), "COF-012": Purchases(2, NOW), "MUG-001": once}
    assert await store.histories(["cus_ada", "cus_alan"]) == {"cus_ada": History("cus_ada", expected)}


@pytest.mark.asyncio
async def test_old_news_of_a_product_changes_nothing(store: Store) -> None:
    await store.note_stock(StockNews("COF-001", in_stock=True, version=1))
    await store.note_product(ProductNews("COF-001", active=False, version=2))
    for version in (1, 2):
        await store.note_product(ProductNews("COF-001", active=True, version=version))
        assert await store.best_sellers(5) == []
    await store.note_product(ProductNews("COF-001", active=True, version=3))
    assert await store.best_sellers(5) == ["COF-001"]


@pytest.mark.asyncio
async def test_old_news_of_stock_changes_nothing(store: Store) -> None:
    """It has versions of its own: news of the product makes none of them old."""
    await sell(store, "COF-001")
    await store.note_stock(StockNews("COF-001", in_stock=False, version=3))
    for version in (2, 3):
        await store.note_stock(StockNews("COF-001", in_stock=True, version=version))
        assert await store.best_sellers(5) == []
    await store.note_product(ProductNews("COF-001", active=True, version=9))
    assert await store.trending(5) == []
    await store.note_stock(StockNews("COF-001", in_stock=True, version=4))
    assert await store.trending(5) == ["COF-001"]


@pytest.mark.asyncio
async def test_a_product_of_whose_stock_nobody_told_is_not_recommended(store: Store) -> None:
    """It was listed before its first pieces arrived."""
    await store.note_product(ProductNews("COF-001", active=True, version=1))
    assert await store.best_sellers(5) == []


@pytest.mark.asyncio
async def test_best_sellers_are_ranked_by_baskets_then_id_and_cut(store: Store) -> None:
    await sell(store, "COF-001", "COF-012", "MUG-001", "TEA-001")
    await store.count_basket(a_basket("ord_1", "MUG-001", "COF-012", "NIX-001"))
    await store.count_basket(a_basket("ord_2", "MUG-001"))
    assert await store.best_sellers(3) == ["MUG-001", "COF-012", "COF-001"]


@pytest.mark.asyncio
async def test_what_sells_now_trends_before_what_once_sold_more(store: Store) -> None:
    await sell(store, "COF-001", "MUG-001")
    for number in range(3):
        await store.count_basket(a_basket(f"ord_{number}", "COF-001", at=NOW - timedelta(days=60)))
    await store.count_basket(a_basket("ord_9", "MUG-001"))
    assert await store.best_sellers(5) == ["COF-001", "MUG-001"]
    assert await store.trending(5) == ["MUG-001", "COF-001"]
    assert await store.trending(1) == ["MUG-001"]


@pytest.mark.asyncio
async def test_a_model_that_is_imported_equals_one_that_was_learned(store: Store) -> None:
    news = [ProductNews(id_, active=id_ != "MUG-001", version=1) for id_ in PRODUCTS]
    stock = [StockNews(id_, in_stock=id_ != "COF-012", version=1) for id_ in PRODUCTS]
    baskets = [
        a_basket("ord_1", "COF-001", "COF-012"),
        a_basket("ord_2", "COF-001", "MUG-001", customer_id="cus_alan", at=NOW - timedelta(days=9)),
        a_basket("ord_3", "COF-012", "COF-001", at=NOW - timedelta(days=40)),
    ]
    assert await store.import_model(build_model(news, stock, baskets)) == 8
    learned = MemoryStore()
    learner = over(learned)
    for product, level in zip(news, stock, strict=True):
        await learner.note_stock(level)
        await learner.note_product(product)
    for basket in reversed(baskets):
        await learner.learn(basket)
    for ids in (PRODUCTS, ["cus_ada", "cus_alan"]):
        assert await store.neighbourhoods(ids) == await learned.neighbourhoods(ids)
        assert await store.histories(ids) == await learned.histories(ids)
    assert await store.trending(5) == await learned.trending(5)


@pytest.mark.asyncio
async def test_an_import_that_is_repeated_changes_nothing_and_completes_what_is_missing(store: Store) -> None:
    news = [ProductNews(id_, active=True, version=1) for id_ in ("COF-001", "MUG-001")]
    stock = [StockNews("COF-001", in_stock=True, version=1)]
    baskets = [a_basket("ord_1", "COF-001", "MUG-001")]
    await store.import_model(build_model(news[:1], stock, []))
    await store.import_model(build_model(news, stock, baskets))
    await store.import_model(build_model(news, stock, baskets))
    assert (await store.neighbourhoods(["MUG-001"]))["MUG-001"].weight == TODAY
    assert not await store.keep_basket(baskets[0])
