"""Which warehouses serve an order: as few parcels as possible, from as near as possible.

::

    choose_warehouses(lines, products, "FR") -> ("LYO",), or ("LYO", "RTM") where neither has it all
    allocate(stock, 3, ("LYO", "RTM")) -> (Allocation("LYO", 3),)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from subgraphs.inventory.domain import Allocation, Product, ReservationLine, Stock, StockLevel

EXACT_CHOICE = 10
"""Of up to so many warehouses every combination is tried; of more than that, only the nearest ones."""

# Own decision: the order in which the warehouses lie near a country; Berlin serves those that are not named here.
_SOUTH_WEST = "AD CH ES FR IT MC MT PT SM VA"
_NORTH_WEST = "BE FO GB GG IE IM IS JE LU NL"


def nearest_first(destination: str | None) -> tuple[str, ...]:
    """The warehouses in the order of their nearness to a country; others come after them."""
    if destination in _SOUTH_WEST.split():
        return ("LYO", "RTM", "BER")
    return ("RTM", "BER", "LYO") if destination in _NORTH_WEST.split() else ("BER", "RTM", "LYO")


def choose_warehouses(
    lines: Sequence[ReservationLine], products: Mapping[str, Product], destination: str | None
) -> tuple[str, ...]:
    """The smallest set of warehouses that has all of ``lines``, of several the nearest; empty where all do not."""
    stocks = [(products[line.product_id].stock, line.quantity) for line in lines if line.product_id in products]
    names = {level.warehouse for stock, _ in stocks for level in stock.levels if level.available > 0}
    near = nearest_first(destination)
    ranked = sorted(names, key=lambda name: (near.index(name) if name in near else len(near), name))[:EXACT_CHOICE]
    # Combinations come in the order of the ranks, so the first one that has everything is the nearest of its size.
    return next((chosen for chosen in _subsets(ranked) if _covers(chosen, stocks)), ())


def allocate(stock: Stock, quantity: int, chosen: Sequence[str] = ()) -> tuple[Allocation, ...] | None:
    """What each warehouse gives of ``quantity``: those of ``chosen``, else any; None if there is not enough.

    One warehouse that has it all serves it alone; else the one that has most gives first.
    """
    levels = {level.warehouse: level for level in stock.levels}
    preferred = [levels[name] for name in chosen if name in levels]
    return _take(preferred, quantity) or _take(stock.levels, quantity)


def _subsets(names: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return (chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size))


def _covers(chosen: Sequence[str], stocks: Sequence[tuple[Stock, int]]) -> bool:
    return all(
        sum(level.available for level in stock.levels if level.warehouse in chosen) >= quantity
        for stock, quantity in stocks
    )


def _take(levels: Sequence[StockLevel], quantity: int) -> tuple[Allocation, ...] | None:
    whole = next((level for level in levels if level.available >= quantity), None)
    if whole:
        return (Allocation(whole.warehouse, quantity),)
    allocations = []
    for level in sorted(levels, key=lambda level: -level.available):
        taken = min(level.available, quantity)
        if taken > 0:
            allocations.append(Allocation(level.warehouse, taken))
            quantity -= taken
    return tuple(allocations) if quantity == 0 else None
