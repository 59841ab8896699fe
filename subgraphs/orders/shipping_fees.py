"""What sending an order costs, and to which countries the shop sends.

Shipping has a table of its own, by which it quotes and books: docs/decisions/0004 says how the two agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from subgraphs.orders.domain import Money, OrderLine, sum_up
from subgraphs.orders.refusal import Problem, RefusalError


@dataclass(frozen=True, slots=True)
class Zone:
    """A flat fee for sending an order, and the subtotal from which it is free."""

    fee: Money
    free_from: Money


EU = Zone(fee=Money(490), free_from=Money(6_000))
REST_OF_EUROPE = Zone(fee=Money(990), free_from=Money(12_000))
WORLD = Zone(fee=Money(1_990), free_from=Money(24_000))

_COUNTRIES: Mapping[str, Zone] = {
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK": EU,
    "AD AL BA CH FO GB GG GI IM IS JE LI MC MD ME MK NO RS SM UA VA XK": REST_OF_EUROPE,
    "AE AR AU BR CA CL CN CO EG HK ID IL IN JP KE KR MA MX MY NG NZ PE PH SA SG TH TN TR TW US UY VN ZA": WORLD,
}
ZONE_BY_COUNTRY: Mapping[str, Zone] = {
    country: zone for countries, zone in _COUNTRIES.items() for country in countries.split()
}


def shipping_fee(lines: Iterable[OrderLine], country_code: str) -> Money:
    """What sending an order costs: the flat fee of its destination's zone, or nothing from the zone's threshold on.

    Raises RefusalError(COUNTRY_NOT_SERVED) for a country that no carrier takes parcels to.
    """
    zone = ZONE_BY_COUNTRY.get(country_code)
    if zone is None:
        message = f"No carrier takes parcels to {country_code}; give an address in another country."
        raise RefusalError(Problem("COUNTRY_NOT_SERVED", message, "shippingAddress.countryCode"))
    subtotal = sum_up(line.total for line in lines)
    return Money(0) if subtotal.amount_minor >= zone.free_from.amount_minor else zone.fee
