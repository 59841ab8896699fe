"""What lies in a basket: products of one affinity, now and then a stray one, at the price of the day."""

from collections.abc import Container, Sequence
from datetime import timedelta
from random import Random

from subgraphs.demo.affinities import AFFINITIES, CONSUMABLES
from subgraphs.demo.catalogue import DISCONTINUED, ITEMS_BY_CATEGORY, OUT_OF_STOCK
from subgraphs.demo.drafts import Draft, seeded
from subgraphs.demo.fates import OUT_OF_STOCK as FATE_OUT_OF_STOCK
from subgraphs.demo.model import Item, OrderLine

ITEMS: dict[str, Item] = {item.sku: item for items in ITEMS_BY_CATEGORY.values() for item in items}

# Discontinued products were still sold before this age.
_DISCONTINUED_FOR = timedelta(days=120)
_CHEAP_MINOR = 2000
_FAR_COUNTRIES = ("CH", "GB")


def fill_basket(draft: Draft, owned: Container[str], dice: Random) -> tuple[OrderLine, ...]:
    """Return the lines of an order, each product once; `owned` are the SKUs that the customer bought before."""
    buyable = [sku for sku in ITEMS if _is_buyable(sku, draft, owned)]
    skus = _draw_from_affinity(draft, buyable, dice)
    if not skus or dice.random() < 0.12:
        skus.append(dice.choice(buyable))
    if draft.fate is FATE_OUT_OF_STOCK:
        skus.append(dice.choice(OUT_OF_STOCK))
    return tuple(_line(sku, draft.age, dice) for sku in dict.fromkeys(skus))


def shipping_fee_minor(subtotal_minor: int, country_code: str) -> int:
    """Return what sending an order costs: a flat fee, or nothing from 60 EUR; double of both outside the EU."""
    fee_minor, free_from_minor = (990, 12_000) if country_code in _FAR_COUNTRIES else (490, 6_000)
    return 0 if subtotal_minor >= free_from_minor else fee_minor


def _is_buyable(sku: str, draft: Draft, owned: Container[str]) -> bool:
    if sku in DISCONTINUED and draft.age < _DISCONTINUED_FOR:
        return False
    return sku in CONSUMABLES or sku not in owned


def _draw_from_affinity(draft: Draft, buyable: Sequence[str], dice: Random) -> list[str]:
    """Draw up to five SKUs from one affinity, those at its heart more often than those at its edge."""
    follows_taste = dice.random() < 0.85
    affinity = dice.choice(draft.shopper.tastes if follows_taste else list(AFFINITIES))
    left = [sku for sku in AFFINITIES[affinity] if sku in buyable]
    [size] = dice.choices((1, 2, 3, 4, 5), weights=(20, 32, 27, 15, 6))
    drawn: list[str] = []
    while left and len(drawn) < size:
        [sku] = dice.choices(left, weights=[1 / (rank + 1.5) for rank in range(len(left))])
        left.remove(sku)
        drawn.append(sku)
    return drawn


def _line(sku: str, age: timedelta, dice: Random) -> OrderLine:
    item = ITEMS[sku]
    quantity = dice.choice((1, 1, 1, 2, 2, 3)) if item.price_minor < _CHEAP_MINOR else 1
    return OrderLine(sku, quantity, _price_minor_at(item, age), item.weight_grams)


def _price_minor_at(item: Item, age: timedelta) -> int:
    """Return the price that was asked so long ago: a third of the products became dearer once in the past year."""
    dice = seeded(f"price of {item.sku}")
    if dice.random() < 1 / 3 and age > timedelta(days=dice.randrange(60, 300)):
        return item.price_minor * 92 // 1000 * 10
    return item.price_minor
