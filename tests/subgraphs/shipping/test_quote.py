"""What it costs to send goods."""

from __future__ import annotations

import pytest

from subgraphs.shipping.domain import Money, ShippingError
from subgraphs.shipping.quote import TARIFFS, ZONE_BY_COUNTRY, ShippingQuote, Zone, quote_shipping


def test_a_quote_tells_fee_carrier_zone_and_days() -> None:
    assert quote_shipping(1200, "AT", "1190", 2) == ShippingQuote(Money(790, "EUR"), "Nordpost", Zone.EU, 2, 4)


@pytest.mark.parametrize(
    ("country", "postal_code", "fee_minor"),
    [("DE", "10115", 490), ("AT", "1190", 690), ("GB", "SW1Y 4LB", 1290), ("JP", "100-0001", 1990)],
)
def test_the_fee_grows_with_the_distance(country: str, postal_code: str, fee_minor: int) -> None:
    assert quote_shipping(500, country, postal_code, 1).fee == Money(fee_minor, "EUR")


@pytest.mark.parametrize(
    ("grams", "fee_minor"), [(0, 490), (2000, 490), (2001, 590), (5001, 790), (10_001, 1290), (30_000, 1290)]
)
def test_the_fee_grows_with_the_weight(grams: int, fee_minor: int) -> None:
    assert quote_shipping(grams, "DE", "10115", 1).fee == Money(fee_minor, "EUR")


@pytest.mark.parametrize(
    ("grams", "quantity", "fee_minor"), [(10_000, 3, 1290), (10_000, 4, 1290 + 790), (20_000, 3, 3 * 1290)]
)
def test_heavy_goods_go_in_several_parcels(grams: int, quantity: int, fee_minor: int) -> None:
    assert quote_shipping(grams, "DE", "10115", quantity).fee == Money(fee_minor, "EUR")


@pytest.mark.parametrize(
    ("grams", "country", "postal_code", "quantity", "code"),
    [
        (-1, "DE", "10115", 1, "WEIGHT_UNKNOWN"),
        (500, "DE", "10115", 0, "QUANTITY_OUT_OF_RANGE"),
        (500, "DE", "10115", 10**9, "QUANTITY_OUT_OF_RANGE"),
        (30_001, "DE", "10115", 1, "ITEM_TOO_HEAVY"),
        (500, "de", "10115", 1, "INVALID_COUNTRY_CODE"),
        (500, "Germany", "10115", 1, "INVALID_COUNTRY_CODE"),
        (500, "", "10115", 1, "INVALID_COUNTRY_CODE"),
        (500, "AQ", "10115", 1, "COUNTRY_NOT_SERVED"),
        (500, "DE", "1011", 1, "INVALID_POSTAL_CODE"),
        (500, "GB", "", 1, "INVALID_POSTAL_CODE"),
        (500, "GB", "<script>", 1, "INVALID_POSTAL_CODE"),
        (500, "GB", "SW1Y 4LB SW1Y 4LB", 1, "INVALID_POSTAL_CODE"),
    ],
)
def test_what_cannot_be_sent_is_refused(grams: int, country: str, postal_code: str, quantity: int, code: str) -> None:
    with pytest.raises(ShippingError) as refused:
        quote_shipping(grams, country, postal_code, quantity)
    assert refused.value.code == code


def test_a_refusal_says_what_to_give() -> None:
    with pytest.raises(ShippingError, match=r"^countryCode: give two capital letters of ISO 3166, such as DE\.$"):
        quote_shipping(500, "Germany", "10115", 1)


def test_every_zone_has_a_tariff_and_no_country_two_zones() -> None:
    assert set(TARIFFS) == set(Zone) == set(ZONE_BY_COUNTRY.values())
    assert all(len(country) == 2 for country in ZONE_BY_COUNTRY)
