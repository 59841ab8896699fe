"""Who ordered when, and how it went: the drafts of the demo shop's orders, oldest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from subgraphs.demo.affinities import AFFINITIES
from subgraphs.demo.fates import FATES, FATES_OF_ADA, Fate
from subgraphs.demo.model import Customer

_TASTES_OF_ADA = ("pour-over", "letters", "reading corner")
_TASTES = 3


@dataclass(frozen=True, slots=True)
class Shopper:
    """A customer with the affinities that their baskets are drawn from."""

    customer: Customer
    tastes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """An order before it has lines: the shopper, the fate and how long ago it was placed."""

    shopper: Shopper
    fate: Fate
    age: timedelta


def seeded(name: str) -> Random:
    """Return a generator for one part of the shop: equal in every process, and untouched by changes of other parts."""
    return Random(f"galleria demo shop: {name}")  # noqa: S311 - a shop window, not a secret


def draft_orders(customers: Sequence[Customer], edition: str) -> tuple[Draft, ...]:
    """Return one draft per order of that edition of the shop, the oldest first; the first customer is Ada."""
    dice = seeded(f"drafts{edition}")
    ada, *others = (_shopper(customer, dice) for customer in customers)
    regulars = [dice.choice((1, 1, 2, 3, 5)) for _ in others]
    drafts = [_draft(Shopper(ada.customer, _TASTES_OF_ADA), fate, dice) for fate in FATES_OF_ADA]
    for fate in _fates_of_others():
        [shopper] = dice.choices(others, weights=regulars)
        drafts.append(_draft(shopper, fate, dice))
    return tuple(sorted(drafts, key=lambda draft: -draft.age))


def _fates_of_others() -> Iterator[Fate]:
    for fate in FATES:
        yield from [fate] * (fate.orders - FATES_OF_ADA.count(fate))


def _shopper(customer: Customer, dice: Random) -> Shopper:
    return Shopper(customer, tuple(dice.sample(list(AFFINITIES), _TASTES)))


def _draft(shopper: Shopper, fate: Fate, dice: Random) -> Draft:
    # The exponent leans towards the present: the shop grows.
    age_h = fate.youngest_h + (fate.oldest_h - fate.youngest_h) * dice.random() ** 1.3
    return Draft(shopper, fate, timedelta(seconds=round(age_h * 3600)))
