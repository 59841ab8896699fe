"""Card numbers have no place here: whatever text comes from outside is looked through before it is kept or logged.

``mask_card_numbers("card 4242 4242 4242 4242 refused")`` -> ``"card •••• 4242 refused"``

A card number is 12 to 19 digits with a right check digit (ISO/IEC 7812, Luhn), with spaces or hyphens between them.
Digits of a UUID (RFC 9562) are none: keys are UUIDs more often than not, and some look like card numbers by chance.
"""

import re

_UUID = r"(?<![\da-z])[\da-f]{8}-?[\da-f]{4}-?[1-8][\da-f]{3}-?[89ab][\da-f]{3}-?[\da-f]{12}(?![\da-z])"
_DIGITS = r"(?<!\d)\d(?:[ -]?\d){11,18}(?!\d)"
_CANDIDATE = re.compile(f"(?P<uuid>{_UUID})|{_DIGITS}", re.ASCII | re.IGNORECASE)


def has_card_number(text: str) -> bool:
    """Whether ``text`` holds what may be a card number."""
    return any(_is_card_number(found) for found in _CANDIDATE.finditer(text))


def mask_card_numbers(text: str) -> str:
    """``text`` with the last four digits of each card number alone."""
    return _CANDIDATE.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    return f"•••• {found.group()[-4:]}" if _is_card_number(found) else found.group()


def _is_card_number(found: re.Match[str]) -> bool:
    if found["uuid"]:
        return False
    digits = [int(character) for character in reversed(found.group()) if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
