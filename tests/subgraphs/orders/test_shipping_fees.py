"""What sending an order costs, and where it is not sent at all."""

from __future__ import annotations

import pytest

from subgraphs.orders.domain import Money, OrderLine
from subgraphs.orders.refusal import Problem, RefusalError
from subgraphs.orders.shipping_fees import shipping_fee


@pytest.mark.parametrize(
    ("country", "subtotal", "fee"),
    [
        ("DE", 5_999, 490),
        ("DE", 6_000, 0),
        ("GB", 6_000, 990),
        ("GB", 11_999, 990),
        ("GB", 12_000, 0),
        ("XK", 11_999, 990),
        ("JP", 23_999, 1_990),
        ("JP", 24_000, 0),
    ],
)
def test_the_fee_is_flat_by_zone_and_nothing_from_its_threshold(country: str, subtotal: int, fee: int) -> None:
    assert shipping_fee([OrderLine("MUG-001", 1, Money(subtotal), 400)], country) == Money(fee)


def test_the_subtotal_is_that_of_all_lines_and_pieces() -> None:
    lines = [OrderLine("MUG-001", 2, Money(2_000), 400), OrderLine("LMP-001", 1, Money(2_000), 400)]
    assert shipping_fee(lines, "DE") == Money(0)


def test_a_country_that_no_carrier_goes_to_is_refused_by_name() -> None:
    with pytest.raises(RefusalError) as refused:
        shipping_fee([], "AQ")
    message = "No carrier takes parcels to AQ; give an address in another country."
    assert refused.value.problems == (Problem("COUNTRY_NOT_SERVED", message, "shippingAddress.countryCode"),)
