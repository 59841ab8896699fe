"""Alternatives of conditions: a field is needed if any of these holds, each of them a set that must hold together.

``f @include(if: $a)`` selected beside ``f @skip(if: $b)``: needed if ``{$a}`` or ``{not $b}``.
"""

from __future__ import annotations

from collections.abc import Iterable

from router.operation.model import Condition
from router.planning.positions import Conditions

ALWAYS: tuple[Conditions, ...] = ((),)


def simplify(alternatives: Iterable[Conditions]) -> tuple[Conditions, ...]:
    """Without alternatives that another one includes: ``(())`` if one has no conditions at all; sorted."""
    candidates = set(alternatives)
    if () in candidates:
        return ALWAYS
    kept: list[Conditions] = []
    for candidate in sorted(candidates, key=lambda a: (len(a), [(c.variable, c.include) for c in a])):
        if not any(set(other) <= set(candidate) for other in kept):
            kept.append(candidate)
    return tuple(kept)


def without(alternatives: Iterable[Conditions], known: Conditions) -> tuple[Conditions, ...]:
    """The alternatives where ``known`` is certain to hold."""
    return simplify(tuple(c for c in alternative if c not in known) for alternative in alternatives)


def shared(alternatives: tuple[Conditions, ...]) -> Conditions:
    """The conditions that every alternative asks for."""
    if not alternatives:
        return ()
    return tuple(c for c in alternatives[0] if all(c in other for other in alternatives[1:]))


def print_conditions(conditions: Iterable[Condition]) -> list[str]:
    """``@include(if: $a)`` for each."""
    return [f"@{'include' if c.include else 'skip'}(if: ${c.variable})" for c in conditions]
