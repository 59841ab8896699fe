"""Which warehouses serve an order."""

from __future__ import annotations

import pytest

from subgraphs.inventory.allocation import EXACT_CHOICE, allocate, choose_warehouses
from subgraphs.inventory.domain import Allocation, Product, Stock, StockLevel
from tests.subgraphs.inventory.examples import MUG, TEAPOT, facts, lines


def stocks(**products: dict[str, int]) -> dict[str, Product]:
    """``stocks(MUG_001={"BER": 3})``: three of MUG-001 in BER, none of them reserved."""
    found = {}
    for name, levels in products.items():
        product_id = name.replace("_", "-")
        stock = Stock(tuple(StockLevel(warehouse, on_hand, 0) for warehouse, on_hand in sorted(levels.items())))
        found[product_id] = Product(product_id, facts(), stock)
    return found


EVERYWHERE = {"BER": 9, "LYO": 9, "RTM": 9}


@pytest.mark.parametrize(
    ("destination", "chosen"),
    [
        ("DE", "BER"),
        ("PL", "BER"),
        ("FR", "LYO"),
        ("ES", "LYO"),
        ("NL", "RTM"),
        ("GB", "RTM"),
        ("US", "BER"),
        (None, "BER"),
    ],
)
def test_of_several_that_have_everything_the_nearest_serves(destination: str | None, chosen: str) -> None:
    products = stocks(MUG_001=EVERYWHERE, TEA_001=EVERYWHERE)
    assert choose_warehouses(lines(MUG_001=2, TEA_001=1), products, destination) == (chosen,)


def test_a_distant_warehouse_that_has_everything_comes_before_two_near_ones() -> None:
    products = stocks(MUG_001={"BER": 9, "RTM": 9}, TEA_001={"BER": 9, "LYO": 9})
    assert choose_warehouses(lines(MUG_001=2, TEA_001=1), products, "FR") == ("BER",)


def test_an_order_that_none_has_whole_comes_from_as_few_as_possible() -> None:
    products = stocks(MUG_001={"BER": 1, "LYO": 1, "RTM": 2}, TEA_001={"BER": 9})
    assert choose_warehouses(lines(MUG_001=3, TEA_001=1), products, "FR") == ("RTM", "BER")


def test_a_warehouse_that_nobody_ranked_serves_last() -> None:
    products = stocks(MUG_001={"AAA": 9, "BER": 9})
    assert choose_warehouses(lines(MUG_001=1), products, "FR") == ("BER",)
    assert choose_warehouses(lines(MUG_001=10), products, "FR") == ("BER", "AAA")


def test_none_is_chosen_where_all_together_have_not_enough() -> None:
    assert choose_warehouses(lines(MUG_001=4), stocks(MUG_001={"BER": 1, "LYO": 2}), "DE") == ()


def test_hundreds_of_warehouses_are_not_all_combined() -> None:
    products = stocks(MUG_001={f"W{number:03d}": 1 for number in range(300)})
    assert choose_warehouses(lines(MUG_001=300), products, "DE") == ()
    allocations = allocate(products[MUG].stock, 300) or ()
    assert sum(each.quantity for each in allocations) == 300


def test_empty_warehouses_take_no_place_among_those_that_are_combined() -> None:
    empty = {f"A{number:02d}": 0 for number in range(EXACT_CHOICE)}
    products = stocks(MUG_001={**empty, "W1": 2, "W2": 1})
    assert choose_warehouses(lines(MUG_001=3), products, "DE") == ("W1", "W2")


def test_a_line_comes_whole_from_the_first_chosen_one_that_has_it() -> None:
    stock = stocks(TEA_001={"BER": 9, "LYO": 3, "RTM": 4})[TEAPOT].stock
    assert allocate(stock, 3, ("LYO", "RTM")) == (Allocation("LYO", 3),)
    assert allocate(stock, 4, ("LYO", "RTM")) == (Allocation("RTM", 4),)


def test_a_line_that_must_be_split_keeps_to_the_chosen_ones() -> None:
    stock = stocks(TEA_001={"BER": 9, "LYO": 3, "RTM": 4})[TEAPOT].stock
    assert allocate(stock, 6, ("LYO", "RTM")) == (Allocation("RTM", 4), Allocation("LYO", 2))


def test_where_the_chosen_ones_have_too_little_by_now_any_may_serve() -> None:
    stock = stocks(TEA_001={"BER": 9, "LYO": 3})[TEAPOT].stock
    assert allocate(stock, 8, ("LYO",)) == (Allocation("BER", 8),)
    assert allocate(stock, 13, ("LYO",)) is None
