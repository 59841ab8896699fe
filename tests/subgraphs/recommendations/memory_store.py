"""A store in memory that keeps the promises of the real one; both pass the same tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from subgraphs.recommendations.domain import (
    Basket,
    History,
    Model,
    Neighbourhood,
    ProductNews,
    Tally,
    pairs,
    trend_weight,
)


@dataclass(slots=True)
class _Tally:
    active: bool = False
    changed_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    orders: int = 0
    trend: float = 0.0
    together: Counter[str] = field(default_factory=Counter)
    counted: set[str] = field(default_factory=set)


class MemoryStore:
    """Implements :class:`subgraphs.recommendations.service.Store`; ``reads`` names the queries that it was asked."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self._settled: dict[str, bool] = {}
        self._tallies: dict[str, _Tally] = {}
        self._bought: dict[str, dict[str, datetime]] = {}

    async def keep_basket(self, basket: Basket) -> bool:
        return not self._settled.setdefault(basket.order_id, False)

    async def count_basket(self, basket: Basket) -> None:
        last = self._bought.setdefault(basket.customer_id, {})
        for product_id in basket.product_ids:
            last[product_id] = max(last.get(product_id, basket.confirmed_at), basket.confirmed_at)
            tally = self._tallies.setdefault(product_id, _Tally())
            if basket.order_id not in tally.counted:
                tally.counted.add(basket.order_id)
                tally.orders += 1
                tally.trend += trend_weight(basket.confirmed_at)
                tally.together.update(companion for product, companion in pairs(basket) if product == product_id)

    async def settle_basket(self, order_id: str) -> None:
        self._settled[order_id] = True

    async def note_product(self, news: ProductNews) -> None:
        tally = self._tallies.setdefault(news.product_id, _Tally())
        if tally.changed_at <= news.changed_at:
            tally.active, tally.changed_at = news.active, news.changed_at

    async def import_model(self, model: Model) -> int:
        for news in model.products:
            self._tallies.setdefault(news.product_id, _imported(news, model.tallies.get(news.product_id)))
        for customer_id, history in model.histories.items():
            self._bought.setdefault(customer_id, dict(history.bought))
        for basket in model.baskets:
            self._settled.setdefault(basket.order_id, True)
        return len(model.products) + len(model.histories) + len(model.baskets)

    async def neighbourhoods(self, product_ids: Sequence[str]) -> Mapping[str, Neighbourhood]:
        self.reads.append("neighbourhoods")
        return {
            product_id: self._neighbourhood(product_id) for product_id in product_ids if product_id in self._tallies
        }

    async def histories(self, customer_ids: Sequence[str]) -> Mapping[str, History]:
        self.reads.append("histories")
        return {id_: History(id_, dict(self._bought[id_])) for id_ in customer_ids if id_ in self._bought}

    async def best_sellers(self, limit: int) -> Sequence[str]:
        self.reads.append("best_sellers")
        return sorted(self._active, key=lambda id_: (-self._tallies[id_].orders, id_))[:limit]

    async def trending(self, limit: int) -> Sequence[str]:
        self.reads.append("trending")
        return sorted(self._active, key=lambda id_: (-self._tallies[id_].trend, id_))[:limit]

    @property
    def _active(self) -> list[str]:
        return [product_id for product_id, tally in self._tallies.items() if tally.active]

    def _neighbourhood(self, product_id: str) -> Neighbourhood:
        tally = self._tallies[product_id]
        active = {id_: self._tallies[id_].orders for id_ in tally.together if self._tallies[id_].active}
        return Neighbourhood(product_id, tally.orders, dict(tally.together), active)


def _imported(news: ProductNews, tally: Tally | None) -> _Tally:
    if tally is None:
        return _Tally(news.active, news.changed_at)
    return _Tally(news.active, news.changed_at, tally.orders, tally.trend, Counter(tally.together))
