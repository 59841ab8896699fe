"""What of an operation a requester may see: decided before planning, so that what is hidden is never asked for.

Of ``{ user { name ssn } }``, where ``User.ssn`` is denied, ``{ user { name } }`` is planned. The answer is as if the
hidden field had failed: null in its place, and an error (:mod:`router.response.projection` writes both).

A field is denied by its own requirement, by that of the type it is selected on, by that of the type of its values, and
for each object by those of its own type. So ``{ media { price } }`` over an interface becomes
``{ media { ... on Book { price } } }`` where a film's price is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type, is_abstract_type

from router.federation.alternatives import Alternatives
from router.operation.model import Field, InlineFragment, Operation, Selection
from router.operation.normalize import INTROSPECTION_FIELDS
from router.supergraph.protections import Protections, Requirement

UNAUTHORIZED = "UNAUTHORIZED_FIELD_OR_TYPE"

# Coordinates of types and fields.
Denied = frozenset[str]
NOTHING_DENIED: Denied = frozenset()


@dataclass(frozen=True, slots=True)
class Grant:
    """What a requester has: whether they are known at all, their scopes, and the policies that let them through."""

    is_authenticated: bool = False
    scopes: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()

    def meets(self, requirement: Requirement) -> bool:
        """Whether the requirement is met."""
        return (
            (self.is_authenticated or not requirement.authenticated)
            and _has_one(self.scopes, requirement.scopes)
            and _has_one(self.policies, requirement.policies)
        )


@dataclass(frozen=True, slots=True)
class Demands:
    """The protected coordinates that an operation touches; ``policies`` are those that must be asked for it."""

    requirements: tuple[tuple[str, Requirement], ...]
    policies: frozenset[str]

    def denied_to(self, grant: Grant) -> Denied:
        """The coordinates that ``grant`` does not open."""
        return frozenset(coordinate for coordinate, needed in self.requirements if not grant.meets(needed))


def find_demands(schema: GraphQLSchema, operation: Operation, protections: Protections) -> Demands | None:
    """What ``operation`` touches of the ``protections``; None where it touches nothing."""
    if not protections:
        return None
    touched = dict.fromkeys(
        coordinate
        for coordinate in _coordinates(schema, operation.root_type, operation.selections)
        if coordinate in protections
    )
    if not touched:
        return None
    requirements = tuple((coordinate, protections[coordinate]) for coordinate in touched)
    policies = (policy for _, needed in requirements for alternative in needed.policies for policy in alternative)
    return Demands(requirements, frozenset(policies))


def cut_denied(schema: GraphQLSchema, operation: Operation, denied: Denied) -> Operation:
    """``operation`` without what is ``denied``; ``__typename`` stands where nothing else is left of an object."""
    selections = tuple(_allowed(schema, operation.selections, denied))
    return replace(operation, selections=selections or (_typename(operation.root_type),))


def is_denied(schema: GraphQLSchema, field: Field, type_name: str, denied: Denied) -> bool:
    """Whether ``field`` is denied on objects of ``type_name``, which may be the type that it is selected on."""
    name = field.name
    if name in INTROSPECTION_FIELDS:
        return False
    for place in {field.parent_type, type_name}:
        if place in denied or f"{place}.{name}" in denied:
            return True
    return _value_type(schema, type_name, name) in denied


def _allowed(schema: GraphQLSchema, selections: Iterable[Selection], denied: Denied) -> Iterator[Selection]:
    for selection in selections:
        if isinstance(selection, InlineFragment):
            below = tuple(_allowed(schema, selection.selections, denied))
            if below:
                yield replace(selection, selections=below)
        elif not is_denied(schema, selection, selection.parent_type, denied):
            yield from _allowed_by_type(schema, _with_allowed_below(schema, selection, denied), denied)


def _with_allowed_below(schema: GraphQLSchema, field: Field, denied: Denied) -> Field:
    if not field.selections or field.name in INTROSPECTION_FIELDS:
        return field
    below = tuple(_allowed(schema, field.selections, denied))
    return replace(field, selections=below or (_typename(_value_type(schema, field.parent_type, field.name)),))


def _allowed_by_type(schema: GraphQLSchema, field: Field, denied: Denied) -> Iterator[Selection]:
    """The field as it is, or for each of the types that it is allowed on."""
    possible = _possible(schema, field.parent_type)
    allowed = [name for name in possible if not is_denied(schema, field, name, denied)]
    if len(allowed) == len(possible):
        yield field
        return
    for name in allowed:
        yield InlineFragment(name, (), (replace(field, parent_type=name),))


def _coordinates(schema: GraphQLSchema, root_type: str, selections: Iterable[Selection]) -> Iterator[str]:
    yield root_type
    for selection in selections:
        if isinstance(selection, InlineFragment):
            yield from _coordinates(schema, selection.type_condition, selection.selections)
            continue
        if selection.name in INTROSPECTION_FIELDS:
            # An object that consists of its name alone is still one of a type that may be protected.
            yield from _possible(schema, selection.parent_type)
            continue
        for name in (selection.parent_type, *_possible(schema, selection.parent_type)):
            yield name
            yield f"{name}.{selection.name}"
        value_type = _value_type(schema, selection.parent_type, selection.name)
        yield value_type
        yield from _coordinates(schema, value_type, selection.selections)


def _possible(schema: GraphQLSchema, type_name: str) -> tuple[str, ...]:
    kind = schema.type_map[type_name]
    return tuple(one.name for one in schema.get_possible_types(kind)) if is_abstract_type(kind) else (type_name,)


def _value_type(schema: GraphQLSchema, type_name: str, field_name: str) -> str:
    kind = schema.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)  # noqa: S101 - validated
    name: str = get_named_type(kind.fields[field_name].type).name
    return name


def _typename(parent_type: str) -> Field:
    return Field("__typename", "__typename", parent_type)


def _has_one(had: frozenset[str], alternatives: Alternatives) -> bool:
    return any(alternative <= had for alternative in alternatives)
