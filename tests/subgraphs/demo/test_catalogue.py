"""The catalogue is one that a person believes, and every list that names a SKU names one of its own."""

import re
from collections import Counter

from subgraphs.demo import DemoShop
from subgraphs.demo.affinities import AFFINITIES, CONSUMABLES
from subgraphs.demo.catalogue import DISCONTINUED, ITEMS_BY_CATEGORY, OUT_OF_STOCK, SCARCE


def test_some_200_products_in_12_categories(shop: DemoShop) -> None:
    by_category = Counter(product.category for product in shop.products)
    assert len(shop.products) == 204
    assert len(by_category) == 12
    assert min(by_category.values()) >= 12


def test_skus_and_names_are_unique(shop: DemoShop) -> None:
    assert len({product.id for product in shop.products}) == len(shop.products)
    assert len({product.name for product in shop.products}) == len(shop.products)


def test_every_product_is_complete(shop: DemoShop) -> None:
    for product in shop.products:
        assert re.fullmatch(r"[A-Z]{3}-\d{3}", product.id)
        assert product.description.endswith("."), product
        assert 100 <= product.price_minor <= 100_000, product
        assert 10 <= product.weight_grams <= 12_000, product
        assert product.image_url == f"/images/products/{product.id}.webp"


def test_named_skus_exist_once_in_each_list() -> None:
    skus = {item.sku for items in ITEMS_BY_CATEGORY.values() for item in items}
    for named in (*AFFINITIES.values(), CONSUMABLES, DISCONTINUED, OUT_OF_STOCK, SCARCE):
        assert set(named) <= skus
        assert len(set(named)) == len(named)


def test_every_product_has_company_in_some_affinity() -> None:
    skus = {item.sku for items in ITEMS_BY_CATEGORY.values() for item in items}
    assert skus - {sku for group in AFFINITIES.values() for sku in group} == set()


def test_customers_are_unique_and_ada_comes_first(shop: DemoShop) -> None:
    ada = shop.customers[0]
    assert (ada.id, ada.name, ada.email) == ("cus_ada", "Ada Lovelace", "ada@example.com")
    assert len(shop.customers) == 60
    assert len({customer.id for customer in shop.customers}) == 60
    assert all(re.fullmatch(r"cus_[a-z]+", customer.id) for customer in shop.customers)
    assert all(re.fullmatch(r"[A-Z]{2}", customer.address.country_code) for customer in shop.customers)
