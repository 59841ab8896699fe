"""Baskets make sense to a person: what lies together is what people buy together."""

from collections import Counter
from itertools import combinations

from subgraphs.demo import DemoShop
from subgraphs.demo.affinities import AFFINITIES


def test_most_pairs_in_a_basket_share_an_affinity(shop: DemoShop) -> None:
    pairs = [
        {first.product_id, second.product_id} for order in shop.orders for first, second in combinations(order.lines, 2)
    ]
    sensible = sum(any(pair <= set(group) for group in AFFINITIES.values()) for pair in pairs)
    assert sensible / len(pairs) > 0.75


def test_a_tent_is_bought_with_a_sleeping_bag_or_mat(shop: DemoShop) -> None:
    company: Counter[str] = Counter()
    for order in shop.orders:
        skus = [line.product_id for line in order.lines]
        if "CMP-001" in skus:
            company.update(sku for sku in skus if sku != "CMP-001")
    assert {sku for sku, _ in company.most_common(3)} & {"CMP-005", "CMP-006", "CMP-003"}


def test_inactive_products_are_in_old_orders_only(shop: DemoShop) -> None:
    inactive = {product.id for product in shop.products if not product.active}
    ages = [
        (shop.orders[-1].placed_at - order.placed_at).days
        for order in shop.orders
        for line in order.lines
        if line.product_id in inactive
    ]
    assert ages
    assert min(ages) >= 119
