"""Terms of a cost: numbers where they are known when an operation is compiled, functions where variables decide.

``add([2.0, multiply(size, 3.0)])`` is a function of the request, in which the constants are folded already. Nothing
is beyond MOST, so that sums and products of whatever a client sends are numbers that JSON and people can read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from router.operation.model import Condition

MOST = 2.0**53

Variables = Mapping[str, object]


@dataclass(slots=True)
class Valuation:
    """The values of one request; ``unsliced`` are the coordinates of fields that lack their one slicing argument."""

    variables: Variables
    unsliced: list[str] = field(default_factory=list)


Function = Callable[[Valuation], float]
Term = float | Function


def value_of(term: Term, valuation: Valuation) -> float:
    """The number that ``term`` is for one request."""
    return term if isinstance(term, float) else term(valuation)


def add(terms: Iterable[Term]) -> Term:
    """The sum."""
    constant, functions = _parted(terms)
    if not functions:
        return min(constant, MOST)
    if len(functions) == 1 and not constant:
        return functions[0]
    return lambda valuation: min(constant + sum(function(valuation) for function in functions), MOST)


def multiply(size: Term, term: Term) -> Term:
    """The product of a size, which is not negative, and a cost."""
    if size == 1.0 or term == 0.0:
        return term
    if isinstance(size, float) and isinstance(term, float):
        return min(size * term, MOST)
    return lambda valuation: min(value_of(size, valuation) * value_of(term, valuation), MOST)


def highest(terms: Sequence[Term], together: Iterable[Sequence[int]]) -> Term:
    """The highest of the sums of those terms that are ``together``, by index; each term is evaluated once."""
    sums = tuple(together)

    def of_request(valuation: Valuation) -> float:
        values = [value_of(term, valuation) for term in terms]
        return min(max((sum(values[index] for index in indices) for indices in sums), default=0.0), MOST)

    return of_request(Valuation({})) if all(isinstance(term, float) for term in terms) else of_request


def at_least_zero(term: Term) -> Term:
    """``term``, or 0 where that is more."""
    return max(term, 0.0) if isinstance(term, float) else lambda valuation: max(term(valuation), 0.0)


def under(conditions: Sequence[Condition], term: Term) -> Term:
    """``term`` where all ``conditions`` hold, and nothing else is evaluated; else 0."""
    if not conditions or term == 0.0:
        return term
    return lambda valuation: (
        value_of(term, valuation) if all(one.holds(valuation.variables) for one in conditions) else 0.0
    )


def _parted(terms: Iterable[Term]) -> tuple[float, list[Function]]:
    constant = 0.0
    functions: list[Function] = []
    for term in terms:
        if isinstance(term, float):
            constant += term
        else:
            functions.append(term)
    return constant, functions
