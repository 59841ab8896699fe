"""Merged data -> what the operation did cost: its objects are counted, by the weights that the estimate is made of.

Where ``users`` has two members of weight 1, whose ``age`` weighs 2, ``{ users(max: 5) { age } }`` did cost 6, while at
most 15 were to be expected. What is null costs nothing, and what planning added for itself is not counted.

All objects of one place in the selection are counted together: an answer has many objects, its selection few places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any

from graphql import GraphQLSchema, get_named_type, is_abstract_type

from router.operation.cost.estimate import BASE_COSTS
from router.operation.cost.terms import Term, Valuation, Variables
from router.operation.cost.weights import Weights
from router.operation.model import Condition, Operation
from router.operation.normalize import INTROSPECTION_FIELDS
from router.response.completion import JsonObject
from router.response.fields import ConditionalSelections, Occurrence, SelectionSets, collect_fields
from router.supergraph.costs import Costs


@dataclass(frozen=True, slots=True)
class ActualCost:
    """Counts answers to one operation; holds no state of any request."""

    base: float
    root: _Objects

    def __call__(self, data: JsonObject, variables: Mapping[str, object]) -> float:
        """What ``data``, merged for the coerced ``variables``, did cost."""
        return self.base + self.root.cost([data], variables)


def compile_actual_cost(schema: GraphQLSchema, costs: Costs, operation: Operation) -> ActualCost:
    """The counter of an operation that is valid against ``schema``."""
    selections = (ConditionalSelections((), operation.selections),)
    objects = _Objects(schema, Weights(schema, costs), operation.root_type, selections)
    return ActualCost(BASE_COSTS[operation.kind], objects)


@dataclass(slots=True)
class _Objects:
    """Objects of one type, concrete or not, of which ``selected`` is asked. What each concrete type comes to is
    compiled when the first such object is met: a selection may apply to many types, of which data has few."""

    schema: GraphQLSchema
    weights: Weights
    type_name: str
    selected: SelectionSets
    by_type: dict[str, _CountedFields] = field(default_factory=dict)
    is_abstract: bool = field(init=False)
    # Whether nothing that is selected of an object costs anything, as it turns out with the first one.
    is_free: bool = False

    def __post_init__(self) -> None:
        self.is_abstract = is_abstract_type(self.schema.type_map[self.type_name])

    def cost(self, values: Sequence[JsonObject], variables: Variables) -> float:
        """What is selected of the objects ``values`` did cost; not the objects themselves."""
        if not values or self.is_free:
            return 0.0
        if not self.is_abstract:
            return self._cost_of(self.type_name, values, variables)
        by_type: defaultdict[str, list[JsonObject]] = defaultdict(list)
        for value in values:
            name = value.get("__typename")
            if type(name) is str:
                by_type[name].append(value)
        return sum(self._cost_of(name, of_type, variables) for name, of_type in by_type.items())

    def _cost_of(self, name: str, values: Sequence[JsonObject], variables: Variables) -> float:
        counted = self.by_type.get(name)
        if counted is None:
            if not self._has(name):
                return 0.0  # And nothing is kept of it: a subgraph may make up as many names as it likes.
            counted = self.by_type[name] = _CountedFields(tuple(self._compile(name)))
            self.is_free = not self.is_abstract and not counted.all
        total = 0.0
        for one in counted.all if counted.always else counted.of_request(variables):
            total += one.cost(values, variables)
        return total

    def weight(self, value: JsonObject) -> float:
        """What the object ``value`` weighs by its type."""
        name = value.get("__typename") if self.is_abstract else self.type_name
        kind = self.schema.get_type(name) if type(name) is str else None
        return self.weights.of_type(kind or self.schema.type_map[self.type_name])

    def _has(self, name: str) -> bool:
        """Whether an object here may be of the type ``name``."""
        kind = self.schema.type_map[self.type_name]
        return not is_abstract_type(kind) or any(one.name == name for one in self.schema.get_possible_types(kind))

    def _compile(self, type_name: str) -> Iterator[_Counted]:
        for occurrence in collect_fields(self.schema, type_name, self.selected):
            if occurrence.field.name not in INTROSPECTION_FIELDS:
                counted = self._field(type_name, occurrence)
                if counted.below is not None or counted.weight or counted.arguments:
                    yield counted

    def _field(self, type_name: str, occurrence: Occurrence) -> _Counted:
        selected = occurrence.field
        named = get_named_type(self.weights.definition(type_name, selected.name).type)
        below = None
        if selected.selections:
            below = _Objects(self.schema, self.weights, named.name, occurrence.selection_sets)
        is_by_type = is_abstract_type(named) and f"{type_name}.{selected.name}" not in self.weights.costs.weights
        weight = None if is_by_type else self.weights.of_field(type_name, selected.name)
        arguments = self.weights.of_arguments(type_name, selected)
        is_plain = weight is not None and weight >= 0 and arguments == 0.0
        return _Counted(
            selected.response_key,
            itemgetter(selected.response_key),
            occurrence.conditions,
            weight,
            arguments,
            below,
            weight if is_plain else None,
        )


@dataclass(frozen=True, slots=True)
class _Counted:
    """A field whose values are counted; ``weight`` is None where each value's type says it.

    ``of_item`` is what each value costs where that is all; None where arguments cost something, or less than nothing.
    """

    key: str
    get: Callable[[JsonObject], Any]
    conditions: tuple[Condition, ...]
    weight: float | None
    arguments: Term
    below: _Objects | None
    of_item: float | None

    def cost(self, values: Sequence[JsonObject], variables: Variables) -> float:
        """What is under the key in the objects ``values`` did cost with all below it."""
        try:
            found: Sequence[Any] = list(map(self.get, values))
        except KeyError:
            found = [value.get(self.key) for value in values]
        items, kinds = _items(found)
        own = self.of_item * len(items) if self.of_item is not None else self._own(found, items, variables)
        if self.below is None or self.below.is_free:
            return own
        are_objects = len(kinds) == 1 and dict in kinds
        return own + self.below.cost(items if are_objects else [one for one in items if type(one) is dict], variables)

    def _own(self, found: Sequence[Any], items: Sequence[Any], variables: Variables) -> float:
        weight, arguments = self.weight, self.arguments
        if not isinstance(arguments, float):
            arguments = arguments(Valuation(variables))
        if weight is not None and weight >= 0 and arguments >= 0:
            return weight * len(items) + arguments * len(found)
        # Of each object the field costs no less than nothing, so that one cannot make up for another.
        return sum(max(self._weight(_items([value])[0]) + arguments, 0.0) for value in found)

    def _weight(self, items: Sequence[Any]) -> float:
        if self.weight is not None:
            return self.weight * len(items)
        below = self.below
        return sum(below.weight(item) for item in items if type(item) is dict) if below is not None else 0.0


@dataclass(slots=True)
class _CountedFields:
    """The fields of one concrete type that are counted; ``always`` all of them where none has conditions."""

    all: tuple[_Counted, ...]
    always: bool = field(init=False)

    def __post_init__(self) -> None:
        self.always = not any(one.conditions for one in self.all)

    def of_request(self, variables: Variables) -> Iterator[_Counted]:
        """Those whose conditions hold, each key once."""
        done: set[str] = set()
        for one in self.all:
            if one.key not in done and all(condition.holds(variables) for condition in one.conditions):
                done.add(one.key)
                yield one


def _items(values: Sequence[Any]) -> tuple[Sequence[Any], set[type]]:
    """What is not null in ``values``, and in the lists among them at any depth, and of which types it is."""
    kinds = set(map(type, values))
    while list in kinds:
        if len(values) == 1:
            values = values[0]
        else:
            # Nearly always all of them are lists, and no step of this program is taken for each value.
            lists = values if len(kinds) == 1 else (value if type(value) is list else (value,) for value in values)
            values = list(chain.from_iterable(lists))
        kinds = set(map(type, values))
    if type(None) in kinds:
        kinds.discard(type(None))
        values = [value for value in values if value is not None]
    return values, kinds
