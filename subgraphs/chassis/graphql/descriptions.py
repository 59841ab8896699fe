"""What front-end developers read of a field is what its resolver's docstring says, where it has no other description.

Strawberry leaves docstrings to those who read Python: ``def total(self) -> Money: '''What the customer pays.'''`` would
be a field without a word in the explorer. The first paragraph is taken, with names as Markdown marks them.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar, cast

import strawberry
from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, get_named_type
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

E = TypeVar("E", bound=Enum)


def describe_enum(enum: type[E], description: str, values: Mapping[E, str], name: str | None = None) -> None:
    """Make an ``enum`` of the domain one of the schema, and say what each of its values means; KeyError without.

    The domain knows nothing of Strawberry, whose ``enum_value`` would be written there.
    """
    strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = cast("Any", enum).__strawberry_definition__
    for value in definition.values:
        value.description = values[enum[value.name]]


def describe_roots(schema: GraphQLSchema) -> None:
    """Say what the root types are: the same in all services, whose root types become one."""
    for root, description in (
        (schema.query_type, "What can be asked."),
        (schema.mutation_type, "What can be changed."),
        (schema.subscription_type, "What can be watched."),
    ):
        if root is not None:
            root.description = root.description or description


def describe_fields(type_: GraphQLObjectType) -> None:
    """Give the fields of ``type_`` that have no description the one of their resolvers.

    Fields of the federation specification, whose names begin with an underscore, are described there.
    """
    for name, field in type_.fields.items():
        definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if field.description is None and not name.startswith("_") and isinstance(definition, StrawberryField):
            field.description = _description_of(definition)


def describe_arguments(type_: GraphQLObjectType) -> None:
    """Give the arguments of ``type_`` that have no description, and are an input object, the one of its type."""
    for field in type_.fields.values():
        for argument in field.args.values():
            named = get_named_type(argument.type)
            if argument.description is None and isinstance(named, GraphQLInputObjectType):
                argument.description = named.description


def _description_of(definition: StrawberryField) -> str | None:
    resolver = definition.base_resolver
    docstring = inspect.getdoc(resolver.wrapped_func) if resolver is not None else None
    if docstring is None:
        return None
    paragraph, _, _ = docstring.partition("\n\n")
    return " ".join(paragraph.split()).replace("``", "`")
