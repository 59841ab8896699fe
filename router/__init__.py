"""A complete GraphQL Federation 2 composer, query planner, executor and server.

``router.compose([router.Subgraph("orders", url, sdl), ...])`` gives a :class:`~router.composition.compose.Composition`;
``router.Router(source)`` is an ASGI app; ``router.Plugin`` is what code of your own on the way of a request derives
from, and what its hooks are given is here, too. The names below are imported when they are first used, so that
``import router`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.composition.compose import Composition, compose
    from router.composition.errors import CompositionError, SourceLocation
    from router.composition.hints import CompositionHint
    from router.composition.subgraph import Subgraph
    from router.errors import InputError
    from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse, with_headers
    from router.field_error import FieldError
    from router.operation.model import Operation
    from router.planning.query_plan import QueryPlan
    from router.server.access.caller import Caller, Requester
    from router.server.config.router_config import RouterConfig
    from router.server.http.graphql_request import GraphQLRequest
    from router.server.library import Router
    from router.server.plugins.plugin import Plugin, RequestContext, ResponseHead
    from router.server.request_error import RequestError

_HOMES = {
    "Caller": "router.server.access.caller",
    "Composition": "router.composition.compose",
    "CompositionError": "router.composition.errors",
    "CompositionHint": "router.composition.hints",
    "FieldError": "router.field_error",
    "GraphQLRequest": "router.server.http.graphql_request",
    "InputError": "router.errors",
    "Operation": "router.operation.model",
    "Plugin": "router.server.plugins.plugin",
    "QueryPlan": "router.planning.query_plan",
    "RequestContext": "router.server.plugins.plugin",
    "RequestError": "router.server.request_error",
    "Requester": "router.server.access.caller",
    "ResponseHead": "router.server.plugins.plugin",
    "Router": "router.server.library",
    "RouterConfig": "router.server.config.router_config",
    "SourceLocation": "router.composition.errors",
    "Subgraph": "router.composition.subgraph",
    "SubgraphRequest": "router.execution.subgraph_client",
    "SubgraphResponse": "router.execution.subgraph_client",
    "compose": "router.composition.compose",
    "with_headers": "router.execution.subgraph_client",
}

__all__ = [
    "Caller",
    "Composition",
    "CompositionError",
    "CompositionHint",
    "FieldError",
    "GraphQLRequest",
    "InputError",
    "Operation",
    "Plugin",
    "QueryPlan",
    "RequestContext",
    "RequestError",
    "Requester",
    "ResponseHead",
    "Router",
    "RouterConfig",
    "SourceLocation",
    "Subgraph",
    "SubgraphRequest",
    "SubgraphResponse",
    "compose",
    "with_headers",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'router' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
