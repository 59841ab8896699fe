"""What front-end developers read of a field is what its resolver's docstring says, where it has no other description.

Strawberry leaves docstrings to those who read Python: ``def total(self) -> Money: '''What the customer pays.'''`` would
be a field without a word in the explorer. The first paragraph is taken, with names as Markdown marks them.
"""

from __future__ import annotations

import inspect

from graphql import GraphQLObjectType
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField


def describe_fields(type_: GraphQLObjectType) -> None:
    """Give the fields of ``type_`` that have no description the one of their resolvers.

    Fields of the federation specification, whose names begin with an underscore, are described there.
    """
    for name, field in type_.fields.items():
        definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if field.description is None and not name.startswith("_") and isinstance(definition, StrawberryField):
            field.description = _description_of(definition)


def _description_of(definition: StrawberryField) -> str | None:
    resolver = definition.base_resolver
    docstring = inspect.getdoc(resolver.wrapped_func) if resolver is not None else None
    if docstring is None:
        return None
    paragraph, _, _ = docstring.partition("\n\n")
    return " ".join(paragraph.split()).replace("``", "`")
