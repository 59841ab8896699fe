"""What fields, types and arguments weigh, whether ``@cost`` says so or not (IBM's specification, sections 5.3.2, 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from graphql.utilities import value_from_ast_untyped

from router.operation.cost.terms import Term, Valuation, Variables, add
from router.operation.model import Field
from router.supergraph.costs import Costs

COMPOSITE = 1.0
LEAF = 0.0

# Stands for an argument whose variable the client left out.
ABSENT: Any = object()
Read = Callable[[Variables], Any]


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of ``costs`` over ``schema``; what has none has that of its type, or the default of its kind."""

    schema: GraphQLSchema
    costs: Costs
    _of_abstract: dict[str, float] = field(default_factory=dict)
    _owners: dict[object, tuple[str, ...]] = field(default_factory=dict)

    def owners(self, selected: Field) -> tuple[str, ...]:
        """The object types that ``selected`` may be a field of, where they differ in costs: one of each kind.

        Interfaces have no ``@cost`` themselves (section 9.1.1): what their fields cost is what the objects' own do.
        """
        parent = self.schema.type_map[selected.parent_type]
        if not is_abstract_type(parent):
            return (selected.parent_type,)
        key = selected.parent_type, selected.name, tuple(name for name, _ in selected.arguments)
        if key not in self._owners:
            found: dict[object, str] = {}
            for possible in self.schema.get_possible_types(parent):
                found.setdefault(self._kind_of(possible.name, selected), possible.name)
            self._owners[key] = tuple(found.values()) or (selected.parent_type,)
        return self._owners[key]

    def of_field(self, owner: str, name: str) -> float:
        """What one value of the field weighs: as the field says, else as its type does."""
        weight = self.costs.weights.get(f"{owner}.{name}")
        return self.of_type(get_named_type(self.definition(owner, name).type)) if weight is None else weight

    def of_type(self, named: GraphQLNamedType) -> float:
        """What a value of the type weighs; of an abstract one, that of the heaviest of its objects."""
        weight = self.costs.weights.get(named.name)
        if weight is not None:
            return weight
        if is_leaf_type(named):
            return LEAF
        if not is_abstract_type(named):
            return COMPOSITE
        if named.name not in self._of_abstract:
            possible = (self.of_type(one) for one in self.schema.get_possible_types(named))
            self._of_abstract[named.name] = max(possible, default=COMPOSITE)
        return self._of_abstract[named.name]

    def of_arguments(self, owner: str, selected: Field) -> Term:
        """What the arguments given to the field weigh together; this may be negative."""
        definition = self.definition(owner, selected.name)
        terms = (self._of_argument(owner, selected.name, definition, *one) for one in selected.arguments)
        return add(terms)

    def definition(self, owner: str, name: str) -> GraphQLField:
        """The field ``name`` of the object type or interface ``owner``."""
        kind = self.schema.type_map[owner]
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)  # noqa: S101 - validated
        definition: GraphQLField = kind.fields[name]
        return definition

    def _kind_of(self, owner: str, selected: Field) -> object:
        coordinate = f"{owner}.{selected.name}"
        weights = self.costs.weights
        arguments = tuple(weights.get(f"{coordinate}({name}:)") for name, _ in selected.arguments)
        return self.of_field(owner, selected.name), self.costs.list_sizes.get(coordinate), arguments

    def _of_argument(self, owner: str, name: str, definition: GraphQLField, argument: str, node: ValueNode) -> Term:
        type_ = definition.args[argument].type
        weight = self.costs.weights.get(f"{owner}.{name}({argument}:)")
        named = get_named_type(type_)
        if is_leaf_type(named) and not (self.of_type(named) if weight is None else weight):
            return 0.0
        read = read_value(node)

        def of_request(valuation: Valuation) -> float:
            value = read(valuation.variables)
            return 0.0 if value is ABSENT else self.of_value(named, value, weight)

        return of_request if _has_variables(node) else of_request(Valuation({}))

    def of_value(self, named: GraphQLNamedType, value: Any, weight: float | None) -> float:
        """What a value given for input weighs: itself, once for a list where ``weight`` says it, and its fields."""
        items = _items(value)
        cost = self.of_type(named) * len(items) if weight is None else weight
        if isinstance(named, GraphQLInputObjectType):
            for item in items:
                cost += sum(self._of_input_field(named, *given) for given in item.items())
        return cost

    def _of_input_field(self, owner: GraphQLInputObjectType, name: str, value: Any) -> float:
        definition = owner.fields.get(name)
        if definition is None:
            return 0.0
        return self.of_value(get_named_type(definition.type), value, self.costs.weights.get(f"{owner.name}.{name}"))


def read_value(node: ValueNode) -> Read:
    """What a value in the document is for the coerced variables of a request, as JSON; ABSENT where that has none."""
    if isinstance(node, VariableNode):
        name = node.name.value
        return lambda variables: variables.get(name, ABSENT)
    if not _has_variables(node):
        constant = value_from_ast_untyped(node)
        return lambda _: constant
    return lambda variables: _value_in(node, variables)


def _value_in(node: ValueNode, variables: Variables) -> Any:
    """As read_value. Of a variable that was left out, a member of an object is left out too, and one of a list is null
    (GraphQL specification, sections 3.10 and 3.11)."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value, ABSENT)
    if isinstance(node, ObjectValueNode):
        members = ((one.name.value, _value_in(one.value, variables)) for one in node.fields)
        return {name: value for name, value in members if value is not ABSENT}
    if isinstance(node, ListValueNode):
        items = (_value_in(one, variables) for one in node.values)
        return [None if item is ABSENT else item for item in items]
    return value_from_ast_untyped(node)


def _has_variables(node: ValueNode) -> bool:
    if isinstance(node, VariableNode):
        return True
    members: tuple[Any, ...] = getattr(node, "values", ()) or ()
    fields: tuple[Any, ...] = getattr(node, "fields", ()) or ()
    return any(map(_has_variables, members)) or any(_has_variables(one.value) for one in fields)


def _items(value: Any) -> list[Any]:
    """What is not null in ``value``, which may be lists of lists."""
    if isinstance(value, list | tuple):
        return [item for member in value for item in _items(member)]
    return [] if value is None else [value]


def is_given(value: Any) -> bool:
    """Whether an argument has a value other than null."""
    return value is not None and value is not ABSENT
