"""The use cases of recommendations: learn from events, and answer for many products or customers at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from subgraphs.recommendations.domain import (
    MOST_POPULAR,
    Basket,
    History,
    Model,
    Neighbourhood,
    ProductNews,
    Ranking,
    StockNews,
    build_model,
    latest_products,
    rank_companions,
    rank_for_customer,
)


class Store(Protocol):
    """What the use cases need of a database; every read is one query, however many keys it gets."""

    async def keep_basket(self, basket: Basket) -> bool:
        """Keep ``basket`` once; True as long as it is not settled."""

    async def count_basket(self, basket: Basket) -> None:
        """Add ``basket`` to the tallies of its products and to its customer's history; a repeat changes nothing."""

    async def settle_basket(self, order_id: str) -> None:
        """Remember that the basket was counted everywhere."""

    async def note_product(self, news: ProductNews) -> None:
        """Remember whether a product is sold; news that is not newer than what is known changes nothing."""

    async def note_stock(self, news: StockNews) -> None:
        """Remember whether a product is in stock; news that is not newer than what is known changes nothing."""

    async def import_model(self, model: Model) -> int:
        """Fill an empty store, baskets settled; the number of documents. What is there already stays as it is."""

    async def neighbourhoods(self, product_ids: Sequence[str]) -> Mapping[str, Neighbourhood]:
        """The counts of the products that are known, with those of their sellable companions."""

    async def histories(self, customer_ids: Sequence[str]) -> Mapping[str, History]:
        """What the customers who ever bought something have bought."""

    async def best_sellers(self, limit: int) -> Sequence[str]:
        """Sellable products by the number of their baskets, most first."""

    async def trending(self, limit: int) -> Sequence[str]:
        """Sellable products by their trend, strongest first."""


@dataclass(frozen=True, slots=True)
class Recommendations:
    """The use cases over one store; ``clock`` tells how old a basket is."""

    store: Store
    clock: Callable[[], datetime]

    async def learn(self, basket: Basket) -> None:
        """Learn from a confirmed order; any number of repeats, and a crash between any two steps, count it once."""
        if await self.store.keep_basket(basket):
            await self.store.count_basket(basket)
            await self.store.settle_basket(basket.order_id)

    async def note_product(self, news: ProductNews) -> None:
        """Remember whether a product is sold: one that is not, or of which nobody said so, is never recommended."""
        await self.store.note_product(news)

    async def note_stock(self, news: StockNews) -> None:
        """Remember whether a product is in stock: one that is not, or of which nobody said so, is never recommended."""
        await self.store.note_stock(news)

    async def import_shop(
        self, products: Iterable[ProductNews], stock: Iterable[StockNews], baskets: Iterable[Basket]
    ) -> int:
        """Learn everything at once into an empty store; the number of documents. May be repeated after a crash."""
        return await self.store.import_model(build_model(products, stock, baskets))

    async def companions(self, product_ids: Sequence[str]) -> Mapping[str, Ranking]:
        """What goes with each product that is known."""
        neighbourhoods = await self.store.neighbourhoods(product_ids)
        now = self.clock()
        return {product_id: rank_companions(around, now) for product_id, around in neighbourhoods.items()}

    async def tastes(self, customer_ids: Sequence[str]) -> Mapping[str, Ranking]:
        """What goes with all that a customer has, for each who ever bought something."""
        histories = await self.store.histories(customer_ids)
        latest = {customer_id: latest_products(history) for customer_id, history in histories.items()}
        wanted = sorted({product_id for ids in latest.values() for product_id in ids})
        around = await self.store.neighbourhoods(wanted) if wanted else {}
        now = self.clock()
        return {
            id_: rank_for_customer(histories[id_], {each: around[each] for each in ids if each in around}, now)
            for id_, ids in latest.items()
        }

    async def popular(self) -> Sequence[str]:
        """The MOST_POPULAR best-sellers: what follows where too little is known."""
        return await self.store.best_sellers(MOST_POPULAR)

    async def trending(self, first: int) -> Sequence[str]:
        """The ``first`` products that sell best these weeks."""
        return await self.store.trending(first)
