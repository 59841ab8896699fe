"""What it costs to send goods: by weight and by zone, from the warehouses in the European Union.

``quote_shipping(1200, "FR", "75008", 2)`` -> one parcel of 2.4 kg to zone EU: 7.90 EUR, 2 to 4 days
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from subgraphs.shipping.domain import Money, ShippingError

CURRENCY = "EUR"
MAX_QUANTITY = 1000
HEAVIEST_PARCEL_GRAMS = 30_000
UNKNOWN_WEIGHT = -1


class Zone(StrEnum):
    """How far a parcel goes."""

    HOME = "HOME"
    EU = "EU"
    EUROPE = "EUROPE"
    WORLD = "WORLD"


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a zone costs and how long it takes; ``steps`` are (up to grams, minor units), lightest first."""

    carrier: str
    min_days: int
    max_days: int
    steps: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ShippingQuote:
    """The fee to send goods to one address, with which carrier, and how many days it takes."""

    fee: Money
    carrier: str
    zone: Zone
    min_days: int
    max_days: int


TARIFFS: Mapping[Zone, Tariff] = {
    Zone.HOME: Tariff("Nordpost", 1, 2, ((2_000, 490), (5_000, 590), (10_000, 790), (30_000, 1290))),
    Zone.EU: Tariff("Nordpost", 2, 4, ((2_000, 690), (5_000, 790), (10_000, 1190), (30_000, 1990))),
    Zone.EUROPE: Tariff("Kestrel Parcel", 3, 6, ((2_000, 1290), (5_000, 1690), (10_000, 2490), (30_000, 3990))),
    Zone.WORLD: Tariff("Kestrel Parcel", 6, 14, ((2_000, 1990), (5_000, 3490), (10_000, 5490), (30_000, 9990))),
}

_ZONE_COUNTRIES: Mapping[Zone, str] = {
    Zone.HOME: "DE FR NL",
    Zone.EU: "AT BE BG CY CZ DK EE ES FI GR HR HU IE IT LT LU LV MT PL PT RO SE SI SK",
    Zone.EUROPE: "AD AL BA CH FO GB GG GI IM IS JE LI MC MD ME MK NO RS SM UA VA XK",
    Zone.WORLD: "AE AR AU BR CA CL CN CO EG HK ID IL IN JP KE KR MA MX MY NG NZ PE PH SA SG TH TN TR TW US UY VN ZA",
}
ZONE_BY_COUNTRY: Mapping[str, Zone] = {
    country: zone for zone, countries in _ZONE_COUNTRIES.items() for country in countries.split()
}

_COUNTRY_CODE = re.compile(r"[A-Z]{2}")
_POSTAL_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9 -]{0,8}[A-Z0-9])?", re.IGNORECASE)
_POSTAL_CODES_OF_FIVE_DIGITS = frozenset({"DE", "FR", "IT", "ES", "FI", "EE", "HR"})


def quote_shipping(weight_grams: int, country_code: str, postal_code: str, quantity: int) -> ShippingQuote:
    """What it costs to send ``quantity`` pieces of ``weight_grams`` each; heavy goods go in several parcels.

    Raises ShippingError: WEIGHT_UNKNOWN, QUANTITY_OUT_OF_RANGE, ITEM_TOO_HEAVY, INVALID_COUNTRY_CODE,
    COUNTRY_NOT_SERVED, INVALID_POSTAL_CODE.
    """
    if weight_grams < 0:
        raise ShippingError("WEIGHT_UNKNOWN", "weightGrams: a quote needs the weight of one piece of the product.")
    if not 1 <= quantity <= MAX_QUANTITY:
        raise ShippingError(
            "QUANTITY_OUT_OF_RANGE", f"quantity: {quantity} is not from 1 to {MAX_QUANTITY}.", "quantity"
        )
    if weight_grams > HEAVIEST_PARCEL_GRAMS:
        message = (
            f"One piece of this product is heavier than the {HEAVIEST_PARCEL_GRAMS // 1000} kg that a parcel may weigh."
        )
        raise ShippingError("ITEM_TOO_HEAVY", message)
    zone = find_zone(country_code)
    _check_postal_code(country_code, postal_code)
    tariff = TARIFFS[zone]
    fee_minor = sum(_parcel_fee_minor(tariff, grams) for grams in _pack(weight_grams, quantity))
    return ShippingQuote(Money(fee_minor, CURRENCY), tariff.carrier, zone, tariff.min_days, tariff.max_days)


def find_zone(country_code: str) -> Zone:
    """The zone of a country; raises ShippingError INVALID_COUNTRY_CODE or COUNTRY_NOT_SERVED."""
    if not _COUNTRY_CODE.fullmatch(country_code):
        message = "countryCode: give two capital letters of ISO 3166, such as DE."
        raise ShippingError("INVALID_COUNTRY_CODE", message, "countryCode")
    zone = ZONE_BY_COUNTRY.get(country_code)
    if zone is None:
        raise ShippingError(
            "COUNTRY_NOT_SERVED", f"countryCode: no carrier takes parcels to {country_code}.", "countryCode"
        )
    return zone


def _check_postal_code(country_code: str, postal_code: str) -> None:
    pattern = r"\d{5}" if country_code in _POSTAL_CODES_OF_FIVE_DIGITS else _POSTAL_CODE
    if not re.fullmatch(pattern, postal_code):
        raise ShippingError(
            "INVALID_POSTAL_CODE", f"postalCode: this is not a postal code of {country_code}.", "postalCode"
        )


def _pack(weight_grams: int, quantity: int) -> list[int]:
    """The weights of the parcels that take ``quantity`` pieces, as many pieces in each as it may weigh."""
    per_parcel = HEAVIEST_PARCEL_GRAMS // max(weight_grams, 1)
    whole, rest = divmod(quantity, per_parcel)
    return [per_parcel * weight_grams] * whole + ([rest * weight_grams] if rest else [])


def _parcel_fee_minor(tariff: Tariff, grams: int) -> int:
    return next(fee_minor for up_to_grams, fee_minor in tariff.steps if grams <= up_to_grams)
