"""Recommendations: what confirmed orders tell of products that belong together, as pure functions.

Theory of operation. A confirmed order is a :class:`Basket`. Each product keeps a :class:`Tally`: in how many baskets it
was, and how much of them it shared with each other product. A basket counts for less the older it is; that is written
as a weight that grows with the basket's time (forward decay: Cormode, Shkapenyuk, Srivastava and Xu, ICDE 2009), so
that a sum never has to be touched again. Weights are integers and tallies are plain sums of them, so baskets may be
added one by one, in any order, and :func:`tally_baskets` over all of them gives the same to the last bit. What the sums
mean is decided when they are read: :func:`affinity` is the lift of two products, which keeps best-sellers from being
everyone's companion. Where that says too little (a new product, a new customer), what sells well follows.

    Basket(("COF-001", "COF-012")) -> Tally("COF-001", 1, together={"COF-012": w}), Tally("COF-012", ...)
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import permutations

PRODUCT_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
"""What a product's id looks like. It is a key in our documents, so it holds neither dots nor dollars."""

MOST_RECOMMENDED = 20
"""How many products one list of recommendations may have."""

MOST_POPULAR = 60
"""How many best-sellers are looked through for those that a list may still take."""

LARGEST_PAIRED_BASKET = 50
"""Larger baskets count for popularity alone: they are a reseller's, tell of no taste, and have too many pairs."""

LONGEST_HISTORY = 50
"""How many products of a customer, the latest first, speak for their taste."""

MOST_BOUGHT_AGAIN = 2
"""How many products that a customer buys again and again lead their list: the rest of it is for what is new to them."""

HALF_LIFE = timedelta(days=180)
"""A basket says half as much of what belongs together as one that is so much younger."""

TREND_HALF_LIFE_WEEKS = 2

_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_WEEK = timedelta(days=7)
_WEIGHT_BITS = 12
"""Precision of the weight of a basket of the epoch. Sums must stay below 2**63: enough for a million baskets of one
product at the weight of 2040. Before that, choose a later epoch and rebuild."""
_RARITY = 3
"""As many baskets of today are added to a product's own, so that one meeting of two rare products is not a rule."""


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
    """Whether a product is sold; of several news of a product the one with the highest ``version`` holds."""

    product_id: str
    active: bool
    version: int


@dataclass(frozen=True, slots=True)
class StockNews:
    """Whether a product is in stock; of several news of its stock the one with the highest ``version`` holds."""

    product_id: str
    in_stock: bool
    version: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted for one product.

    ``orders`` is the number of its baskets, ``weight`` the sum of their weights, ``weeks`` their number in each week,
    and ``together`` the sum of the weights of those baskets that held the companion as well.
    """

    product_id: str
    orders: int
    weight: int
    weeks: Mapping[int, int]
    together: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A product's sums beside those of its companions.

    ``sellable`` tells whether the product is sold and in stock; ``companion_weights`` holds only companions that are.
    """

    product_id: str
    weight: int
    together: Mapping[str, int]
    companion_weights: Mapping[str, int] = field(default_factory=dict)
    sellable: bool = True


@dataclass(frozen=True, slots=True)
class Purchases:
    """In how many orders a customer bought a product, and when last."""

    times: int
    last: datetime


@dataclass(frozen=True, slots=True)
class History:
    """What a customer bought, by product id."""

    customer_id: str
    bought: Mapping[str, Purchases]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A product for a customer, because they bought ``because``; None where it is a best-seller."""

    product_id: str
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The suggestions that were learned, the strongest first; best-sellers may follow, but those in ``unwanted``."""

    suggestions: tuple[Suggestion, ...] = ()
    unwanted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Model:
    """All that was learned: what an empty store is filled with; ``stock`` is by product id."""

    products: tuple[ProductNews, ...]
    stock: Mapping[str, StockNews]
    baskets: tuple[Basket, ...]
    tallies: Mapping[str, Tally]
    histories: Mapping[str, History]


def new_basket(order_id: str, customer_id: str, product_ids: Iterable[str], confirmed_at: datetime) -> Basket:
    """Return the basket of an order; a product on several lines is in it once."""
    return Basket(order_id, customer_id, tuple(sorted(set(product_ids))), confirmed_at)


def basket_weight(confirmed_at: datetime) -> int:
    """Return how much a basket of that time counts: twice as much as one that is a half-life older, and at least 1."""
    return max(1, round(math.exp2(_WEIGHT_BITS + (confirmed_at - _EPOCH) / HALF_LIFE)))


def week_of(confirmed_at: datetime) -> int:
    """Return the number of the week since the epoch; negative before it."""
    return (confirmed_at - _EPOCH) // _WEEK


def trend(weeks: Mapping[int, int]) -> float:
    """Return what sorts products by how well they sell lately: a basket counts half for each half-life of age.

    The half-life is too short for integer weights, whose sums would overflow within two years. So the baskets are
    counted by the week, and this is derived from the counts, always in the same order: rounding is the same, too.
    """
    return sum(count * math.exp2(week / TREND_HALF_LIFE_WEEKS) for week, count in sorted(weeks.items()))


def build_model(products: Iterable[ProductNews], stock: Iterable[StockNews], baskets: Iterable[Basket]) -> Model:
    """Return what learning all this one by one, in any order, would lead to."""
    kept = tuple(baskets)
    by_product = {news.product_id: news for news in stock}
    return Model(tuple(products), by_product, kept, tally_baskets(kept), gather_histories(kept))


def tally_baskets(baskets: Iterable[Basket]) -> dict[str, Tally]:
    """Return the tally of every product in `baskets`, by product id."""
    weeks: dict[str, Counter[int]] = {}
    weights: Counter[str] = Counter()
    together: dict[str, Counter[str]] = {}
    for basket in baskets:
        weight, week = basket_weight(basket.confirmed_at), week_of(basket.confirmed_at)
        for product_id in basket.product_ids:
            weights[product_id] += weight
            weeks.setdefault(product_id, Counter())[week] += 1
        for product_id, companion in pairs(basket):
            together.setdefault(product_id, Counter())[companion] += weight
    return {
        product_id: Tally(product_id, counts.total(), weights[product_id], counts, together.get(product_id, Counter()))
        for product_id, counts in weeks.items()
    }


def pairs(basket: Basket) -> Iterable[tuple[str, str]]:
    """Return each product of the basket with each other one, both ways round; none for a basket that is too large."""
    return permutations(basket.product_ids, 2) if basket.is_paired else ()


def gather_histories(baskets: Iterable[Basket]) -> dict[str, History]:
    """Return the history of every customer in `baskets`, by customer id."""
    bought: dict[str, dict[str, Purchases]] = {}
    for basket in baskets:
        own = bought.setdefault(basket.customer_id, {})
        for product_id in basket.product_ids:
            own[product_id] = bought_again(own.get(product_id), basket.confirmed_at)
    return {customer_id: History(customer_id, own) for customer_id, own in bought.items()}


def bought_again(before: Purchases | None, at: datetime) -> Purchases:
    """Return the purchases of a product with one more at ``at``; ``before`` is None where it is the first."""
    return Purchases(before.times + 1, max(before.last, at)) if before else Purchases(1, at)


def affinity(together: int, weight: int, companion_weight: int, today: int) -> float:
    """Return how strongly a product calls for a companion: the lift of the two, in weights of baskets.

    Lift is `together * all / (weight * companion_weight)`. The weight of all baskets is the same for every pair, so it
    is left out: it would move no product past another. ``today`` is the weight of a basket of today.
    """
    return together / (weight * (companion_weight + _RARITY * today))


def rank_companions(neighbourhood: Neighbourhood, now: datetime) -> Ranking:
    """Return the sellable companions of a product, the strongest first, up to MOST_RECOMMENDED."""
    product_id = neighbourhood.product_id
    ids = _ranked(_affinities(neighbourhood, basket_weight(now)))[:MOST_RECOMMENDED]
    return Ranking(tuple(Suggestion(id_, product_id) for id_ in ids), frozenset({product_id}))


def rank_for_customer(history: History, neighbourhoods: Mapping[str, Neighbourhood], now: datetime) -> Ranking:
    """Return what a customer buys again and again, then what goes with all that they have, the strongest first.

    Each says because of which of their products: the one that calls for it most. Of what they have, only the
    MOST_BOUGHT_AGAIN are in it; it has up to MOST_RECOMMENDED.
    """
    today = basket_weight(now)
    scores: dict[str, float] = {}
    strongest: dict[str, tuple[float, str]] = {}
    for product_id in sorted(neighbourhoods):
        for companion, score in _affinities(neighbourhoods[product_id], today).items():
            scores[companion] = scores.get(companion, 0.0) + score
            strongest[companion] = max(strongest.get(companion, (0.0, "")), (score, product_id))
    again = [Suggestion(product_id, product_id) for product_id in _bought_again_and_again(history, neighbourhoods)]
    new = [Suggestion(id_, strongest[id_][1]) for id_ in _ranked(scores) if id_ not in history.bought]
    return Ranking(tuple((again + new)[:MOST_RECOMMENDED]), frozenset(history.bought))


def latest_products(history: History) -> list[str]:
    """Return the products that speak for a customer's taste, the latest bought first."""
    by_time = sorted(history.bought, key=lambda product_id: (history.bought[product_id].last, product_id), reverse=True)
    return by_time[:LONGEST_HISTORY]


def fill_with_popular(ranking: Ranking, popular: Iterable[str], first: int) -> list[Suggestion]:
    """Return the ``first`` of a ranking, filled up with best-sellers that are neither in it nor unwanted."""
    known = {suggestion.product_id for suggestion in ranking.suggestions} | ranking.unwanted
    more = [Suggestion(product_id) for product_id in popular if product_id not in known]
    return [*ranking.suggestions, *more][:first]


def _affinities(neighbourhood: Neighbourhood, today: int) -> dict[str, float]:
    return {
        companion: affinity(neighbourhood.together[companion], neighbourhood.weight, companion_weight, today)
        for companion, companion_weight in neighbourhood.companion_weights.items()
    }


def _bought_again_and_again(history: History, neighbourhoods: Mapping[str, Neighbourhood]) -> list[str]:
    again = [
        product_id
        for product_id, around in neighbourhoods.items()
        if around.sellable and history.bought[product_id].times > 1
    ]
    again.sort(key=lambda product_id: (history.bought[product_id].times, history.bought[product_id].last, product_id))
    return again[: -MOST_BOUGHT_AGAIN - 1 : -1]


def _ranked(scores: Mapping[str, float]) -> list[str]:
    return sorted(scores, key=lambda product_id: (-scores[product_id], product_id))
