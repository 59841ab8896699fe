"""``@cost`` and ``@listSize`` of a supergraph: what its elements weigh, and how long its lists are.

``type Query { users(max: Int): [User] @listSize(slicingArguments: ["max"]) @cost(weight: 2) }`` ->
``weights={"Query.users": 2.0}`` and ``list_sizes={"Query.users": ListSize(slicing_arguments=("max",))}``.

The directives are those of IBM's GraphQL Cost Directives specification (https://ibm.github.io/graphql-specs/cost-spec.html)
as Federation has them since 2.9, where a weight is an Int; texts, as IBM's weights are, are read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from graphql import ConstDirectiveNode, DocumentNode, TypeDefinitionNode

from router.supergraph.join_spec import JoinNames, directive_values, is_machinery


@dataclass(frozen=True, slots=True)
class ListSize:
    """``@listSize`` of a field. A name in ``slicing_arguments`` may be a path, as in ``input.first``."""

    assumed_size: int | None = None
    slicing_arguments: tuple[str, ...] = ()
    sized_fields: tuple[str, ...] = ()
    require_one_slicing_argument: bool = True


@dataclass(frozen=True, slots=True)
class Costs:
    """By coordinate: ``Type``, ``Type.field``, ``Type.field(argument:)``, or ``Input.field``."""

    weights: Mapping[str, float] = field(default_factory=dict)
    list_sizes: Mapping[str, ListSize] = field(default_factory=dict)


def read_costs(document: DocumentNode, names: JoinNames) -> Costs:
    """What each element weighs that says so, and the list size of each field that has one."""
    if names.cost is None or names.list_size is None:
        return Costs()
    weights: dict[str, float] = {}
    list_sizes: dict[str, ListSize] = {}
    for coordinate, directives in _elements(document, names):
        for values in directive_values(directives, names.cost):
            weights[coordinate] = _weight(values["weight"])
        for values in directive_values(directives, names.list_size):
            list_sizes[coordinate] = _list_size(values)
    return Costs(weights, list_sizes)


def _elements(document: DocumentNode, names: JoinNames) -> Iterator[tuple[str, Iterable[ConstDirectiveNode] | None]]:
    for definition in document.definitions:
        if not isinstance(definition, TypeDefinitionNode) or is_machinery(definition.name.value, names):
            continue
        name = definition.name.value
        yield name, definition.directives
        for member in getattr(definition, "fields", None) or ():
            coordinate = f"{name}.{member.name.value}"
            yield coordinate, member.directives
            for argument in getattr(member, "arguments", None) or ():
                yield f"{coordinate}({argument.name.value}:)", argument.directives


def _weight(value: Any) -> float:
    weight = float(value)
    if not isfinite(weight):
        raise ValueError(f"the weight {value!r} of a cost is no number.")
    return weight


def _list_size(values: Mapping[str, Any]) -> ListSize:
    require_one = values.get("requireOneSlicingArgument")
    return ListSize(
        values.get("assumedSize"),
        _names(values.get("slicingArguments")),
        _names(values.get("sizedFields")),
        True if require_one is None else require_one,
    )


def _names(value: Any) -> tuple[str, ...]:
    """GraphQL takes one name for a list of it."""
    return (value,) if isinstance(value, str) else tuple(value or ())
