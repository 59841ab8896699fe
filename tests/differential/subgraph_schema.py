"""A subgraph's SDL as a server sees it: an executable schema, and what its federation directives say."""

from __future__ import annotations

from typing import Any, NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    Node,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    Visitor,
    build_ast_schema,
    extend_schema,
    get_named_type,
    parse,
    visit,
)
from graphql.utilities import value_from_ast_untyped

from router.supergraph.field_set import FieldSet, parse_field_set

MACHINERY = """
scalar _Any
union _Entity = {entities}
extend type Query {{ _entities(representations: [_Any!]!): [_Entity]! }}
"""


class Key(NamedTuple):
    """One ``@key``."""

    fields: FieldSet
    resolvable: bool


class SubgraphSchema:
    """Read from the SDL alone, by other code than the router's: the truth must not share the router's mistakes."""

    def __init__(self, name: str, sdl: str) -> None:
        self.name = name
        self.keys: dict[str, list[Key]] = {}
        self.external: set[tuple[str, str]] = set()
        self.requires: dict[tuple[str, str], FieldSet] = {}
        self.provides: dict[tuple[str, str], FieldSet] = {}
        self.interface_objects: set[str] = set()
        definitions = [
            definition
            for definition in parse(sdl, no_location=True).definitions
            if isinstance(definition, TypeDefinitionNode)
            and not isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode)
        ]
        for definition in definitions:
            self._read_type(definition)
        self.schema = self._build(definitions)

    def possible(self, type_name: str) -> set[str]:
        """The object types that ``type_name`` can be here."""
        type_ = self.schema.type_map.get(type_name)
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            return {possible.name for possible in self.schema.get_possible_types(type_)}
        return {type_name} if type_ else set()

    def targets(self, type_name: str, field: str) -> set[str] | None:
        """The object types that the field can return here; None where it is not read here, or its type is not told."""
        type_ = self.schema.type_map.get(type_name)
        if not isinstance(type_, GraphQLObjectType) or field not in type_.fields or (type_name, field) in self.external:
            return None
        target = get_named_type(type_.fields[field].type).name
        return None if target in self.interface_objects else self.possible(target)

    def _read_type(self, definition: TypeDefinitionNode) -> None:
        name = definition.name.value
        for directive in definition.directives or ():
            if directive.name.value == "key":
                values = _values(directive)
                key = Key(parse_field_set(values["fields"]), values.get("resolvable", True))
                self.keys.setdefault(name, []).append(key)
            elif directive.name.value == "interfaceObject":
                self.interface_objects.add(name)
        for field in getattr(definition, "fields", None) or ():
            if isinstance(field, FieldDefinitionNode):
                self._read_field((name, field.name.value), field)

    def _read_field(self, place: tuple[str, str], field: FieldDefinitionNode) -> None:
        for directive in field.directives or ():
            if directive.name.value == "external":
                self.external.add(place)
            elif directive.name.value == "requires":
                self.requires[place] = parse_field_set(_values(directive)["fields"])
            elif directive.name.value == "provides":
                self.provides[place] = parse_field_set(_values(directive)["fields"])

    def _build(self, definitions: list[TypeDefinitionNode]) -> Any:
        plain = [visit(definition, _WithoutDirectives()) for definition in definitions]
        names = {definition.name.value for definition in definitions}
        if "Query" not in names:
            plain += parse("type Query { _service: String }", no_location=True).definitions
        schema = build_ast_schema(DocumentNode(definitions=tuple(plain)), assume_valid=True)
        entities = [
            name
            for name, keys in self.keys.items()
            if isinstance(schema.type_map[name], GraphQLObjectType) and any(key.resolvable for key in keys)
        ]
        if not entities:
            return schema
        machinery = parse(MACHINERY.format(entities=" | ".join(entities)), no_location=True)
        return extend_schema(schema, machinery, assume_valid=True)


class _WithoutDirectives(Visitor):
    def enter(self, node: Node, *_: object) -> Node | None:
        if isinstance(node, DirectiveNode) or not getattr(node, "directives", None):
            return None
        return type(node)(**{**{key: getattr(node, key) for key in node.keys}, "directives": ()})


def _values(directive: DirectiveNode) -> dict[str, Any]:
    return {argument.name.value: value_from_ast_untyped(argument.value) for argument in directive.arguments or ()}
