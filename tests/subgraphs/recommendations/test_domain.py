"""What baskets tell of products, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.recommendations.domain import (
    LARGEST_PAIRED_BASKET,
    LONGEST_HISTORY,
    MOST_RECOMMENDED,
    TREND_HALF_LIFE,
    Basket,
    History,
    Neighbourhood,
    Tally,
    affinity,
    fill_with_popular,
    gather_histories,
    latest_products,
    pairs,
    rank_companions,
    rank_for_customer,
    tally_baskets,
    trend_weight,
)
from tests.subgraphs.recommendations.examples import NOW, a_basket

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


def test_every_product_of_a_basket_counts_the_others() -> None:
    tallies = tally_baskets([a_basket("ord_1", "COF-001", "COF-012"), a_basket("ord_2", "COF-001")])
    weight = trend_weight(NOW)
    assert tallies == {
        "COF-001": Tally("COF-001", 2, 2 * weight, {"COF-012": 1}),
        "COF-012": Tally("COF-012", 1, weight, {"COF-001": 1}),
    }


@given(baskets())
def test_co_occurrence_is_symmetric_and_never_exceeds_the_orders(some: list[Basket]) -> None:
    tallies = tally_baskets(some)
    for tally in tallies.values():
        for companion, count in tally.together.items():
            assert tallies[companion].together[tally.product_id] == count
            assert 1 <= count <= min(tally.orders, tallies[companion].orders)


@given(baskets(), st.randoms(use_true_random=False))
def test_the_order_in_which_baskets_come_changes_no_count(some: list[Basket], dice: Random) -> None:
    shuffled = list(some)
    dice.shuffle(shuffled)
    counts = {tally.product_id: (tally.orders, tally.together) for tally in tally_baskets(some).values()}
    assert {t.product_id: (t.orders, t.together) for t in tally_baskets(shuffled).values()} == counts
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
    around = Neighbourhood("COF-001", 10, {"COF-012": 4, "MUG-001": 4}, {"COF-012": 6, "MUG-001": 300})
    assert rank_companions(around) == ["COF-012", "MUG-001"]


def test_one_meeting_of_two_rare_products_is_no_rule() -> None:
    around = Neighbourhood("COF-001", 10, {"COF-012": 4, "BOK-013": 1}, {"COF-012": 12, "BOK-013": 1})
    assert rank_companions(around) == ["COF-012", "BOK-013"]


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 500))
def test_affinity_grows_with_co_occurrence_and_shrinks_with_the_companions_own_orders(
    together: int, orders: int, companion_orders: int
) -> None:
    here = affinity(together, orders, companion_orders)
    assert affinity(together + 1, orders, companion_orders) > here
    assert affinity(together, orders, companion_orders + 1) < here


def test_companions_that_are_not_sold_are_left_out() -> None:
    around = Neighbourhood("COF-001", 3, {"COF-012": 2, "COF-017": 3}, {"COF-012": 2})
    assert rank_companions(around) == ["COF-012"]


def test_equally_strong_companions_are_in_the_order_of_their_ids() -> None:
    for ids in permutations(("MUG-001", "COF-012", "TEA-001")):
        around = Neighbourhood("COF-001", 3, dict.fromkeys(ids, 1), dict.fromkeys(ids, 1))
        assert rank_companions(around) == ["COF-012", "MUG-001", "TEA-001"]


def test_a_customer_is_recommended_what_goes_with_all_they_have_and_not_what_they_have() -> None:
    history = History("cus_ada", {"COF-001": NOW, "COF-012": NOW})
    around = [
        Neighbourhood(
            "COF-001", 2, {"COF-012": 2, "MUG-001": 1, "COF-004": 1}, {"COF-012": 2, "MUG-001": 1, "COF-004": 1}
        ),
        Neighbourhood("COF-012", 2, {"COF-001": 2, "COF-004": 1}, {"COF-001": 2, "COF-004": 1}),
    ]
    assert rank_for_customer(history, around) == ["COF-004", "MUG-001"]


def test_the_latest_products_speak_for_a_customer() -> None:
    bought = {f"MUG-{number:03}": NOW - timedelta(days=number) for number in range(LONGEST_HISTORY + 10)}
    assert latest_products(History("cus_ada", bought)) == [f"MUG-{number:03}" for number in range(LONGEST_HISTORY)]


def test_a_history_keeps_the_last_time_of_each_product() -> None:
    earlier = NOW - timedelta(days=9)
    histories = gather_histories([a_basket("ord_1", "COF-012"), a_basket("ord_2", "COF-012", "MUG-001", at=earlier)])
    assert histories == {"cus_ada": History("cus_ada", {"COF-012": NOW, "MUG-001": earlier})}


def test_best_sellers_follow_where_little_is_known() -> None:
    assert fill_with_popular(["COF-012"], ["MUG-001", "COF-012", "COF-001"], {"COF-001"}) == ("COF-012", "MUG-001")


def test_no_list_is_longer_than_the_maximum() -> None:
    many = [f"MUG-{number:03}" for number in range(100)]
    assert fill_with_popular(many[:3], many, ()) == tuple(many[:MOST_RECOMMENDED])


def test_a_basket_counts_half_as_much_for_each_half_life_of_age() -> None:
    assert trend_weight(NOW) == pytest.approx(2 * trend_weight(NOW - TREND_HALF_LIFE))
    assert trend_weight(datetime(2060, 1, 1, tzinfo=UTC)) > 0
