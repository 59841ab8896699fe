"""How long the list of a field is at most: by ``@listSize``, or as the settings assume (IBM's specification, 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField, GraphQLList, get_nullable_type
from graphql.utilities import value_from_ast_untyped

from router.operation.cost.terms import MOST, Term, Valuation, Variables, multiply
from router.operation.cost.weights import ABSENT, Weights, is_given, read_value
from router.operation.model import Field
from router.supergraph.costs import ListSize

Sizes = Mapping[str, Term]
ReadSize = Callable[[Variables], Any]


@dataclass(frozen=True, slots=True)
class ListSizes:
    """Sizes over the schema of ``weights``; a list without ``@listSize`` has ``default`` members."""

    weights: Weights
    default: int

    def of(self, owner: str, selected: Field, sized: Sizes) -> tuple[Term, Sizes]:
        """How many values the field has, and those lists in them that its own ``@listSize`` is about.

        ``sized`` are the sizes that the field around it says. A list of lists is taken to have the default number of
        members in each (own decision: the specification does not say).
        """
        definition = self.weights.definition(owner, selected.name)
        levels = _levels(definition)
        declared = self._declared(owner, selected)
        size = self._size(owner, selected, definition, declared) if declared is not None else None
        below = dict.fromkeys(declared.sized_fields, size) if declared is not None and size is not None else {}
        if selected.name in sized:
            return self._nested(sized[selected.name], levels), below
        if size is None or below or not levels:
            return float(min(self.default**levels, MOST)), below
        return self._nested(size, levels), below

    def _nested(self, outer: Term, levels: int) -> Term:
        return multiply(outer, float(min(self.default ** max(levels - 1, 0), MOST)))

    def _declared(self, owner: str, selected: Field) -> ListSize | None:
        found = self.weights.costs.list_sizes
        return found.get(f"{owner}.{selected.name}") or found.get(f"{selected.parent_type}.{selected.name}")

    def _size(self, owner: str, selected: Field, definition: GraphQLField, declared: ListSize) -> Term:
        otherwise = float(self.default if declared.assumed_size is None else max(declared.assumed_size, 0))
        if not declared.slicing_arguments:
            return otherwise
        given = dict(selected.arguments)
        reads: list[ReadSize] = []
        defaults: list[Any] = []
        for path in declared.slicing_arguments:
            name, *inner = path.split(".")
            reads.append(_reader(given, name, inner))
            defaults.append(_default_of(definition, name, inner))
        coordinate = f"{owner}.{selected.name}"
        requires_one = declared.require_one_slicing_argument

        def of_request(valuation: Valuation) -> float:
            values = [read(valuation.variables) for read in reads]
            chosen = [value for value in values if is_given(value)]
            # A default of the schema counts as if it were given (section 8.3), but not against what is given.
            assumed = [
                default
                for value, default in zip(values, defaults, strict=True)
                if value is ABSENT and default is not None
            ]
            if requires_one and len(chosen or assumed) != 1:
                valuation.unsliced.append(coordinate)
            # Fewer than none asks for nothing in one subgraph, and for all there is in another: it says no size.
            sizes = [float(size) if size >= 0 else otherwise for size in (*chosen, *assumed)]
            return max(sizes, default=otherwise)

        return of_request


def _reader(given: Mapping[str, Any], name: str, inner: list[str]) -> ReadSize:
    node = given.get(name)
    if node is None:
        return lambda _: ABSENT
    read = read_value(node)

    def size(variables: Variables) -> Any:
        value = read(variables)
        if not is_given(value):
            return value
        for step in inner:
            if not isinstance(value, Mapping) or step not in value:
                return ABSENT
            value = value[step]
        return value if isinstance(value, int) else None

    return size


def _default_of(definition: GraphQLField, name: str, inner: list[str]) -> int | None:
    default = definition.args[name].default if name in definition.args else None
    value = value_from_ast_untyped(default.literal) if default is not None and default.literal is not None else None
    for step in inner:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, int) else None


def _levels(definition: GraphQLField) -> int:
    """In how many lists the values of the field are."""
    levels = 0
    kind = get_nullable_type(definition.type)
    while isinstance(kind, GraphQLList):
        levels += 1
        kind = get_nullable_type(kind.of_type)
    return levels
