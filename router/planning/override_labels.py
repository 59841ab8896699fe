"""Which labels of progressive overrides are active for a request: ``percent(5)`` is for 5 of 100.

The choice is made anew for each request, before its plan is looked up: the labels are part of the plan's key.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable

ActiveLabels = frozenset[str]

NO_LABELS: ActiveLabels = frozenset()
_PERCENT = re.compile(r"percent\((\d{1,2}(?:\.\d{1,8})?|100(?:\.0{1,8})?)\)")


def label_choice(labels: Iterable[str], draw: Callable[[], float] = random.random) -> Callable[[], ActiveLabels]:
    """A function that gives the labels which are active for one request; ``draw`` gives a number from 0 up to 1.

    One number is drawn for all labels, so that whoever is among 5 percent is among 10 percent too, and there are no
    more plans of an operation than labels. Labels other than ``percent(n)`` are never active: no one here decides them.
    """
    percents = sorted((float(match[1]), label) for label in labels if (match := _PERCENT.fullmatch(label)))
    if not percents:
        return lambda: NO_LABELS

    def choose() -> ActiveLabels:
        number = draw() * 100
        return frozenset(label for percent, label in percents if number < percent)

    return choose
