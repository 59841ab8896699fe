"""Orders and shipping agree on what can be sent: to which countries, how far each of them is, and how heavy."""

from __future__ import annotations

from itertools import product
from string import ascii_uppercase

import pytest

from subgraphs.orders.checkout import LineRequest, OrderRequest, price_lines
from subgraphs.orders.domain import Address, Money, Product
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


@pytest.mark.parametrize(("grams", "outcome"), [(30_000, "sent"), (30_001, "ITEM_TOO_HEAVY")])
def test_both_send_pieces_of_the_same_weight(grams: int, outcome: str) -> None:
    anvil = Product("ANV-001", "Anvil", Money(9_900), grams, active=True)
    address = Address("Ada", "Street 1", None, "Berlin", "10115", "DE")
    request = OrderRequest((LineRequest(anvil.id, 1),), address, "tok_approved", "key-1")
    try:
        price_lines(request, {anvil.id: anvil})
        of_orders = "sent"
    except RefusalError as refused:
        of_orders = refused.problems[0].code
    try:
        quote_shipping(grams, "DE", "10115", 1)
        of_shipping = "sent"
    except ShippingError as refused:
        of_shipping = refused.code
    assert (of_orders, of_shipping) == (outcome, outcome)
