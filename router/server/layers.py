"""What a GraphQL request and its answer go through: a layer for each setting that is on.

From the outside: trace and access log; CSRF and CORS, so that what is refused is told; load, before anything costs;
compression; where the request came from; plugins; and last the endpoint. What is off is not there, and costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from router.server.access.caller import Identity
from router.server.access.cross_origin import guarded_http
from router.server.caching.answer_policy import AnswerPolicy, CacheControlled
from router.server.compressed_answers import CompressedAnswers
from router.server.compressed_requests import CompressedRequests
from router.server.config import RouterConfig
from router.server.endpoint import GraphQLEndpoint
from router.server.lasting import Lasting
from router.server.observation.assembly import observed_http, observed_websocket
from router.server.overload import LoadShedder
from router.server.plugins.hooks import Hooks
from router.server.plugins.request_hooks import RequestHooks
from router.server.rate_limits.limiter import RateLimiter, with_origin
from router.server.service import GraphQLService
from router.server.subscriptions.websocket import WebSocketEndpoint

if TYPE_CHECKING:
    from router.server.observation.spans import SpanExport


def graphql_over_http(
    config: RouterConfig,
    service: GraphQLService,
    identity: Identity | None,
    hooks: Hooks | None,
    limiter: RateLimiter | None,
    spans: SpanExport | None,
    lasting: Lasting,
) -> ASGIApp:
    """The app of GraphQL over HTTP, with the layers that ``config`` asks for."""
    policy = _answer_policy(config, hooks, lasting)
    app: ASGIApp = GraphQLEndpoint(config, lasting.telemetry, service, identity, policy)
    if config.compression.requests:
        app = CompressedRequests(app, config.graphql.max_body_bytes)
    if policy is not None:
        app = CacheControlled(app)
    if hooks is not None:
        app = RequestHooks(app, hooks)
    if limiter is not None:
        app = with_origin(app, config)
    if config.compression.answers:
        app = CompressedAnswers(app, config.compression)
    if config.traffic.shedding.enabled:
        app = LoadShedder(app, lasting.overload)
    app = guarded_http(app, config, may_know_cookies=lasting.host is not None)
    return observed_http(app, config, lasting.telemetry, spans)


def graphql_over_websocket(
    config: RouterConfig, identity: Identity | None, hooks: Hooks | None, lasting: Lasting
) -> ASGIApp:
    """The app of GraphQL over WebSocket. A connection may outlive ``config``, so it knows where it came from whether
    there are rate limits or not."""
    overload = lasting.overload if config.traffic.shedding.enabled else None
    app: ASGIApp = WebSocketEndpoint(config, lasting.current, identity, overload)
    if hooks is not None:
        app = RequestHooks(app, hooks)
    return observed_websocket(with_origin(app, config), config, lasting.telemetry)


def _answer_policy(config: RouterConfig, hooks: Hooks | None, lasting: Lasting) -> AnswerPolicy | None:
    if not config.cache_control.enabled:
        return None
    may_refuse = hooks is not None and bool(hooks.on_request or hooks.on_operation or hooks.on_plan)
    return AnswerPolicy(config, is_guarded=may_refuse or lasting.host is not None)
