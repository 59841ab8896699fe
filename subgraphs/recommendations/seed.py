"""The demo shop as recommendations knows it: every order that was ever confirmed, already learned."""

from __future__ import annotations

from datetime import datetime

from subgraphs.demo import DemoShop, demo_shop
from subgraphs.demo.model import Product
from subgraphs.recommendations.domain import Basket, ProductNews, StockNews, new_basket
from subgraphs.recommendations.service import Recommendations


async def seed(recommendations: Recommendations, now: datetime) -> int:
    """Fill an empty database with the demo shop at ``now``; the number of documents."""
    shop = demo_shop(now)
    return await recommendations.import_shop(demo_products(shop), demo_stock(shop), demo_baskets(shop))


def demo_products(shop: DemoShop) -> list[ProductNews]:
    """Which products are sold: what inventory's first version of each of them says."""
    return [ProductNews(product.id, product.active, version=1) for product in shop.products]


def demo_stock(shop: DemoShop) -> list[StockNews]:
    """Which products are in stock at the opening: whatever inventory tells of it later is newer."""
    return [StockNews(product.id, _is_in_stock(product), version=0) for product in shop.products]


def demo_baskets(shop: DemoShop) -> list[Basket]:
    """The baskets of the orders that were confirmed, whatever became of them later."""
    return [
        new_basket(order.id, order.customer_id, (line.product_id for line in order.lines), order.confirmed_at)
        for order in shop.orders
        if order.confirmed_at is not None
    ]


def _is_in_stock(product: Product) -> bool:
    return any(level.on_hand > level.reserved for level in product.stock)
