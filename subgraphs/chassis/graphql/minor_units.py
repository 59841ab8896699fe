"""Decimals that clients send, as integers of a hundredth: ``to_hundredths(Decimal("12.50"))`` -> ``1250``."""

from __future__ import annotations

from decimal import Decimal

LARGEST = Decimal(10) ** 9
_HUNDREDTH = Decimal("0.01")


def to_hundredths(amount: Decimal) -> int | None:
    """``amount`` in hundredths, exactly; None where it has more than two decimals, is beyond ±10⁹, or no number."""
    # Neither look at it rounds: arithmetic would, to 28 digits, and ends with an error at exponents of six digits.
    if not amount.is_finite() or amount.copy_abs() > LARGEST:
        return None
    rounded = amount.quantize(_HUNDREDTH)
    return int(rounded.scaleb(2)) if rounded == amount else None
