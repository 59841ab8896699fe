"""SDL document -> :class:`~router.composition.schema.Schema`, with extensions merged into their types.

What one document says twice (a type, a field, an enum value) is an error here; everything else that GraphQL forbids
is left to :mod:`router.composition.preprocess.graphql_rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    NamedTypeNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
)

from router.composition.errors import CompositionError, subgraph_error
from router.composition.schema import (
    BUILT_IN_SCALARS,
    ROOT_NAMES,
    Application,
    Block,
    DirectiveDefinition,
    EnumValue,
    Field,
    InputValue,
    Schema,
    TypeDefinition,
    TypeKind,
)
from router.federation.directives import NO_DEFAULT
from router.federation.error_codes import ErrorCode
from router.federation.literals import literal_from_node
from router.federation.type_ref import type_ref_from_node

_KINDS: Mapping[type[Node], TypeKind] = {
    ScalarTypeDefinitionNode: TypeKind.SCALAR,
    ScalarTypeExtensionNode: TypeKind.SCALAR,
    ObjectTypeDefinitionNode: TypeKind.OBJECT,
    ObjectTypeExtensionNode: TypeKind.OBJECT,
    InterfaceTypeDefinitionNode: TypeKind.INTERFACE,
    InterfaceTypeExtensionNode: TypeKind.INTERFACE,
    UnionTypeDefinitionNode: TypeKind.UNION,
    UnionTypeExtensionNode: TypeKind.UNION,
    EnumTypeDefinitionNode: TypeKind.ENUM,
    EnumTypeExtensionNode: TypeKind.ENUM,
    InputObjectTypeDefinitionNode: TypeKind.INPUT_OBJECT,
    InputObjectTypeExtensionNode: TypeKind.INPUT_OBJECT,
}

NameOfSpec = Callable[[str], str]
"""Gives the Federation specification's name of a directive of the schema, or the empty string."""

_Named = TypeVar("_Named", Field, InputValue)


def schema_directive_nodes(document: DocumentNode) -> tuple[ConstDirectiveNode, ...]:
    """The directives applied to the schema itself, in definitions and extensions."""
    return tuple(
        directive
        for definition in document.definitions
        if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode)
        for directive in definition.directives or ()
    )


def read_schema(
    document: DocumentNode, subgraph: str, spec_of: NameOfSpec
) -> tuple[Schema, tuple[CompositionError, ...]]:
    """Read the document of one subgraph; errors are ``INVALID_GRAPHQL`` for what is defined twice."""
    reader = _Reader(subgraph, spec_of)
    by_name: dict[str, list[TypeDefinitionNode | TypeExtensionNode]] = {}
    directives: dict[str, DirectiveDefinition] = {}
    schema_nodes: list[SchemaDefinitionNode | SchemaExtensionNode] = []
    for definition in document.definitions:
        if isinstance(definition, TypeDefinitionNode | TypeExtensionNode):
            by_name.setdefault(definition.name.value, []).append(definition)
        elif isinstance(definition, DirectiveDefinitionNode):
            reader.add_directive(directives, definition)
        elif isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
            schema_nodes.append(definition)
        else:
            reader.not_sdl(definition)
    types = {name: reader.type_definition(name, nodes) for name, nodes in by_name.items()}
    description = next(
        (n.description.value for n in schema_nodes if isinstance(n, SchemaDefinitionNode) and n.description), None
    )
    applications = tuple(
        application
        for block, node in enumerate(schema_nodes)
        for application in reader.applications(node.directives, block)
    )
    schema = Schema(types, directives, reader.roots(schema_nodes, types), applications, description)
    return schema, tuple(reader.errors)


@dataclass(slots=True)
class _Reader:
    """Turns AST nodes into model elements and collects what is defined twice."""

    subgraph: str
    spec_of: NameOfSpec
    errors: list[CompositionError] = field(default_factory=list)

    def error(self, message: str, *nodes: Node | None) -> None:
        self.errors.append(subgraph_error(ErrorCode.INVALID_GRAPHQL, message, self.subgraph, *nodes))

    def not_sdl(self, definition: DefinitionNode) -> None:
        self.error("A subgraph's SDL may not contain operations or fragments", definition)

    def add_directive(self, directives: dict[str, DirectiveDefinition], node: DirectiveDefinitionNode) -> None:
        name = node.name.value
        if name in directives:
            self.error(f'The directive "@{name}" is defined twice', node)
        directives[name] = DirectiveDefinition(
            name,
            tuple(location.value for location in node.locations),
            self.unique(map(self.input_value, node.arguments or ()), f"@{name}", "argument"),
            node.repeatable,
            _text(node.description),
            node,
        )

    def roots(
        self, nodes: Iterable[SchemaDefinitionNode | SchemaExtensionNode], types: Mapping[str, TypeDefinition]
    ) -> dict[str, str]:
        """The root types: as the schema definition says, and those that have the default names, as tools take them."""
        roots: dict[str, str] = {}
        defined = False
        for node in nodes:
            if isinstance(node, SchemaDefinitionNode):
                if defined:
                    self.error("The schema is defined twice", node)
                defined = True
            for operation in node.operation_types or ():
                name = operation.operation.value
                if name in roots:
                    self.error(f"The schema has two root types for {name}", operation)
                roots[name] = operation.type.name.value
        by_name = {
            operation: default
            for operation, default in ROOT_NAMES.items()
            if _is_root(operation, types.get(default)) and default not in roots.values()
        }
        return roots if defined and "query" not in roots else by_name | roots

    def type_definition(self, name: str, nodes: list[TypeDefinitionNode | TypeExtensionNode]) -> TypeDefinition:
        definitions = [node for node in nodes if isinstance(node, TypeDefinitionNode)]
        if name in BUILT_IN_SCALARS and not definitions:
            self.error(f'"{name}" is one of GraphQL\'s own types and cannot be extended', *nodes)
        if len(definitions) > 1:
            self.error(f'The type "{name}" is defined twice', *definitions)
        kind = _KINDS[type((definitions or nodes)[0])]
        same = [node for node in nodes if _KINDS[type(node)] is kind]
        for node in nodes:
            if _KINDS[type(node)] is not kind:
                self.error(f'The {kind.value} "{name}" is extended as another kind of type', node)
        return TypeDefinition(
            kind,
            name,
            _text(definitions[0].description) if definitions else None,
            tuple(a for block, node in enumerate(same) for a in self.applications(node.directives, block)),
            dict(self.names(name, same, "interfaces")),
            self.fields(name, same) if kind in {TypeKind.OBJECT, TypeKind.INTERFACE} else {},
            self.input_fields(name, same) if kind is TypeKind.INPUT_OBJECT else {},
            dict(self.names(name, same, "types")),
            self.enum_values(same) if kind is TypeKind.ENUM else {},
            tuple(Block(isinstance(node, TypeExtensionNode), node) for node in same),
        )

    def names(self, owner: str, nodes: Iterable[Node], attribute: str) -> Iterator[tuple[str, Node]]:
        """The interfaces or union members that the blocks of a type list."""
        seen = set()
        for node in nodes:
            referenced: tuple[NamedTypeNode, ...] = getattr(node, attribute, None) or ()
            for reference in referenced:
                name = reference.name.value
                if name in seen:
                    self.error(f'The type "{owner}" lists "{name}" twice', reference)
                seen.add(name)
                yield name, reference

    def fields(self, owner: str, nodes: Iterable[Node]) -> dict[str, Field]:
        return self.unique(
            (
                self.field(owner, node, block)
                for block, parent in enumerate(nodes)
                for node in getattr(parent, "fields", None) or ()
            ),
            owner,
            "field",
        )

    def input_fields(self, owner: str, nodes: Iterable[Node]) -> dict[str, InputValue]:
        return self.unique(
            (self.input_value(node) for parent in nodes for node in getattr(parent, "fields", None) or ()),
            owner,
            "field",
        )

    def enum_values(self, nodes: Iterable[Node]) -> dict[str, EnumValue]:
        """The values; one that is written twice counts once, as other composers have it."""
        values = (self.enum_value(node) for parent in nodes for node in getattr(parent, "values", None) or ())
        result: dict[str, EnumValue] = {}
        for value in values:
            result.setdefault(value.name, value)
        return result

    def unique(self, elements: Iterable[_Named], owner: str, what: str) -> dict[str, _Named]:
        result: dict[str, _Named] = {}
        for element in elements:
            if element.name in result:
                self.error(f'"{owner}" has the {what} "{element.name}" twice', result[element.name].node, element.node)
            else:
                result[element.name] = element
        return result

    def field(self, owner: str, node: FieldDefinitionNode, block: int) -> Field:
        name = node.name.value
        return Field(
            name,
            type_ref_from_node(node.type),
            self.unique(map(self.input_value, node.arguments or ()), f"{owner}.{name}", "argument")
            if node.arguments
            else {},
            _text(node.description),
            self.applications(node.directives),
            node,
            block,
        )

    def input_value(self, node: InputValueDefinitionNode) -> InputValue:
        return InputValue(
            node.name.value,
            type_ref_from_node(node.type),
            literal_from_node(node.default_value) if node.default_value else NO_DEFAULT,
            _text(node.description),
            self.applications(node.directives),
            node,
        )

    def enum_value(self, node: EnumValueDefinitionNode) -> EnumValue:
        return EnumValue(node.name.value, _text(node.description), self.applications(node.directives), node)

    def applications(self, nodes: Iterable[DirectiveNode] | None, block: int = 0) -> tuple[Application, ...]:
        if not nodes:
            return ()
        return tuple(
            Application(
                node.name.value,
                {argument.name.value: literal_from_node(argument.value) for argument in node.arguments or ()},
                self.spec_of(node.name.value),
                node,
                block,
            )
            for node in nodes
        )


def _is_root(operation: str, type_: TypeDefinition | None) -> bool:
    """Whether a type of a root's default name is that root; a ``Mutation`` that is no object is just a type."""
    return type_ is not None and (type_.kind is TypeKind.OBJECT or operation == "query")


def _text(node: StringValueNode | None) -> str | None:
    return node.value if node else None
