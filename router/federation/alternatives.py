"""The lists of ``@requiresScopes`` and ``@policy``: alternatives, of each of which all names must hold.

Their type is ``[[Scope!]!]!``, and GraphQL takes one value for a list of it (specification, section 3.11): ``"a"`` is
``[["a"]]``, and ``["a", "b"]`` is ``[["a"], ["b"]]``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

Alternatives = tuple[frozenset[str], ...]
NOTHING_ASKED: Alternatives = (frozenset(),)


class TooManyAlternativesError(Exception):
    """Requirements that must all be met come to more alternatives than there may be."""


def alternatives_in(value: object) -> Alternatives:
    """The alternatives that ``value`` writes, a plain value or a literal; none where it is null or left out."""
    if value is None:
        return ()
    terms = value if isinstance(value, list | tuple) else (value,)
    return tuple(frozenset(map(str, term if isinstance(term, list | tuple) else (term,))) for term in terms)


def without_inclusions(alternatives: Iterable[frozenset[str]]) -> Alternatives:
    """The ``alternatives`` that include no other, in their order: whoever has the others' names has those of one."""
    distinct = dict.fromkeys(alternatives)
    least: list[frozenset[str]] = []
    for _, of_one_length in groupby(sorted(distinct, key=len), key=len):
        least += [one for one in of_one_length if not any(map(one.issuperset, least))]
    kept = set(least)
    return tuple(one for one in distinct if one in kept)


def meet_all(requirements: Iterable[Alternatives], most: int | None = None) -> Alternatives:
    """What meets each of ``requirements``, without inclusions.

    The shortest come first: an alternative that meets a longer one already is not multiplied by it.
    TooManyAlternativesError where it is put together from more than ``most``.
    """
    met = NOTHING_ASKED
    for alternatives in sorted(requirements, key=len):
        met = _meet_both(met, alternatives, most)
    return met


def _meet_both(left: Alternatives, right: Alternatives, most: int | None) -> Alternatives:
    enough = [one for one in left if any(map(one.issuperset, right))]
    if len(enough) == len(left):
        return left
    lacking = set(left).difference(enough)
    if most is not None and len(lacking) * len(right) > most:
        raise TooManyAlternativesError
    return without_inclusions([*enough, *(one | other for one in left if one in lacking for other in right)])
