"""What the representations of a lookup are made of, and which values of the objects around go with them."""

from __future__ import annotations

from collections.abc import Iterable

from router.planning.positions import Position
from router.planning.presences import Input, Presence
from router.planning.query_plan import InputField, InputSelection, Representation
from router.planning.reach import Reach
from router.supergraph.query_graph import TypeKind


def representation_of(entry: Presence, reach: Reach, *, several: bool) -> Representation:
    """How the entities at ``entry`` are represented; ``several``: beside others of other types, in one lookup."""
    assert entry.entry is not None  # noqa: S101 - a lookup has one
    fields = input_fields(entry.entry.inputs.values())
    position = entry.position
    types = types_of(position, reach) if several or position.abstract else None
    if reach.kind(entry.node) is TypeKind.INTERFACE_OBJECT:
        return Representation(types if several else None, entry.node.type_name, fields)
    if not position.abstract:
        return Representation(types, position.type_name, fields)
    if any(_knows_type(provider, position, reach) for provider, _ in entry.entry.providers):
        return Representation(types, None, fields)
    # Only an interface object knows the entity so far: the subgraph finds out what it is.
    return Representation(None, entry.node.type_name, fields)


def _knows_type(provider: Presence, position: Position, reach: Reach) -> bool:
    """Whether ``provider`` reads the entity at ``position`` where its type is known, and not the objects around it."""
    here = (position, *position.known)
    presence: Presence | None = provider
    while presence is not None:
        if presence.position in here or (presence.position.is_cast and presence.position.parent in here):
            return reach.has_types(presence.node)
        presence = presence.above
    return reach.has_types(provider.node) and any(provider.position.is_within(one) for one in here)


def types_of(position: Position, reach: Reach) -> tuple[str, ...]:
    """The object types that an object there can be of."""
    return reach.merged(position.type_name).possible if position.abstract else (position.type_name,)


def input_fields(items: Iterable[Input]) -> tuple[InputField, ...]:
    """``items`` as fields of a representation."""
    return tuple(_input_field(item) for item in items)


def input_selections(items: Iterable[Input], *, abstract: bool) -> tuple[InputSelection, ...]:
    """``items`` by the types of the objects that they are read from."""
    grouped: dict[tuple[str, ...] | None, list[InputField]] = {}
    for item in items:
        grouped.setdefault(item.types, []).append(_input_field(item))
    if not grouped and abstract:
        return (InputSelection(None, (), send_typename=True),)
    return tuple(InputSelection(types, tuple(fields), abstract) for types, fields in grouped.items())


def _input_field(item: Input) -> InputField:
    if item.below is None:
        return InputField(item.name, item.response_key, item.nullable)
    below = input_selections(item.below, abstract=item.abstract)
    return InputField(item.name, item.response_key, item.nullable, below)
