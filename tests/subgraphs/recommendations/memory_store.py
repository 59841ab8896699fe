"""A store in memory that keeps the promises of the real one; both pass the same tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from subgraphs.recommendations.domain import (
    Basket,
    History,
    Model,
    Neighbourhood,
    ProductNews,
    Purchases,
    StockNews,
    basket_weight,
    bought_again,
    pairs,
    trend,
    week_of,
)


@dataclass(slots=True)
class _Tally:
    active: bool = False
    version: int = 0
    in_stock: bool = False
    stock_version: int = 0
    weight: int = 0
    weeks: Counter[int] = field(default_factory=Counter)
    together: Counter[str] = field(default_factory=Counter)
    counted: set[str] = field(default_factory=set)

    @property
    def sellable(self) -> bool:
        return self.active and self.in_stock

    def note(self, news: ProductNews) -> None:
        if self.version < news.version:
            self.active, self.version = news.active, news.version

    def note_stock(self, news: StockNews) -> None:
        if self.stock_version < news.version:
            self.in_stock, self.stock_version = news.in_stock, news.version


class MemoryStore:
    """Implements :class:`subgraphs.recommendations.service.Store`; ``reads`` names the queries that it was asked."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self._settled: dict[str, bool] = {}
        self._tallies: dict[str, _Tally] = {}
        self._bought: dict[str, dict[str, Purchases]] = {}
        self._counted: set[tuple[str, str]] = set()

    async def keep_basket(self, basket: Basket) -> bool:
        return not self._settled.setdefault(basket.order_id, False)

    async def count_basket(self, basket: Basket) -> None:
        self._count_history(basket)
        weight = basket_weight(basket.confirmed_at)
        for product_id in basket.product_ids:
            tally = self._tallies.setdefault(product_id, _Tally())
            if basket.order_id not in tally.counted:
                tally.counted.add(basket.order_id)
                tally.weight += weight
                tally.weeks[week_of(basket.confirmed_at)] += 1
                for companion in (companion for product, companion in pairs(basket) if product == product_id):
                    tally.together[companion] += weight

    async def settle_basket(self, order_id: str) -> None:
        self._settled[order_id] = True

    async def note_product(self, news: ProductNews) -> None:
        self._tallies.setdefault(news.product_id, _Tally()).note(news)

    async def note_stock(self, news: StockNews) -> None:
        self._tallies.setdefault(news.product_id, _Tally()).note_stock(news)

    async def import_model(self, model: Model) -> int:
        for news in model.products:
            self._tallies.setdefault(news.product_id, _imported(news, model))
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
        return sorted(self._sellable, key=lambda id_: (-self._tallies[id_].weeks.total(), id_))[:limit]

    async def trending(self, limit: int) -> Sequence[str]:
        self.reads.append("trending")
        return sorted(self._sellable, key=lambda id_: (-trend(self._tallies[id_].weeks), id_))[:limit]

    @property
    def _sellable(self) -> list[str]:
        return [product_id for product_id, tally in self._tallies.items() if tally.sellable]

    def _count_history(self, basket: Basket) -> None:
        own = self._bought.setdefault(basket.customer_id, {})
        if (basket.customer_id, basket.order_id) not in self._counted:
            self._counted.add((basket.customer_id, basket.order_id))
            for product_id in basket.product_ids:
                own[product_id] = bought_again(own.get(product_id), basket.confirmed_at)

    def _neighbourhood(self, product_id: str) -> Neighbourhood:
        tally = self._tallies[product_id]
        weights = {id_: self._tallies[id_].weight for id_ in tally.together if self._tallies[id_].sellable}
        return Neighbourhood(product_id, tally.weight, dict(tally.together), weights, tally.sellable)


def _imported(news: ProductNews, model: Model) -> _Tally:
    tally, stock = model.tallies.get(news.product_id), model.stock.get(news.product_id)
    imported = _Tally(news.active, news.version)
    if stock is not None:
        imported.in_stock, imported.stock_version = stock.in_stock, stock.version
    if tally is not None:
        imported.weight = tally.weight
        imported.weeks, imported.together = Counter(tally.weeks), Counter(tally.together)
    return imported
