"""A subgraph's SDL as a server sees it: an executable schema, and what its federation directives say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from graphql import (
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    NamedTypeNode,
    NameNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    Visitor,
    build_ast_schema,
    extend_schema,
    get_named_type,
    parse,
    visit,
)
from graphql.utilities import value_from_ast_untyped

from router.supergraph.field_set import FieldSet, FieldSetField, parse_field_set

FEDERATION = "https://specs.apollo.dev/federation/"
MACHINERY = """
scalar _Any
union _Entity = {entities}
extend type Query {{ _entities(representations: [_Any!]!): [_Entity]! }}
"""
_WORD = re.compile(r"\w+")
MACHINE_TYPES = frozenset({"_Any", "_Entity", "_Service"})
MACHINE_FIELDS = frozenset({"_entities", "_service"})


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
        self.overrides: dict[tuple[str, str], str] = {}
        self.overridden: set[tuple[str, str]] = set()
        self.labelled: dict[tuple[str, str], tuple[str, str]] = {}
        self.read_with: dict[tuple[str, str], str] = {}
        self.read_without: dict[tuple[str, str], str] = {}
        self.taken: set[str] = set()
        self.valid_documents: dict[str, DocumentNode] = {}
        self._own_externals: set[tuple[str, str]] = set()
        document = parse(sdl, no_location=True)
        self._directives, is_federation_1 = _federation_names(document)
        document = visit(document, _RootsRenamed(document))
        definitions = [d for d in document.definitions if _is_type(d)]
        for definition in definitions:
            self._read_type(definition)
        self.external = {place for place in self.external if not self._is_own(place)}
        if is_federation_1:
            self._read_as_federation_1()
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

    # -- what the directives say -----------------------------------------------------------------------------------

    def _read_type(self, definition: Any) -> None:
        name = definition.name.value
        applied = list(self._applied(definition))
        extends = isinstance(definition, TypeExtensionNode) or any(called == "extends" for called, _ in applied)
        for called, values in applied:
            if called == "key":
                key = Key(parse_field_set(values["fields"]), values.get("resolvable", True))
                self.keys.setdefault(name, []).append(key)
                if extends:  # Its key fields are its own, whatever they are marked as.
                    self._own_externals |= {(name, inner) for inner in names_in(key.fields)}
            elif called == "interfaceObject":
                self.interface_objects.add(name)
            elif called == "external":
                self.external |= {(name, field.name.value) for field in definition.fields or ()}
        for field in getattr(definition, "fields", None) or ():
            if isinstance(field, FieldDefinitionNode):
                self._read_field((name, field.name.value), field)

    def _is_own(self, place: tuple[str, str]) -> bool:
        """Whether a key of an extension has the field, in objects below the entity too."""
        return place in self._own_externals or (
            place[0] not in self.keys and place[1] in {n for _, n in self._own_externals}
        )

    def _read_as_federation_1(self) -> None:
        """There, ``@external`` means fields that are required or provided, and ``@requires`` external ones."""
        used = {name for fields in (*self.requires.values(), *self.provides.values()) for name in names_in(fields)}
        self.external = {place for place in self.external if place[1] in used}
        for place, fields in list(self.requires.items()):
            if not any((place[0], name) in self.external for name in names_in(fields)):
                del self.requires[place]

    def _read_field(self, place: tuple[str, str], field: FieldDefinitionNode) -> None:
        for argument in field.arguments or ():
            for called, values in self._applied(argument):
                if called == "fromContext":
                    self.taken |= set(_WORD.findall(values.get("field") or ""))
        for called, values in self._applied(field):
            if called == "external":
                self.external.add(place)
            elif called == "requires":
                self.requires[place] = parse_field_set(values["fields"])
            elif called == "override" and "label" in values:
                self.labelled[place] = (values["from"], values["label"])
            elif called == "override":
                self.overrides[place] = values["from"]
            elif called == "provides":
                self.provides[place] = parse_field_set(values["fields"])

    def _applied(self, node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        """Federation's directives on ``node``, by the names that the specification gives them."""
        for directive in node.directives or ():
            called = self._directives.get(directive.name.value)
            if called is not None:
                yield called, _values(directive)

    # -- the executable schema -------------------------------------------------------------------------------------

    def _build(self, definitions: list[Any]) -> Any:
        plain = [visit(definition, _WithoutMachinery()) for definition in definitions]
        known: set[str] = set()
        for index, definition in enumerate(plain):
            if isinstance(definition, TypeExtensionNode) and not _is_defined(definition, plain, known):
                plain[index] = _as_definition(definition)
            known.add(definition.name.value)
        if "Query" not in known:
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


def read_subgraphs(sources: Iterable[tuple[str, str]]) -> dict[str, SubgraphSchema]:
    """Every subgraph by its name, each told which of its fields another one has overridden, and by which label."""
    schemas = {name: SubgraphSchema(name, sdl) for name, sdl in sources}
    for schema in schemas.values():
        for place, (overridden, label) in schema.labelled.items():
            # Where nobody else has the field, there is nothing to choose.
            if overridden in schemas and schemas[overridden].targets(*place) is not None:
                schema.read_with[place] = schemas[overridden].read_without[place] = label
        for place, overridden in schema.overrides.items():
            if overridden in schemas:
                schemas[overridden].overridden.add(place)
    return schemas


def names_in(fields: FieldSet) -> Iterator[str]:
    """The names of all fields of a field set, at any depth."""
    for item in fields:
        if isinstance(item, FieldSetField):
            yield item.name
        yield from names_in(item.selections)


def _federation_names(document: DocumentNode) -> tuple[dict[str, str], bool]:
    """What federation's directives are called in a document -> what they are; and whether it is of Federation 1."""
    names = ("key", "external", "requires", "provides", "interfaceObject", "extends", "override", "fromContext")
    for definition in document.definitions:
        if not isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
            continue
        for directive in definition.directives or ():
            values = _values(directive)
            if directive.name.value == "link" and str(values.get("url", "")).startswith(FEDERATION):
                prefix = values.get("as") or "federation"
                imported = _imported(values.get("import") or ())
                return {f"{prefix}__{name}": name for name in names} | imported, False
    return {name: name for name in names}, True


def _imported(imports: Any) -> dict[str, str]:
    pairs = ((i, i) if isinstance(i, str) else (i.get("as") or i["name"], i["name"]) for i in imports)
    return {own.removeprefix("@"): name.removeprefix("@") for own, name in pairs if name.startswith("@")}


def _is_type(definition: Any) -> bool:
    is_type = isinstance(definition, TypeDefinitionNode | TypeExtensionNode)
    if not is_type or isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode | DirectiveDefinitionNode):
        return False
    return definition.name.value not in MACHINE_TYPES


def _is_defined(extension: Any, all_of_them: list[Any], known: set[str]) -> bool:
    name = extension.name.value
    return name in known or any(isinstance(d, TypeDefinitionNode) and d.name.value == name for d in all_of_them)


def _as_definition(extension: Any) -> Any:
    if isinstance(extension, ObjectTypeExtensionNode):
        kind: Any = ObjectTypeDefinitionNode
    else:
        import graphql

        kind = getattr(graphql, type(extension).__name__.replace("Extension", "Definition"))
    return kind(**{key: getattr(extension, key, None) for key in extension.keys})


class _RootsRenamed(Visitor):
    """Gives root types the names that they have in every supergraph."""

    def __init__(self, document: DocumentNode) -> None:
        super().__init__()
        self._names = {
            operation.type.name.value: operation.operation.value.capitalize()
            for definition in document.definitions
            if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode)
            for operation in definition.operation_types or ()
        }

    def enter(self, node: Node, _key: object, parent: object, *_: object) -> Node | None:
        is_type_name = isinstance(parent, NamedTypeNode | TypeDefinitionNode | TypeExtensionNode)
        if is_type_name and isinstance(node, NameNode) and node.value in self._names:
            return NameNode(value=self._names[node.value])
        return None


class _WithoutMachinery(Visitor):
    """Takes out directives, and what a subgraph says of itself as one of many."""

    def enter(self, node: Node, *_: object) -> object:
        if isinstance(node, DirectiveNode):
            return Visitor.REMOVE
        if isinstance(node, FieldDefinitionNode) and node.name.value in MACHINE_FIELDS:
            return Visitor.REMOVE
        return None


def _values(directive: DirectiveNode) -> dict[str, Any]:
    values = {argument.name.value: value_from_ast_untyped(argument.value) for argument in directive.arguments or ()}
    if isinstance(values.get("fields"), list):
        values["fields"] = " ".join(values["fields"])
    return values
