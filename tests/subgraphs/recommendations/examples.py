"""Small baskets that the tests vary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from subgraphs.recommendations.domain import (
    MOST_RECOMMENDED,
    Basket,
    ProductNews,
    Ranking,
    StockNews,
    Suggestion,
    basket_weight,
    fill_with_popular,
    new_basket,
)
from subgraphs.recommendations.service import Recommendations, Store

NOW = datetime(2026, 3, 14, 15, 9, 26, 535_000, tzinfo=UTC)
TODAY = basket_weight(NOW)


def a_basket(order_id: str, *product_ids: str, customer_id: str = "cus_ada", at: datetime = NOW) -> Basket:
    return new_basket(order_id, customer_id, product_ids, at)


async def sell(store: Store, *product_ids: str) -> None:
    """Let the products be sold, and be in stock."""
    for product_id in product_ids:
        await store.note_product(ProductNews(product_id, active=True, version=1))
        await store.note_stock(StockNews(product_id, in_stock=True, version=1))


async def companions(recommendations: Recommendations, *product_ids: str) -> dict[str, tuple[str, ...]]:
    """The ids that go with each product that is known, best-sellers included, MOST_RECOMMENDED of them."""
    popular = await recommendations.popular()
    found = await recommendations.companions(product_ids)
    return {id_: tuple(each.product_id for each in _filled(ranking, popular)) for id_, ranking in found.items()}


async def tastes(recommendations: Recommendations, *customer_ids: str) -> dict[str, tuple[Suggestion, ...]]:
    """The suggestions for each customer who ever bought something, best-sellers included."""
    popular = await recommendations.popular()
    found = await recommendations.tastes(customer_ids)
    return {id_: tuple(_filled(ranking, popular)) for id_, ranking in found.items()}


def _filled(ranking: Ranking, popular: Sequence[str]) -> list[Suggestion]:
    return fill_with_popular(ranking, popular, MOST_RECOMMENDED)


def over(store: Store) -> Recommendations:
    """The use cases over ``store`` at the time of the examples."""
    return Recommendations(store, lambda: NOW)
