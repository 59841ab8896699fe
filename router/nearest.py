"""The known name that a wrong one was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """``; did you mean 'x'?`` for the end of a sentence, or ``otherwise`` where no known name is near."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else otherwise
