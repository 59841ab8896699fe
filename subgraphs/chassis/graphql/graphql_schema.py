"""The Strawberry schema of a service: Federation 2, limits, cached documents, entities position by position."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Final, cast

import strawberry
from graphql import GraphQLError, GraphQLObjectType, GraphQLResolveInfo, get_nullable_type, is_leaf_type
from strawberry.extensions import (
    AddValidationRules,
    MaxAliasesLimiter,
    MaxTokensLimiter,
    ParserCache,
    QueryDepthLimiter,
    SchemaExtension,
    ValidationCache,
)
from strawberry.federation.schema import FederationAny
from strawberry.federation.schema_directives import Key
from strawberry.schema.schema import StreamResult
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.execution import ExecutionContext, ExecutionResult, PreExecutionError

from subgraphs.chassis.errors import CodedError
from subgraphs.chassis.graphql.descriptions import describe_arguments, describe_fields, describe_roots
from subgraphs.chassis.graphql.direct_fields import resolve_directly
from subgraphs.chassis.graphql.error_policy import present_error
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.graphql.socket import SocketContext

FEDERATION_VERSION: Final = "2.9"
MAXIMUM_TOKENS = 5000
MAXIMUM_DEPTH = 15
MAXIMUM_ALIASES = 200
CACHED_DOCUMENTS = 500


class ServiceSchema(strawberry.federation.Schema):
    """A federation schema whose errors are reported by the endpoint alone, and whose ``_entities`` trusts nothing.

    Its asynchronous resolvers, which alone can wait for something, are timed; the others cost what they did.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        describe_roots(self._schema)
        for type_ in self._schema.type_map.values():
            if isinstance(type_, GraphQLObjectType):
                describe_fields(type_)
                describe_arguments(type_)
                resolve_directly(type_)
                _time_fields(type_)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: the endpoint explains or masks errors, and logs those that are ours."""

    async def stream(self, *arguments: Any, **named: Any) -> StreamResult:
        """A subscription's results (or those of one query), with errors as the client may see them.

        Each operation of a connection has a context of its own.
        """
        context = named.get("context_value")
        if isinstance(context, RequestContext | SocketContext):
            named["context_value"] = context.for_operation()
        return _presented(await super().stream(*arguments, **named))

    def entities_resolver(self, info: strawberry.Info, representations: list[FederationAny]) -> list[FederationAny]:
        """One result for each representation, in order: an entity, None, or the error of that position alone."""
        return [self._resolve(info, representation) for representation in representations]

    def _resolve(self, info: strawberry.Info, representation: object) -> Any:
        try:
            fields = dict(cast("dict[str, Any]", representation))
            type_name = fields.pop("__typename", None)
            resolve_reference = self._reference_resolver(type_name)
            entity = resolve_reference(info=info, **self._read_fields(type_name, fields))
            return _timed(f"{type_name}.resolve_reference", entity, info) if isawaitable(entity) else entity
        except GraphQLError as error:
            return error
        except (TypeError, ValueError):
            return CodedError("BAD_USER_INPUT", "representations: this is not a key of an entity of this subgraph.")

    def _read_fields(self, type_name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a representation as the schema's own types; TypeError for what is of another one.

        So no resolver has to expect an object where a key is, or null. What a field requires may be null.
        """
        known = cast("GraphQLObjectType", self._schema.type_map[type_name]).fields
        read = dict(fields)
        for name, value in fields.items():
            type_ = get_nullable_type(known[name].type) if name in known else None
            if value is None and name in self._keys_of(type_name):
                raise TypeError(f"{name} is a key, and null")
            if value is not None and is_leaf_type(type_):
                try:
                    read[name] = type_.parse_value(value)
                except GraphQLError as error:
                    raise TypeError(error.message) from None
        return read

    def _keys_of(self, type_name: str) -> set[str]:
        definition = self.schema_converter.type_map[type_name].definition
        keys = [each for each in definition.directives or () if isinstance(each, Key)]
        return {name for key in keys for name in str(key.fields).split()}

    def _reference_resolver(self, type_name: object) -> Callable[..., Any]:
        known = self.schema_converter.type_map.get(type_name) if isinstance(type_name, str) else None
        definition = known.definition if known is not None else None
        if isinstance(definition, StrawberryObjectDefinition) and hasattr(definition.origin, "resolve_reference"):
            return cast("Callable[..., Any]", definition.origin.resolve_reference)
        raise CodedError("BAD_USER_INPUT", f"representations: {type_name} is not an entity of this subgraph.")


def _time_fields(type_: GraphQLObjectType) -> None:
    for name, field in type_.fields.items():
        if field.resolve is not None and iscoroutinefunction(field.resolve):
            field.resolve = _timed_resolver(f"{type_.name}.{name}", field.resolve)


def _timed_resolver(name: str, resolve: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    def timed_resolve(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> Awaitable[Any]:
        return _timed(name, resolve(source, info, **arguments), info)

    return timed_resolve


async def _timed(name: str, resolving: Awaitable[Any], info: strawberry.Info | GraphQLResolveInfo[Any]) -> Any:
    began = time.perf_counter()
    try:
        return await resolving
    finally:
        metrics = getattr(info.context, "metrics", None)
        if metrics is not None:
            metrics.resolved(name, time.perf_counter() - began)


async def _presented(results: StreamResult) -> AsyncGenerator[Any]:
    async with aclosing(results):
        async for result in results:
            if isinstance(result, ExecutionResult) and result.errors:
                executed = not isinstance(result, PreExecutionError)
                result.errors = [present_error(error, executed=executed) for error in result.errors]
            yield result


def service_schema(
    query: type, mutation: type | None = None, types: Iterable[type] = (), subscription: type | None = None
) -> ServiceSchema:
    """The schema of a service. ``types`` names entities that no field of it returns."""
    return ServiceSchema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        types=types,
        federation_version=FEDERATION_VERSION,
        extensions=_extensions(),
    )


def _extensions() -> list[Callable[[], SchemaExtension]]:
    # The rules are made once: the cache of validated documents knows them by identity.
    limits = (QueryDepthLimiter(max_depth=MAXIMUM_DEPTH), MaxAliasesLimiter(max_alias_count=MAXIMUM_ALIASES))
    rules = [rule for limit in limits for rule in limit.validation_rules]
    return [
        lambda: MaxTokensLimiter(max_token_count=MAXIMUM_TOKENS),
        lambda: AddValidationRules(rules),
        lambda: ParserCache(maxsize=CACHED_DOCUMENTS),
        lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
    ]
