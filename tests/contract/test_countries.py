"""Orders and shipping agree to which countries the shop sends, and how far each of them is."""

from __future__ import annotations

from itertools import product
from string import ascii_uppercase

import pytest

from subgraphs.orders.domain import Money
from subgraphs.orders.refusal import RefusalError
from subgraphs.orders.shipping_fees import EU, REST_OF_EUROPE, WORLD, shipping_fee
from subgraphs.shipping.domain import ShippingError
from subgraphs.shipping.quote import Zone, quote_shipping

NOT_SERVED = "COUNTRY_NOT_SERVED"
FEES = {Zone.HOME: EU.fee, Zone.EU: EU.fee, Zone.EUROPE: REST_OF_EUROPE.fee, Zone.WORLD: WORLD.fee}


def asked_of_orders(country: str) -> Money | str:
    """The fee of a small order, or the code by which it is refused."""
    try:
        return shipping_fee([], country)
    except RefusalError as refused:
        [problem] = refused.problems
        return problem.code


def asked_of_shipping(country: str) -> Money | str:
    """What orders must take for the zone that shipping quotes, or the code by which it refuses."""
    try:
        return FEES[quote_shipping(500, country, "10115", 1).zone]
    except ShippingError as refused:
        return refused.code


@pytest.mark.parametrize("first", ascii_uppercase)
def test_both_serve_the_same_countries_in_the_same_zones(first: str) -> None:
    countries = ["".join(letters) for letters in product(first, ascii_uppercase)]
    assert {each: asked_of_orders(each) for each in countries} == {each: asked_of_shipping(each) for each in countries}


@pytest.mark.parametrize("country", ["AQ", "GL", "ZZ"])
def test_some_countries_are_served_by_neither(country: str) -> None:
    assert (asked_of_orders(country), asked_of_shipping(country)) == (NOT_SERVED, NOT_SERVED)
