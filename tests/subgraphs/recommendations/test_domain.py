"""What baskets tell of products, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.recommendations.domain import (
    HALF_LIFE,
    LARGEST_PAIRED_BASKET,
    LONGEST_HISTORY,
    MOST_BOUGHT_AGAIN,
    MOST_RECOMMENDED,
    TREND_HALF_LIFE_WEEKS,
    Basket,
    History,
    Neighbourhood,
    Purchases,
    Ranking,
    Suggestion,
    Tally,
    affinity,
    basket_weight,
    fill_with_popular,
    gather_histories,
    latest_products,
    pairs,
    rank_companions,
    rank_for_customer,
    tally_baskets,
    trend,
    week_of,
)
from tests.subgraphs.recommendations.examples import NOW, TODAY, a_basket

FIRST = Purchases(1, NOW)
PRODUCTS = ("COF-001", "COF-012", "MUG-001", "CMP-001", "CMP-005")


@st.composite
def baskets(draw: st.DrawFn) -> list[Basket]:
    contents = draw(st.lists(st.sets(st.sampled_from(PRODUCTS), min_size=1), max_size=12))
    days = draw(st.lists(st.integers(0, 700), min_size=len(contents), max_size=len(contents)))
    return [
        a_basket(f"ord_{number}", *ids, customer_id=f"cus_{number % 3}", at=NOW - timedelta(days=age))
        for number, (ids, age) in enumerate(zip(contents, days, strict=True))
    ]


def test_a_product_on_two_lines_is_in_the_basket_once() -> None:
    assert a_basket("ord_1", "MUG-001", "COF-001", "MUG-001").product_ids == ("COF-001", "MUG-001")


def around(
    product_id: str, orders: int, companions: dict[str, tuple[int, int]], *, sellable: bool = True
) -> Neighbourhood:
    """A neighbourhood in baskets of today: ``companions`` by (baskets together, the companion's baskets)."""
    together = {id_: TODAY * shared for id_, (shared, _) in companions.items()}
    weights = {id_: TODAY * own for id_, (_, own) in companions.items() if own}
    return Neighbourhood(product_id, TODAY * orders, together, weights, sellable)


def ids(ranking: Ranking) -> list[str]:
    return [suggestion.product_id for suggestion in ranking.suggestions]


def test_every_product_of_a_basket_counts_the_others() -> None:
    earlier = NOW - HALF_LIFE
    tallies = tally_baskets([a_basket("ord_1", "COF-001", "COF-012"), a_basket("ord_2", "COF-001", at=earlier)])
    weeks = {week_of(NOW): 1, week_of(earlier): 1}
    assert tallies == {
        "COF-001": Tally("COF-001", 2, TODAY + basket_weight(earlier), weeks, {"COF-012": TODAY}),
        "COF-012": Tally("COF-012", 1, TODAY, {week_of(NOW): 1}, {"COF-001": TODAY}),
    }


@given(baskets())
def test_co_occurrence_is_symmetric_and_never_exceeds_either_product(some: list[Basket]) -> None:
    tallies = tally_baskets(some)
    for tally in tallies.values():
        for companion, count in tally.together.items():
            assert tallies[companion].together[tally.product_id] == count
            assert 1 <= count <= min(tally.weight, tallies[companion].weight)


@given(baskets(), st.randoms(use_true_random=False))
def test_the_order_in_which_baskets_come_changes_no_count(some: list[Basket], dice: Random) -> None:
    shuffled = list(some)
    dice.shuffle(shuffled)
    assert tally_baskets(shuffled) == tally_baskets(some)
    assert {id_: trend(tally.weeks) for id_, tally in tally_baskets(shuffled).items()} == {
        id_: trend(tally.weeks) for id_, tally in tally_baskets(some).items()
    }
    assert gather_histories(shuffled) == gather_histories(some)


def test_a_resellers_basket_counts_for_popularity_alone() -> None:
    huge = a_basket("ord_1", *(f"MUG-{number:03}" for number in range(LARGEST_PAIRED_BASKET + 1)))
    assert list(pairs(huge)) == []
    assert tally_baskets([huge])["MUG-000"].orders == 1


def test_the_largest_basket_that_tells_of_taste_is_paired() -> None:
    large = a_basket("ord_1", *(f"MUG-{number:03}" for number in range(LARGEST_PAIRED_BASKET)))
    assert len(list(pairs(large))) == LARGEST_PAIRED_BASKET * (LARGEST_PAIRED_BASKET - 1)


def test_a_best_seller_is_no_companion_for_being_everywhere() -> None:
    """Of two products that were bought as often with this one, the one that is seldom bought without it comes first."""
    assert ids(rank_companions(around("COF-001", 10, {"COF-012": (4, 6), "MUG-001": (4, 300)}), NOW)) == [
        "COF-012",
        "MUG-001",
    ]


def test_one_meeting_of_two_rare_products_is_no_rule() -> None:
    """It says less than several meetings, and more than one meeting with a best-seller."""
    met = {"COF-012": (4, 12), "BOK-013": (1, 1), "MUG-001": (1, 50)}
    assert ids(rank_companions(around("COF-001", 10, met), NOW)) == ["COF-012", "BOK-013", "MUG-001"]


def test_what_was_bought_together_of_late_comes_before_what_once_was() -> None:
    old = [a_basket(f"ord_{n}", "COF-001", "COF-012", at=NOW - 4 * HALF_LIFE) for n in range(5)]
    tallies = tally_baskets([*old, a_basket("ord_9", "COF-001", "MUG-001")])
    weights = {id_: tallies[id_].weight for id_ in ("COF-012", "MUG-001")}
    grinder = tallies["COF-001"]
    assert ids(rank_companions(Neighbourhood("COF-001", grinder.weight, grinder.together, weights), NOW)) == [
        "MUG-001",
        "COF-012",
    ]


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 500))
def test_affinity_grows_with_co_occurrence_and_shrinks_with_the_companions_own_orders(
    together: int, weight: int, companion_weight: int
) -> None:
    here = affinity(together, weight, companion_weight, 1)
    assert affinity(together + 1, weight, companion_weight, 1) > here
    assert affinity(together, weight, companion_weight + 1, 1) < here


def test_companions_that_cannot_be_had_are_left_out() -> None:
    assert ids(rank_companions(around("COF-001", 3, {"COF-012": (2, 2), "COF-017": (3, 0)}), NOW)) == ["COF-012"]


def test_equally_strong_companions_are_in_the_order_of_their_ids() -> None:
    for order in permutations(("MUG-001", "COF-012", "TEA-001")):
        assert ids(rank_companions(around("COF-001", 3, dict.fromkeys(order, (1, 1))), NOW)) == [
            "COF-012",
            "MUG-001",
            "TEA-001",
        ]


def test_a_customer_is_recommended_what_goes_with_all_they_have_and_not_what_they_have() -> None:
    history = History("cus_ada", {"COF-001": FIRST, "COF-012": FIRST})
    neighbourhoods = [
        around("COF-001", 2, {"COF-012": (2, 2), "MUG-001": (1, 1), "COF-004": (1, 1)}),
        around("COF-012", 2, {"COF-001": (2, 2), "COF-004": (1, 1)}),
    ]
    assert rank_for_customer(history, {each.product_id: each for each in neighbourhoods}, NOW).suggestions == (
        Suggestion("COF-004", "COF-012"),
        Suggestion("MUG-001", "COF-001"),
    )


def test_the_reason_is_the_product_that_calls_for_it_most() -> None:
    history = History("cus_ada", {"COF-001": FIRST, "COF-012": FIRST})
    neighbourhoods = {
        "COF-001": around("COF-001", 10, {"MUG-001": (9, 12)}),
        "COF-012": around("COF-012", 10, {"MUG-001": (3, 12)}),
    }
    assert rank_for_customer(history, neighbourhoods, NOW).suggestions == (Suggestion("MUG-001", "COF-001"),)


def test_what_a_customer_buys_again_and_again_comes_first_as_long_as_it_can_be_had() -> None:
    """The most often bought first, then the latest; no more than the limit, none that is out of stock."""
    yesterday = NOW - timedelta(days=1)
    history = History(
        "cus_ada",
        {
            "COF-012": Purchases(3, yesterday),
            "COF-013": Purchases(9, NOW),
            "TEA-001": Purchases(2, yesterday),
            "TEA-002": Purchases(2, NOW),
            "COF-001": FIRST,
        },
    )
    neighbourhoods = {id_: around(id_, 9, {}, sellable=id_ != "COF-013") for id_ in history.bought}
    assert rank_for_customer(history, neighbourhoods, NOW).suggestions == (
        Suggestion("COF-012", "COF-012"),
        Suggestion("TEA-002", "TEA-002"),
    )
    assert MOST_BOUGHT_AGAIN == 2


def test_the_latest_products_speak_for_a_customer() -> None:
    bought = {f"MUG-{number:03}": Purchases(1, NOW - timedelta(days=number)) for number in range(LONGEST_HISTORY + 10)}
    assert latest_products(History("cus_ada", bought)) == [f"MUG-{number:03}" for number in range(LONGEST_HISTORY)]


def test_a_history_keeps_how_often_and_when_last_each_product_was_bought() -> None:
    earlier = NOW - timedelta(days=9)
    histories = gather_histories([a_basket("ord_1", "COF-012"), a_basket("ord_2", "COF-012", "MUG-001", at=earlier)])
    bought = {"COF-012": Purchases(2, NOW), "MUG-001": Purchases(1, earlier)}
    assert histories == {"cus_ada": History("cus_ada", bought)}


def test_best_sellers_follow_where_little_is_known() -> None:
    ranking = Ranking((Suggestion("COF-012", "COF-001"),), frozenset({"COF-001"}))
    popular = ["MUG-001", "COF-012", "COF-001", "TEA-001"]
    assert fill_with_popular(ranking, popular, 5) == [
        Suggestion("COF-012", "COF-001"),
        Suggestion("MUG-001"),
        Suggestion("TEA-001"),
    ]
    assert fill_with_popular(ranking, popular, 2) == [Suggestion("COF-012", "COF-001"), Suggestion("MUG-001")]


def test_no_ranking_is_longer_than_the_maximum() -> None:
    many = {f"MUG-{number:03}": (1, 1) for number in range(MOST_RECOMMENDED + 5)}
    assert ids(rank_companions(around("COF-001", 9, many), NOW)) == list(many)[:MOST_RECOMMENDED]
    mine = {"COF-001": around("COF-001", 9, many)}
    assert len(rank_for_customer(History("cus_ada", {"COF-001": FIRST}), mine, NOW).suggestions) == MOST_RECOMMENDED


def test_a_basket_counts_half_as_much_for_each_half_life_of_age() -> None:
    assert basket_weight(NOW) == pytest.approx(2 * basket_weight(NOW - HALF_LIFE), rel=1e-3)
    assert basket_weight(datetime(1970, 1, 1, tzinfo=UTC)) == 1
    assert 1_000_000 * basket_weight(datetime(2040, 1, 1, tzinfo=UTC)) < 2**63


def test_a_week_trends_half_as_much_after_its_half_life() -> None:
    week = week_of(NOW)
    assert trend({week: 1}) == 2 * trend({week - TREND_HALF_LIFE_WEEKS: 1})
    assert trend({week: 1, week - TREND_HALF_LIFE_WEEKS: 2}) == trend({week: 2})
