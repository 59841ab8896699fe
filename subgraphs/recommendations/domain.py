"""Recommendations: what confirmed orders tell of products that belong together, as pure functions.

Theory of operation. A confirmed order is a :class:`Basket`. Each product keeps a :class:`Tally`: in how many baskets it
was, and with which other products. Tallies are plain counts, so baskets may be added one by one, in any order, and
:func:`tally_baskets` over all of them gives the same. What the counts mean is decided when they are read:
:func:`affinity` weighs the co-occurrence of two products by its lift, which keeps best-sellers from being everyone's
companion. Where that says too little (a new product, a new customer), what sells well follows.

    Basket(("COF-001", "COF-012")) -> Tally("COF-001", orders=1, together={"COF-012": 1}), Tally("COF-012", ...)
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import permutations

PRODUCT_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
"""What a product's id looks like. It is a key in our documents, so it holds neither dots nor dollars."""

MOST_RECOMMENDED = 20
"""How many products one list of recommendations may have."""

MOST_POPULAR = 100
"""How many best-sellers are looked through for those that a list may still take."""

LARGEST_PAIRED_BASKET = 50
"""Larger baskets count for popularity alone: they are a reseller's, tell of no taste, and have too many pairs."""

LONGEST_HISTORY = 50
"""How many products of a customer, the latest first, speak for their taste."""

TREND_HALF_LIFE = timedelta(days=14)

_TREND_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_RARITY = 5
"""Added to a product's orders before dividing by them, so that one meeting of two rare products is not a rule."""


@dataclass(frozen=True, slots=True)
class Basket:
    """The products of one confirmed order, each once, in the order of their ids."""

    order_id: str
    customer_id: str
    product_ids: tuple[str, ...]
    confirmed_at: datetime

    @property
    def is_paired(self) -> bool:
        """Whether the basket tells which products belong together."""
        return len(self.product_ids) <= LARGEST_PAIRED_BASKET


@dataclass(frozen=True, slots=True)
class ProductNews:
    """Whether a product is sold, as of a time."""

    product_id: str
    active: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted for one product: its baskets, its trend, and its baskets together with each other product."""

    product_id: str
    orders: int
    trend: float
    together: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A product's counts beside those of its companions; `companion_orders` holds only those that are active."""

    product_id: str
    orders: int
    together: Mapping[str, int]
    companion_orders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """What a customer bought, and when last."""

    customer_id: str
    bought: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Model:
    """All that was learned: what an empty store is filled with."""

    products: tuple[ProductNews, ...]
    baskets: tuple[Basket, ...]
    tallies: Mapping[str, Tally]
    histories: Mapping[str, History]


def new_basket(order_id: str, customer_id: str, product_ids: Iterable[str], confirmed_at: datetime) -> Basket:
    """Return the basket of an order; a product on several lines is in it once."""
    return Basket(order_id, customer_id, tuple(sorted(set(product_ids))), confirmed_at)


def trend_weight(confirmed_at: datetime) -> float:
    """Return how much a basket of that time counts for its products' trend: twice as much as one a half-life older.

    Weights grow with time rather than decay with age, so a sum of them never has to be touched again, and sorts as
    decayed sums would (forward decay: Cormode, Shkapenyuk, Srivastava and Xu, ICDE 2009).
    """
    return math.exp2((confirmed_at - _TREND_EPOCH) / TREND_HALF_LIFE)


def build_model(products: Iterable[ProductNews], baskets: Iterable[Basket]) -> Model:
    """Return what learning the baskets one by one, in any order, would lead to."""
    kept = tuple(baskets)
    return Model(tuple(products), kept, tally_baskets(kept), gather_histories(kept))


def tally_baskets(baskets: Iterable[Basket]) -> dict[str, Tally]:
    """Return the tally of every product in `baskets`, by product id."""
    orders: Counter[str] = Counter()
    trends: dict[str, float] = {}
    together: dict[str, Counter[str]] = {}
    for basket in baskets:
        orders.update(basket.product_ids)
        for product_id in basket.product_ids:
            trends[product_id] = trends.get(product_id, 0.0) + trend_weight(basket.confirmed_at)
        for product_id, companion in pairs(basket):
            together.setdefault(product_id, Counter())[companion] += 1
    return {
        product_id: Tally(product_id, count, trends[product_id], dict(together.get(product_id, {})))
        for product_id, count in orders.items()
    }


def pairs(basket: Basket) -> Iterable[tuple[str, str]]:
    """Return each product of the basket with each other one, both ways round; none for a basket that is too large."""
    return permutations(basket.product_ids, 2) if basket.is_paired else ()


def gather_histories(baskets: Iterable[Basket]) -> dict[str, History]:
    """Return the history of every customer in `baskets`, by customer id."""
    bought: dict[str, dict[str, datetime]] = {}
    for basket in baskets:
        last = bought.setdefault(basket.customer_id, {})
        for product_id in basket.product_ids:
            last[product_id] = max(last.get(product_id, basket.confirmed_at), basket.confirmed_at)
    return {customer_id: History(customer_id, last) for customer_id, last in bought.items()}


def affinity(together: int, orders: int, companion_orders: int) -> float:
    """Return how strongly a product calls for a companion: their co-occurrence, weighted by its lift.

    The lift of two products is `together * all / (orders * companion_orders)`. The number of all orders is the same for
    every pair, so it is left out: it would move no product past another.
    """
    return together * together / (orders * (companion_orders + _RARITY))


def rank_companions(neighbourhood: Neighbourhood) -> list[str]:
    """Return the active companions of a product, the strongest first."""
    return _ranked(_affinities(neighbourhood))


def rank_for_customer(history: History, neighbourhoods: Iterable[Neighbourhood]) -> list[str]:
    """Return what goes with the products that a customer has, the strongest first, and never what they have."""
    scores: dict[str, float] = {}
    for neighbourhood in neighbourhoods:
        for companion, score in _affinities(neighbourhood).items():
            scores[companion] = scores.get(companion, 0.0) + score
    return [product_id for product_id in _ranked(scores) if product_id not in history.bought]


def latest_products(history: History) -> list[str]:
    """Return the products that speak for a customer's taste, the latest bought first."""
    by_time = sorted(history.bought, key=lambda product_id: (history.bought[product_id], product_id), reverse=True)
    return by_time[:LONGEST_HISTORY]


def fill_with_popular(ranked: Sequence[str], popular: Iterable[str], unwanted: Collection[str]) -> tuple[str, ...]:
    """Return `ranked`, then best-sellers that are neither in it nor `unwanted`; at most MOST_RECOMMENDED."""
    more = (product_id for product_id in popular if product_id not in unwanted)
    return tuple(dict.fromkeys((*ranked, *more)))[:MOST_RECOMMENDED]


def _affinities(neighbourhood: Neighbourhood) -> dict[str, float]:
    return {
        companion: affinity(neighbourhood.together[companion], neighbourhood.orders, companion_orders)
        for companion, companion_orders in neighbourhood.companion_orders.items()
    }


def _ranked(scores: Mapping[str, float]) -> list[str]:
    return sorted(scores, key=lambda product_id: (-scores[product_id], product_id))
