"""A complete GraphQL Federation 2 composer, query planner, executor and server.

``router.compose([router.Subgraph("orders", url, sdl), ...])`` gives a :class:`~router.composition.compose.Composition`;
``router.Router(source)`` is an ASGI app. The names below are imported when they are first used, so that
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
    from router.server.access.caller import Caller, Requester
    from router.server.config.router_config import RouterConfig
    from router.server.library import Router
    from router.server.plugins.plugin import Plugin, RequestContext, ResponseHead
    from router.server.request_error import RequestError

_HOMES = {
    "Caller": "router.server.access.caller",
    "Composition": "router.composition.compose",
    "CompositionError": "router.composition.errors",
    "CompositionHint": "router.composition.hints",
    "Plugin": "router.server.plugins.plugin",
    "RequestContext": "router.server.plugins.plugin",
    "RequestError": "router.server.request_error",
    "Requester": "router.server.access.caller",
    "ResponseHead": "router.server.plugins.plugin",
    "Router": "router.server.library",
    "RouterConfig": "router.server.config.router_config",
    "SourceLocation": "router.composition.errors",
    "Subgraph": "router.composition.subgraph",
    "compose": "router.composition.compose",
}

__all__ = [
    "Caller",
    "Composition",
    "CompositionError",
    "CompositionHint",
    "Plugin",
    "RequestContext",
    "RequestError",
    "Requester",
    "ResponseHead",
    "Router",
    "RouterConfig",
    "SourceLocation",
    "Subgraph",
    "compose",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'router' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
