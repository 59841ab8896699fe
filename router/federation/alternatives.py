"""The lists of ``@requiresScopes`` and ``@policy``: alternatives, of each of which all names must hold.

Their type is ``[[Scope!]!]!``, and GraphQL takes one value for a list of it (specification, section 3.11): ``"a"`` is
``[["a"]]``, and ``["a", "b"]`` is ``[["a"], ["b"]]``.
"""

from __future__ import annotations


def alternatives_in(value: object) -> tuple[frozenset[str], ...]:
    """The alternatives that ``value`` writes, a plain value or a literal; none where it is null or left out."""
    if value is None:
        return ()
    terms = value if isinstance(value, list | tuple) else (value,)
    return tuple(frozenset(map(str, term if isinstance(term, list | tuple) else (term,))) for term in terms)
