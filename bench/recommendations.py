"""``python -m bench.recommendations``: how often ten recommendations hit the next order, against popularity alone.

The protocol: a seeded shop has 500 orders of 60 customers. Of everyone who ordered at least twice the last order is
held out; everything else is learned. A hit is a list of ten that names a product of the order held out. Popularity
alone is the bar, learned from the same orders: the ten best-sellers for everyone; and, where only what is new to a
customer counts, the ten best-sellers that they do not have. The model's constants were chosen on the demo shop, which
is edition "" of the shop; the editions that are reported have other tastes and other baskets, and chose nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt
from statistics import mean, stdev

import click

from subgraphs.demo import DemoShop, demo_shop
from subgraphs.recommendations.domain import (
    Basket,
    Model,
    Neighbourhood,
    build_model,
    fill_with_popular,
    latest_products,
    rank_for_customer,
)
from subgraphs.recommendations.seed import demo_baskets, demo_products, demo_stock

LIST = 10
NOW = datetime(2026, 3, 14, 15, tzinfo=UTC)
Lists = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What was learned of all orders but the last ones, which are ``last``, by customer."""

    model: Model
    sellable: frozenset[str]
    last: Mapping[str, frozenset[str]]

    def hit_rate(self, lists: Lists) -> float:
        """The share of the customers whose list names a product of their last order."""
        return mean(not self.last[customer].isdisjoint(lists[customer][:LIST]) for customer in self.last)


@dataclass(frozen=True, slots=True)
class Rates:
    """Hit rates of one shop: ours, and popularity's."""

    ours: float
    popularity: float


def hold_out(shop: DemoShop) -> HeldOut:
    """Learn everything but the last order of everyone who ordered at least twice."""
    orders: dict[str, list[Basket]] = {}
    for basket in sorted(demo_baskets(shop), key=lambda basket: basket.confirmed_at):
        orders.setdefault(basket.customer_id, []).append(basket)
    last = {customer: frozenset(baskets.pop().product_ids) for customer, baskets in orders.items() if len(baskets) > 1}
    learned = [basket for baskets in orders.values() for basket in baskets]
    products, stock = demo_products(shop), demo_stock(shop)
    in_stock = {news.product_id for news in stock if news.in_stock}
    sellable = frozenset(news.product_id for news in products if news.active) & in_stock
    return HeldOut(build_model(products, stock, learned), sellable, last)


def best_sellers(held_out: HeldOut) -> list[str]:
    """The products that can be had, those of the most orders first."""
    tallies = held_out.model.tallies
    return sorted(held_out.sellable, key=lambda id_: (-tallies[id_].orders if id_ in tallies else 0, id_))


def recommend(held_out: HeldOut) -> Lists:
    """The whole list of recommendations for each customer, as the service would give it."""
    popular = best_sellers(held_out)
    return {customer: _recommend(held_out, customer, popular) for customer in held_out.last}


def _recommend(held_out: HeldOut, customer: str, popular: Sequence[str]) -> list[str]:
    history = held_out.model.histories[customer]
    around = {id_: _neighbourhood(held_out, id_) for id_ in latest_products(history)}
    ranking = rank_for_customer(history, around, NOW)
    return [each.product_id for each in fill_with_popular(ranking, popular, len(popular))]


def _neighbourhood(held_out: HeldOut, product_id: str) -> Neighbourhood:
    tally = held_out.model.tallies[product_id]
    weights = {id_: held_out.model.tallies[id_].weight for id_ in tally.together if id_ in held_out.sellable}
    return Neighbourhood(product_id, tally.weight, tally.together, weights, product_id in held_out.sellable)


def compare(edition: str, *, only_new: bool) -> Rates:
    """The hit rates of one edition of the shop; ``only_new`` leaves out what a customer has."""
    held_out = hold_out(demo_shop(NOW, edition))
    ours = recommend(held_out)
    popular: Lists = dict.fromkeys(held_out.last, best_sellers(held_out))
    if only_new:
        ours, popular = _new(held_out, ours), _new(held_out, popular)
    return Rates(held_out.hit_rate(ours), held_out.hit_rate(popular))


def _new(held_out: HeldOut, lists: Lists) -> Lists:
    histories = held_out.model.histories
    return {customer: [id_ for id_ in ids if id_ not in histories[customer].bought] for customer, ids in lists.items()}


def render(name: str, rates: Sequence[Rates]) -> str:
    """One line: means and spreads over the shops, and the 95% interval of the difference within a shop."""
    gains = [each.ours - each.popularity for each in rates]
    margin = 1.96 * stdev(gains) / sqrt(len(gains))
    better = sum(gain > 0 for gain in gains)
    return (
        f"{name}: ours {_share(each.ours for each in rates)}, popularity {_share(each.popularity for each in rates)}; "
        f"difference {mean(gains):+.1%} ± {margin:.1%} (95%), better in {better} of {len(gains)} shops"
    )


def _share(values: Iterable[float]) -> str:
    shares = list(values)
    return f"{mean(shares):.1%} (standard deviation {stdev(shares):.1%})"


@click.command()
@click.option("--shops", default=20, type=click.IntRange(min=2), help="How many seeded shops.")
def main(shops: int) -> None:
    """Print the hit rates at 10 of recommendations and of popularity alone, with the last orders held out."""
    editions = [f" edition {number}" for number in range(1, shops + 1)]
    for name, only_new in (("any product", False), ("new products", True)):
        click.echo(render(name, [compare(edition, only_new=only_new) for edition in editions]))


if __name__ == "__main__":
    main()
