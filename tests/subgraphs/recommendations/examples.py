"""Small baskets that the tests vary."""

from __future__ import annotations

from datetime import UTC, datetime

from subgraphs.recommendations.domain import Basket, basket_weight, new_basket
from subgraphs.recommendations.service import Recommendations, Store

NOW = datetime(2026, 3, 14, 15, 9, 26, 535_000, tzinfo=UTC)
TODAY = basket_weight(NOW)


def a_basket(order_id: str, *product_ids: str, customer_id: str = "cus_ada", at: datetime = NOW) -> Basket:
    return new_basket(order_id, customer_id, product_ids, at)


def over(store: Store) -> Recommendations:
    """The use cases over ``store`` at the time of the examples."""
    return Recommendations(store, lambda: NOW)
