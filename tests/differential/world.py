"""A virtual world: which objects there are, and the value of every field, all of it following from a seed.

Entities come from small pools, so that one entity is met at many places; any other object is known by the way that
leads to it. Nothing is stored: ``World.value`` computes what it is asked for, the same each time. Some entities are
not known to every subgraph that could know them, and some fields fail: in one server as in many.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode

from tests.differential.world_model import WorldModel

NULL_EVERY = 9
MISSING_EVERY = 4
BROKEN_EVERY = 15
POOL = 3
ROOTS = ("Query", "Mutation", "Subscription")


class Thing(NamedTuple):
    """An object: its concrete type and who it is."""

    type_name: str
    ident: str


class BrokenFieldError(Exception):
    """A resolver that does not work for this object: an error at its place, and null."""


class World:
    """The values of all fields of all objects; ``fails`` says whether some fields are broken."""

    def __init__(self, model: WorldModel, seed: int, *, fails: bool = False) -> None:
        self.model = model
        self.merged = model.merged
        self._seed = seed
        self._fails = fails
        self._pool = 1 if model.has_poor_keys else POOL

    def pool(self, type_name: str) -> list[Thing]:
        """Every entity that ``type_name`` (an object type or an interface) can be."""
        return [self._entity(name, n) for name in self.merged[type_name].possible for n in range(self._pool)]

    def knows(self, subgraph: str, thing: Thing) -> bool:
        """Whether ``subgraph`` has the entity."""
        if (subgraph, thing.type_name) not in self.model.detachable or thing.ident.endswith(":0"):
            return True
        return self.number(thing.ident, subgraph, "missing") % MISSING_EVERY != 0

    def value(self, thing: Thing, field: str, arguments: Mapping[str, object]) -> object:
        """A JSON leaf, a Thing, None, or lists of these. BrokenFieldError where it cannot be had."""
        place = (thing.type_name, field)
        if self._is_lost(thing, field):
            return None
        asked = json.dumps(arguments, sort_keys=True) if arguments else ""
        path = f"{thing.ident}/{field}{asked}"
        if self._fails and place in self.model.fallible and self.number(path, "broken") % BROKEN_EVERY == 0:
            raise BrokenFieldError
        return self._value(self.model.types[place], thing, field, path, self.model.strictness(*place))

    def number(self, *parts: object) -> int:
        """A number that follows from the seed and ``parts``."""
        digest = hashlib.blake2b("|".join(map(str, (self._seed, *parts))).encode(), digest_size=6).digest()
        return int.from_bytes(digest, "big")

    def _is_lost(self, thing: Thing, field: str) -> bool:
        """Whether the only subgraph that has the field does not know the thing, or it is the key that is not there."""
        subgraph = self.model.sole_owner.get((thing.type_name, field))
        if subgraph is not None and not self.knows(subgraph, thing):
            return True
        keyed = self.model.nullable_keys.get((thing.type_name, field))
        return keyed is not None and not self.knows(keyed, thing) and self.number(thing.ident, "no key") % 2 == 0

    def _entity(self, type_name: str, number: int) -> Thing:
        return Thing(type_name, f"{type_name}:{number}")

    def _value(self, node: TypeNode, thing: Thing, field: str, path: str, strict: list[bool]) -> object:
        if isinstance(node, NonNullTypeNode):
            node = node.type
        in_key = (thing.type_name, field) in self.model.key_fields
        if not strict[0] and not in_key and self.number(path, "null") % NULL_EVERY == 0:
            return None
        if isinstance(node, ListTypeNode):
            count = max(self.number(path, "length") % 4, int(in_key))
            return [self._value(node.type, thing, field, f"{path}.{i}", strict[1:]) for i in range(count)]
        assert isinstance(node, NamedTypeNode)
        if node.name.value in self.merged:
            return self._object(thing, field, path)
        return self._leaf(node.name.value, field, path)

    def _object(self, thing: Thing, field: str, path: str) -> Thing | None:
        targets = self.model.possible_targets(thing.type_name, field)
        if not targets:
            return None
        target = targets[self.number(path, "type") % len(targets)]
        in_key = (thing.type_name, field) in self.model.key_fields
        if not self.model.is_entity(target) or (in_key and not thing.ident.startswith(f"{thing.type_name}:")):
            return Thing(target, target if target in ROOTS else path)
        if in_key:  # Two entities never have equal keys.
            return self._entity(target, int(thing.ident.rpartition(":")[2]))
        found = self._entity(target, self.number(path, "who") % self._pool)
        is_known = all(self.knows(name, found) for name in self.model.resolvers(thing.type_name, field))
        return found if is_known else self._entity(target, 0)

    def _leaf(self, type_name: str, field: str, path: str) -> object:
        number = self.number(path, "leaf")
        if type_name == "Int":
            return number % 2_000_000_000
        if type_name == "Float":
            return number % 100_000 / 4
        if type_name == "Boolean":
            return bool(number & 1)
        if type_name in self.model.enums:
            values = self.model.enums[type_name]
            return values[number % len(values)] if values else None
        text = f"{field}-{number:x}"
        if type_name in self.model.custom_scalars:
            return _odd_value(number, text)
        return text


def _odd_value(number: int, text: str) -> object:
    """A value such as custom scalars have: anything that JSON can say."""
    values = (text, number << 30, {"of": text, "n": [number, None, {"of": 0.5}]}, [number, text], number / 8)
    return values[number % len(values)]
