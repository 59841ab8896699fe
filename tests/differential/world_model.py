"""What is true of every world over one set of subgraphs: types, keys, and who can return what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphql import (
    EnumTypeDefinitionNode,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    TypeNode,
    get_named_type,
    parse,
)
from graphql.type import GraphQLScalarType, is_specified_scalar_type

from router.supergraph import Supergraph
from router.supergraph.field_set import FieldSet, FieldSetField
from router.supergraph.query_graph import MergedType
from tests.differential.subgraph_schema import SubgraphSchema, names_in

FieldPlace = tuple[str, str]


class WorldModel:
    """Read once from a supergraph and its subgraphs.

    ``detachable`` are (subgraph, type) where the subgraph may not know an entity and nothing falls but its own fields;
    ``sole_owner`` names it for these fields. ``nullable_keys`` are fields that lead only there, and may be null.
    ``lacked_inputs`` are those of the former that other
    fields need.
    ``fallible`` are the fields that may fail alone: nullable, read in one subgraph, and needed by nothing.
    """

    def __init__(self, supergraph: Supergraph, sdl: str, subgraphs: Mapping[str, SubgraphSchema]) -> None:
        self.merged: Mapping[str, MergedType] = supergraph.graph.merged
        self.subgraphs = subgraphs
        self.types = _field_types(sdl)
        self.enums = {name: self._values_everywhere(name, values) for name, values in _enum_values(sdl).items()}
        self.custom_scalars = {
            name
            for name, type_ in supergraph.api_schema.type_map.items()
            if isinstance(type_, GraphQLScalarType) and not is_specified_scalar_type(type_)
        }
        self.key_fields = _key_fields(self.merged, subgraphs)
        self.has_poor_keys = self._has_poor_keys()
        self._entities = {name for subgraph in subgraphs.values() for name in subgraph.keys}
        self._strict: dict[FieldPlace, list[bool]] = {}
        self._targets: dict[FieldPlace, list[str]] = {}
        self._resolvers: dict[FieldPlace, list[str]] = {}
        self._needed = {name for names in self._required_names() for name in names}
        self._needed |= {name for subgraph in subgraphs.values() for _, name in subgraph.external}
        self._needed |= {name for subgraph in subgraphs.values() for name in subgraph.taken}
        self.detachable: set[tuple[str, str]] = set()
        self.sole_owner: dict[FieldPlace, str] = {}
        self.nullable_keys: dict[FieldPlace, str] = {}
        for name in sorted(self._entities):
            self._detach(name)
        self.lacked_inputs = {place for place in self.sole_owner if place[1] in self._needed}
        self.fallible = {place for place in self.types if self._is_fallible(place)}

    def is_entity(self, type_name: str) -> bool:
        """Whether the objects of a type are known by keys somewhere."""
        return bool(self._entities & {type_name, *self.merged[type_name].interfaces})

    def strictness(self, type_name: str, field: str) -> list[bool]:
        """For each level of lists, whether some subgraph or interface says that it is never null."""
        known = self._strict.get((type_name, field))
        if known is None:
            known = levels_of_node(self.types[type_name, field])
            for levels in self._declared_levels(type_name, field):
                known = [a or b for a, b in zip(known, levels, strict=True)]
            self._strict[type_name, field] = known
        return known

    def possible_targets(self, type_name: str, field: str) -> list[str]:
        """The object types that every subgraph which has the field can return there."""
        known = self._targets.get((type_name, field))
        if known is None:
            candidates = set(self.merged[self.merged[type_name].fields[field].target].possible)
            for subgraph in self.subgraphs.values():
                for name in (type_name, *self.merged[type_name].interfaces):
                    seen = subgraph.targets(name, field)
                    if seen is not None and (name == type_name or name in subgraph.interface_objects):
                        candidates &= seen
            known = self._targets[type_name, field] = sorted(candidates)
        return known

    def resolvers(self, type_name: str, field: str) -> list[str]:
        """The subgraphs that can read the field of objects of the type, also as an interface object."""
        known = self._resolvers.get((type_name, field))
        if known is None:
            known = [
                name
                for name, subgraph in self.subgraphs.items()
                if _has(subgraph, type_name, field)
                or any(
                    above in subgraph.interface_objects and _has(subgraph, above, field)
                    for above in self.merged[type_name].interfaces
                )
            ]
            self._resolvers[type_name, field] = known
        return known

    def _values_everywhere(self, name: str, values: list[str]) -> list[str]:
        """The values that each subgraph which has the enum can return."""
        known = [
            t.values for s in self.subgraphs.values() if isinstance(t := s.schema.type_map.get(name), GraphQLEnumType)
        ]
        return [value for value in values if all(value in own for own in known)]

    # -- what may be missing or fail -------------------------------------------------------------------------------

    def _detach(self, type_name: str) -> None:
        """Find a subgraph that the rest of an entity does not need."""
        merged = self.merged[type_name]
        if merged.abstract or any(i in s.interface_objects for s in self.subgraphs.values() for i in merged.interfaces):
            return
        homes = {name: s for name, s in self.subgraphs.items() if type_name in s.schema.type_map}
        for name, subgraph in sorted(homes.items()):
            others = [other for other in homes if other != name]
            own = [field for field in merged.fields if self.resolvers(type_name, field) == [name]]
            told = [field for field in merged.fields if _has(subgraph, type_name, field)]
            shared = [field for field in told if field not in own]
            in_own_keys = {f.name for key in subgraph.keys.get(type_name, ()) for f in key.fields if hasattr(f, "name")}
            needed = {field for field in self._needed if field in own and self.strictness(type_name, field)[0]}
            if not others or not in_own_keys or set(shared) - in_own_keys or set(own) & in_own_keys or needed:
                continue
            if any((type_name, field) in self.key_fields for field in own) or not self._is_joined(type_name, others):
                continue
            if any(self._has_own_below(name, type_name, field) for field in shared):
                continue
            self.detachable.add((name, type_name))
            self.sole_owner.update(((type_name, field), name) for field in own)
            self._note_nullable_key(type_name, name, others)
            return

    def _has_own_below(self, subgraph: str, type_name: str, field: str) -> bool:
        """Whether an object without keys in ``field`` has what ``subgraph`` alone can read, so that it is lost too."""
        if self.merged[type_name].fields[field].target not in self.merged:
            return False
        keyless = [name for name in self.possible_targets(type_name, field) if not self.is_entity(name)]
        return any(self.resolvers(name, inner) == [subgraph] for name in keyless for inner in self.merged[name].fields)

    def _is_joined(self, type_name: str, subgraphs: list[str]) -> bool:
        """Whether each of ``subgraphs`` can be reached from each other by one key."""
        forms = [
            {str(key.fields) for key in self.subgraphs[name].keys.get(type_name, ()) if key.resolvable}
            for name in subgraphs
        ]
        return len(forms) == 1 or bool(set.intersection(*forms))

    def _note_nullable_key(self, type_name: str, subgraph: str, others: list[str]) -> None:
        keys = self.subgraphs[subgraph].keys[type_name]
        if len(keys) != 1 or len(keys[0].fields) != 1:
            return
        item = keys[0].fields[0]
        if not isinstance(item, FieldSetField) or item.selections or item.name in {*self._needed, "__typename"}:
            return
        keyed_elsewhere = any(
            isinstance(f, FieldSetField) and f.name == item.name
            for name in others
            for key in self.subgraphs[name].keys.get(type_name, ())
            for f in key.fields
        )
        if not keyed_elsewhere and not any(self.strictness(type_name, item.name)):
            self.nullable_keys[type_name, item.name] = subgraph

    def _is_fallible(self, place: FieldPlace) -> bool:
        type_name, field = place
        if type_name not in self.merged or self.merged[type_name].abstract or type_name == "Mutation":
            return False
        if place in self.key_fields or field in self._needed or len(self.resolvers(type_name, field)) != 1:
            return False
        api = levels_of_node(self.types[place])
        if api[0]:  # Its null would cost the whole object, and with it what others need of that.
            return False
        return all(levels == api for levels in self._declared_levels(type_name, field))

    def _required_names(self) -> Iterator[set[str]]:
        for subgraph in self.subgraphs.values():
            for fields in subgraph.requires.values():
                yield set(names_in(fields))
            for keys in subgraph.keys.values():
                for key in keys:
                    yield {f.name for f in key.fields if isinstance(f, FieldSetField) and f.selections}

    def _declared_levels(self, type_name: str, field: str) -> Iterator[list[bool]]:
        for name in (type_name, *self.merged[type_name].interfaces):
            if name != type_name and (name, field) in self.types:
                yield levels_of_node(self.types[name, field])
            for subgraph in self.subgraphs.values():
                type_ = subgraph.schema.type_map.get(name)
                if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and field in type_.fields:
                    yield _levels_of_type(type_.fields[field].type)

    def _has_poor_keys(self) -> bool:
        """Whether a key holds what has few values, or nothing but the type."""
        keys = [key for subgraph in self.subgraphs.values() for own in subgraph.keys.values() for key in own]
        return any(set(names_in(key.fields)) == {"__typename"} for key in keys) or any(
            get_named_type(type_.fields[name].type).name in ("Boolean", *self.enums)
            for subgraph in self.subgraphs.values()
            for type_name, name in self.key_fields
            if isinstance(type_ := subgraph.schema.type_map.get(type_name), GraphQLObjectType) and name in type_.fields
        )


def _has(subgraph: SubgraphSchema, type_name: str, field: str) -> bool:
    type_ = subgraph.schema.type_map.get(type_name)
    if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) or field not in type_.fields:
        return False
    return (type_name, field) not in subgraph.external


def _field_types(sdl: str) -> dict[FieldPlace, TypeNode]:
    return {
        (definition.name.value, field.name.value): field.type
        for definition in parse(sdl, no_location=True).definitions
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode)
        for field in definition.fields or ()
    }


def _enum_values(sdl: str) -> dict[str, list[str]]:
    """Every value that subgraphs can return, those that clients may not see included."""
    return {
        definition.name.value: sorted(value.name.value for value in definition.values or ())
        for definition in parse(sdl, no_location=True).definitions
        if isinstance(definition, EnumTypeDefinitionNode)
    }


def _key_fields(merged: Mapping[str, MergedType], subgraphs: Mapping[str, SubgraphSchema]) -> set[FieldPlace]:
    """The fields that are part of a key: they are never null, and no two entities have the same."""
    found: set[FieldPlace] = set()
    for subgraph in subgraphs.values():
        for type_name, keys in subgraph.keys.items():
            for key in keys:
                _collect(merged, type_name, key.fields, found)
    return found


def _collect(merged: Mapping[str, MergedType], type_name: str, fields: FieldSet, found: set[FieldPlace]) -> None:
    type_ = merged[type_name]
    for item in fields:
        if not isinstance(item, FieldSetField):
            _collect(merged, item.type_condition, item.selections, found)
            continue
        if item.name == "__typename":
            continue
        found |= {(name, item.name) for name in (type_name, *type_.possible, *type_.interfaces)}
        if item.selections:
            _collect(merged, type_.fields[item.name].target, item.selections, found)


def levels_of_node(node: TypeNode) -> list[bool]:
    """Whether each level of lists of a type, and then what is in them, is never null."""
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
            return levels
        type_ = inner.of_type
