"""A virtual world: which objects there are, and the value of every field, all of it following from a seed.

Entities come from small pools, so that one entity is met at many places; any other object is known by the way that
leads to it. Nothing is stored: ``World.value`` computes what it is asked for, the same each time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    TypeNode,
    get_named_type,
    parse,
)

from router.supergraph import Supergraph
from router.supergraph.field_set import FieldSet, FieldSetField
from tests.differential.subgraph_schema import SubgraphSchema

NULL_EVERY = 9


class Thing(NamedTuple):
    """An object: its concrete type and who it is."""

    type_name: str
    ident: str


class World:
    """The values of all fields of all objects, for one supergraph and its subgraphs."""

    def __init__(
        self, supergraph: Supergraph, sdl: str, subgraphs: Mapping[str, SubgraphSchema], seed: int, pool: int = 3
    ) -> None:
        self.merged = supergraph.graph.merged
        self._enums = {
            name: type_.values for name, type_ in supergraph.api_schema.type_map.items() if hasattr(type_, "values")
        }
        self._subgraphs = subgraphs
        self._seed = seed
        self._pool = pool
        self._types = _field_types(sdl)
        self._keys = _key_fields(self.merged, subgraphs)
        self._entities = {name for subgraph in subgraphs.values() for name in subgraph.keys}
        self._strict: dict[tuple[str, str], list[bool]] = {}
        self._targets: dict[tuple[str, str], list[str]] = {}

    def pool(self, type_name: str) -> list[Thing]:
        """Every entity that ``type_name`` (an object type or an interface) can be."""
        return [self._entity(name, n) for name in self.merged[type_name].possible for n in range(self._pool)]

    def value(self, thing: Thing, field: str, arguments: Mapping[str, object]) -> object:
        """A JSON leaf, a Thing, None, or lists of these."""
        asked = json.dumps(arguments, sort_keys=True) if arguments else ""
        node = self._types[thing.type_name, field]
        return self._value(
            node, thing, field, f"{thing.ident}/{field}{asked}", self._strictness(thing.type_name, field)
        )

    def number(self, *parts: object) -> int:
        """A number that follows from the seed and ``parts``."""
        digest = hashlib.blake2b("|".join(map(str, (self._seed, *parts))).encode(), digest_size=6).digest()
        return int.from_bytes(digest, "big")

    def _entity(self, type_name: str, number: int) -> Thing:
        return Thing(type_name, f"{type_name}:{number}")

    def _value(self, node: TypeNode, thing: Thing, field: str, path: str, strict: list[bool]) -> object:
        if isinstance(node, NonNullTypeNode):
            node = node.type
        in_key = (thing.type_name, field) in self._keys
        if not strict[0] and not in_key and self.number(path, "null") % NULL_EVERY == 0:
            return None
        if isinstance(node, ListTypeNode):
            count = max(self.number(path, "length") % 4, int(in_key))
            return [self._value(node.type, thing, field, f"{path}.{i}", strict[1:]) for i in range(count)]
        assert isinstance(node, NamedTypeNode)
        if node.name.value in self.merged:
            return self._object(thing.type_name, field, path)
        return self._leaf(node.name.value, field, path)

    def _object(self, type_name: str, field: str, path: str) -> Thing | None:
        targets = self._possible_targets(type_name, field)
        if not targets:
            return None
        target = targets[self.number(path, "type") % len(targets)]
        interfaces = self.merged[target].interfaces
        if (type_name, field) in self._keys or not self._entities & {target, *interfaces}:
            return Thing(target, target if target in ("Query", "Mutation") else path)
        return self._entity(target, self.number(path, "who") % self._pool)

    def _leaf(self, type_name: str, field: str, path: str) -> object:
        number = self.number(path, "leaf")
        if type_name == "Int":
            return number % 2_000_000_000
        if type_name == "Float":
            return number % 100_000 / 4
        if type_name == "Boolean":
            return bool(number & 1)
        values = sorted(self._enums.get(type_name, ()))
        return values[number % len(values)] if values else f"{field}-{number:x}"

    def _strictness(self, type_name: str, field: str) -> list[bool]:
        """For each level of lists, whether some subgraph or interface says that it is never null."""
        known = self._strict.get((type_name, field))
        if known is None:
            names = (type_name, *self.merged[type_name].interfaces)
            known = _levels_of_node(self._types[type_name, field])
            for name in names:
                if (name, field) in self._types:
                    known = _either(known, _levels_of_node(self._types[name, field]))
                for subgraph in self._subgraphs.values():
                    type_ = subgraph.schema.type_map.get(name)
                    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and field in type_.fields:
                        known = _either(known, _levels_of_type(type_.fields[field].type))
            self._strict[type_name, field] = known
        return known

    def _possible_targets(self, type_name: str, field: str) -> list[str]:
        """The object types that every subgraph which has the field can return there."""
        known = self._targets.get((type_name, field))
        if known is None:
            candidates = set(self.merged[self.merged[type_name].fields[field].target].possible)
            for subgraph in self._subgraphs.values():
                for name in (type_name, *self.merged[type_name].interfaces):
                    seen = subgraph.targets(name, field)
                    if seen is not None and (name == type_name or name in subgraph.interface_objects):
                        candidates &= seen
            known = self._targets[type_name, field] = sorted(candidates)
        return known


@lru_cache(maxsize=8)
def _field_types(sdl: str) -> dict[tuple[str, str], TypeNode]:
    return {
        (definition.name.value, field.name.value): field.type
        for definition in parse(sdl, no_location=True).definitions
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode)
        for field in definition.fields or ()
    }


def _key_fields(merged: Mapping[str, object], subgraphs: Mapping[str, SubgraphSchema]) -> set[tuple[str, str]]:
    """The fields that are part of a key: they are never null, and no two entities have the same."""
    found: set[tuple[str, str]] = set()
    for subgraph in subgraphs.values():
        for type_name, keys in subgraph.keys.items():
            for key in keys:
                _collect(merged, type_name, key.fields, found)
    return found


def _collect(merged: Mapping[str, object], type_name: str, fields: FieldSet, found: set[tuple[str, str]]) -> None:
    type_ = merged[type_name]
    for item in fields:
        assert isinstance(item, FieldSetField)
        found |= {(name, item.name) for name in (type_name, *type_.possible, *type_.interfaces)}  # type: ignore[attr-defined]
        if item.selections:
            _collect(merged, type_.fields[item.name].target, item.selections, found)  # type: ignore[attr-defined]


def _levels_of_node(node: TypeNode) -> list[bool]:
    levels: list[bool] = []
    while True:
        levels.append(isinstance(node, NonNullTypeNode))
        inner = node.type if isinstance(node, NonNullTypeNode) else node
        if not isinstance(inner, ListTypeNode):
            return levels
        node = inner.type


def _levels_of_type(type_: GraphQLOutputType) -> list[bool]:
    levels: list[bool] = []
    while True:
        levels.append(isinstance(type_, GraphQLNonNull))
        inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if not isinstance(inner, GraphQLList):
            assert get_named_type(inner) is inner
            return levels
        type_ = inner.of_type


def _either(one: list[bool], other: list[bool]) -> list[bool]:
    return [a or b for a, b in zip(one, other, strict=True)]
