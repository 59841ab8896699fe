"""Operation -> its cost as a function of the variables: an upper bound of what executing it can come to.

Of ``query($n: Int) { users(max: $n) { age } }``, where ``max`` slices and ``age`` weighs 2, the estimate is
``n * (1 + 2)``. It is compiled once for an operation; what does not depend on variables is a number already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import GraphQLSchema, get_named_type, is_abstract_type

from router.errors import OperationError
from router.operation.cost.list_sizes import ListSizes, Sizes
from router.operation.cost.terms import MOST, Term, Valuation, add, at_least_zero, highest, multiply, under, value_of
from router.operation.cost.weights import Weights
from router.operation.limits import TOO_LARGE
from router.operation.model import Field, InlineFragment, Operation, OperationKind, Selection
from router.operation.normalize import INTROSPECTION_FIELDS
from router.supergraph.costs import Costs

# IBM's specification gives operations no cost of their own; the routers of Federation take this for a mutation.
BASE_COSTS: Mapping[OperationKind, float] = {
    OperationKind.QUERY: 0.0,
    OperationKind.MUTATION: 10.0,
    OperationKind.SUBSCRIPTION: 0.0,
}
# Beyond this, what each type of an interface comes to is not looked at: the sum of all is an upper bound too.
_MAX_COMBINATIONS = 10_000
TOO_DEEP = "The operation is nested too deeply."
_NO_SIZES: Sizes = {}


class Estimated(NamedTuple):
    """What an operation costs at most, for one set of variables.

    ``unsliced`` are the coordinates of fields of which exactly one slicing argument must be given, and is not; they
    count as the default says.
    """

    cost: float
    unsliced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """The compiled cost of one operation; holds no state of any request. ``known`` where no variable decides."""

    term: Term
    known: Estimated | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", Estimated(self.term) if isinstance(self.term, float) else None)

    def __call__(self, variables: Mapping[str, object]) -> Estimated:
        """The cost for the coerced ``variables``. OperationError: OPERATION_TOO_LARGE where it is nested too deeply."""
        if self.known is not None:
            return self.known
        assert not isinstance(self.term, float)  # noqa: S101 - it would be known
        valuation = Valuation(variables)
        try:
            cost = self.term(valuation)
        except RecursionError:
            raise OperationError(TOO_LARGE, TOO_DEEP) from None
        return Estimated(cost, tuple(dict.fromkeys(valuation.unsliced)))


def compile_estimate(schema: GraphQLSchema, costs: Costs, operation: Operation, default_list_size: int) -> Estimate:
    """The cost of an operation that is valid against ``schema``; lists that say nothing have ``default_list_size``.

    OperationError: OPERATION_TOO_LARGE where it is nested too deeply.
    """
    weights = Weights(schema, costs)
    walk = _Walk(schema, weights, ListSizes(weights, default_list_size))
    try:
        selected = walk.selections(operation.root_type, operation.selections, _NO_SIZES)
    except RecursionError:
        raise OperationError(TOO_LARGE, TOO_DEEP) from None
    return Estimate(add([BASE_COSTS[operation.kind], selected]))


@dataclass(frozen=True, slots=True)
class _Walk:
    """The walk over one operation."""

    schema: GraphQLSchema
    weights: Weights
    sizes: ListSizes

    def selections(self, scope: str, selections: Sequence[Selection], sized: Sizes) -> Term:
        """What is selected of one object of the type ``scope``, whichever it turns out to be."""
        fields = [self._field(one, sized) for one in selections if isinstance(one, Field)]
        fragments = [one for one in selections if isinstance(one, InlineFragment)]
        terms = [under(one.conditions, self.selections(one.type_condition, one.selections, sized)) for one in fragments]
        if fragments and is_abstract_type(self.schema.type_map[scope]):
            return add([*fields, self._highest_of_types(fragments, terms)])
        return add([*fields, *terms])

    def _highest_of_types(self, fragments: Sequence[InlineFragment], terms: Sequence[Term]) -> Term:
        """What the fragments come to for the type that makes most of them."""
        possible = [self._possible(one.type_condition) for one in fragments]
        names = dict.fromkeys(name for one in possible for name in one)
        if len(names) * len(fragments) > _MAX_COMBINATIONS:
            return add(terms)
        together = {tuple(index for index, one in enumerate(possible) if name in one) for name in names}
        return highest(terms, sorted(together))

    def _field(self, selected: Field, sized: Sizes) -> Term:
        if selected.name in INTROSPECTION_FIELDS:
            return 0.0
        forms = [self._form(owner, selected, sized) for owner in self.weights.owners(selected)]
        below: Term = 0.0
        if selected.selections:
            definition = self.weights.definition(selected.parent_type, selected.name)
            sizes = _highest_sizes([form.sized for form in forms])
            below = self.selections(get_named_type(definition.type).name, selected.selections, sizes)
        return under(selected.conditions, _of_forms(forms, below))

    def _form(self, owner: str, selected: Field, sized: Sizes) -> _Form:
        size, sized_below = self.sizes.of(owner, selected, sized)
        weight = self.weights.of_field(owner, selected.name)
        # The size is asked even where it costs nothing: a slicing argument is required of a list of scalars too.
        own = add([_times(size, weight), self.weights.of_arguments(owner, selected)])
        return _Form(at_least_zero(own), size, sized_below)

    def _possible(self, type_name: str) -> frozenset[str]:
        kind = self.schema.type_map[type_name]
        if not is_abstract_type(kind):
            return frozenset({type_name})
        return frozenset(one.name for one in self.schema.get_possible_types(kind))


@dataclass(frozen=True, slots=True)
class _Form:
    """A field as one kind of object has it: what it costs itself, how many values it has, and lists in these."""

    own: Term
    size: Term
    sized: Sizes


def _of_forms(forms: Sequence[_Form], below: Term) -> Term:
    """The highest that a field comes to, where ``below`` is what is selected of one value; that is evaluated once."""
    if len(forms) == 1:
        return add([forms[0].own, multiply(forms[0].size, below)])

    def of_request(valuation: Valuation) -> float:
        each = value_of(below, valuation)
        costs = (value_of(form.own, valuation) + value_of(form.size, valuation) * each for form in forms)
        return min(max(costs), MOST)

    return of_request


def _highest_sizes(several: Sequence[Sizes]) -> Sizes:
    if len(several) == 1:
        return several[0]
    sizes: dict[str, list[Term]] = {}
    for one in several:
        for name, size in one.items():
            sizes.setdefault(name, []).append(size)
    return {name: highest(terms, [(index,) for index in range(len(terms))]) for name, terms in sizes.items()}


def _times(size: Term, weight: float) -> Term:
    """As multiply, of a weight that may be negative."""
    if isinstance(size, float):
        return min(size * weight, MOST)
    return lambda valuation: min(size(valuation) * weight, MOST)
