"""Card numbers have no place here: whatever text comes from outside is looked through before it is kept or logged.

``mask_card_numbers("card 4242 4242 4242 4242 refused")`` -> ``"card •••• 4242 refused"``

A card number is 12 to 19 digits with a right check digit (ISO/IEC 7812, Luhn), with spaces or hyphens between them.
"""

import re

_CANDIDATE = re.compile(r"(?<!\d)\d(?:[ -]?\d){11,18}(?!\d)", re.ASCII)


def has_card_number(text: str) -> bool:
    """Whether ``text`` holds what may be a card number."""
    return any(_is_card_number(found.group()) for found in _CANDIDATE.finditer(text))


def mask_card_numbers(text: str) -> str:
    """``text`` with the last four digits of each card number alone."""
    return _CANDIDATE.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    number = found.group()
    return f"•••• {number[-4:]}" if _is_card_number(number) else number


def _is_card_number(text: str) -> bool:
    digits = [int(character) for character in reversed(text) if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
