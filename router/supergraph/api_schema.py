"""The schema that clients see: the supergraph without machinery and without what is ``@inaccessible``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    Node,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    Undefined,
    build_ast_schema,
    parse,
)
from graphql.validation.validate import assert_valid_sdl

from router.supergraph.join_spec import JoinNames, is_machinery

# `@tag` and the like have type system locations only; a client may use what can stand in an operation.
EXECUTABLE_LOCATIONS = frozenset(
    {
        "QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)  # fmt: skip
# Each with the definition that the specification gives it a meaning on; elsewhere a name is only a name.
KEPT_DIRECTIVES = {
    "deprecated": (FieldDefinitionNode, InputValueDefinitionNode, EnumValueDefinitionNode),
    "specifiedBy": (ScalarTypeDefinitionNode,),
    "oneOf": (InputObjectTypeDefinitionNode,),
}
# What the router itself does for clients, whatever the composer wrote (incremental delivery, GraphQL specification).
DEFER = '''
"""The fragment may be answered after the rest, in a part of its own."""
directive @defer(
  """Whether it is deferred."""
  if: Boolean! = true

  """Names the part in the answer; no other of the document may have the same."""
  label: String
) on FRAGMENT_SPREAD | INLINE_FRAGMENT
'''


def build_api_schema(document: DocumentNode, names: JoinNames) -> GraphQLSchema:
    """The API schema of a parsed supergraph; raises what graphql-core raises if the rest is not a valid schema."""
    visible = [kept for definition in document.definitions if (kept := _visible_definition(definition, names))]
    hidden = _hidden_types(document, names)
    definitions = tuple(_without_hidden_types(definition, hidden) for definition in visible)
    api_document = DocumentNode(definitions=(*parse(DEFER, no_location=True).definitions, *definitions))
    assert_valid_sdl(api_document)
    # What else makes a schema valid was the composer's to check, and rules grow: a newer one is no reason not to serve.
    return build_ast_schema(api_document, assume_valid=True)


def _visible_definition(definition: DefinitionNode, names: JoinNames) -> Any:
    """The definition as clients see it, or None."""
    if isinstance(definition, DirectiveDefinitionNode):
        locations = tuple(location for location in definition.locations if location.value in EXECUTABLE_LOCATIONS)
        name = definition.name.value
        if is_machinery(name, names) or name == "defer" or not locations:
            return None
        return _changed(definition, locations=locations, arguments=_visible(definition.arguments or (), names))
    if isinstance(definition, SchemaDefinitionNode):
        return _changed(definition, directives=())
    if not isinstance(definition, TypeDefinitionNode) or isinstance(definition, SchemaExtensionNode):
        return None
    if is_machinery(definition.name.value, names) or _is_hidden(definition, names):
        return None
    return _visible_members(definition, names)


def _visible_members(definition: Any, names: JoinNames) -> Any:
    """The definition with its visible fields, arguments, input fields and enum values, and no router's directives."""
    changes: dict[str, object] = {"directives": _kept_directives(definition)}
    for attribute in ("fields", "values", "arguments"):
        members = getattr(definition, attribute, None)
        if members:
            changes[attribute] = _visible(members, names)
    return _changed(definition, **changes)


def _visible(members: Iterable[Any], names: JoinNames) -> tuple[Any, ...]:
    return tuple(_visible_members(member, names) for member in members if not _is_hidden(member, names))


def _without_hidden_types(definition: DefinitionNode, hidden: frozenset[str]) -> DefinitionNode:
    changes = {}
    for attribute in ("interfaces", "types"):
        members = getattr(definition, attribute, None)
        if members and any(member.name.value in hidden for member in members):
            changes[attribute] = tuple(member for member in members if member.name.value not in hidden)
    return _changed(definition, **changes) if changes else definition


def _hidden_types(document: DocumentNode, names: JoinNames) -> frozenset[str]:
    types = (definition for definition in document.definitions if isinstance(definition, TypeDefinitionNode))
    return frozenset(definition.name.value for definition in types if _is_hidden(definition, names))


def _is_hidden(definition: Any, names: JoinNames) -> bool:
    return any(directive.name.value == names.inaccessible for directive in definition.directives or ())


def _kept_directives(definition: Any) -> tuple[ConstDirectiveNode, ...]:
    return tuple(
        directive
        for directive in definition.directives or ()
        if isinstance(definition, KEPT_DIRECTIVES.get(directive.name.value, ()))
    )


def _changed(node: Node, **changes: object) -> Any:
    """A copy of ``node`` with other children; nodes are shared with the whole supergraph, and never written to."""
    values: dict[str, Any] = {
        key: value for key in node.keys if (value := getattr(node, key, Undefined)) is not Undefined
    }
    return type(node)(**{**values, **changes})
