"""Fields that need nothing of Strawberry's resolver call are resolved without it.

Strawberry calls a resolver through functions of its own, which look for arguments, make an ``Info`` and run extensions.
Most fields have none of these: ``Order.number`` is an attribute, ``Order.lines`` a method of the object alone. A list
of orders has hundreds of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLObjectType
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

FieldResolver = Callable[..., Any]


def resolve_directly(type_: GraphQLObjectType) -> None:
    """Give the fields of ``type_`` that are attributes, or methods of the object alone, resolvers that do just that."""
    for field in type_.fields.values():
        definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if isinstance(definition, StrawberryField) and not definition.extensions and not definition.is_async:
            field.resolve = _direct_resolver(definition) or field.resolve


def _direct_resolver(definition: StrawberryField) -> FieldResolver | None:
    method = definition.base_resolver
    if method is None:
        return _attribute_resolver(definition.python_name)
    return _method_resolver(method) if _takes_object_alone(method) else None


def _attribute_resolver(name: str) -> FieldResolver:
    def read(source: object, info: object) -> Any:
        return getattr(source, name)

    return read


def _method_resolver(method: StrawberryResolver[Any]) -> FieldResolver:
    function: Any = method.wrapped_func

    def call(source: object, info: object) -> Any:
        return function(source)

    return call


def _takes_object_alone(method: StrawberryResolver[Any]) -> bool:
    return method.self_parameter is not None and len(method.signature.parameters) == 1
