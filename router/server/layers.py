"""What a GraphQL request and its answer go through: a step or a layer for each setting that is on.

First the steps, which wait for nothing: trace and access log; CORS and CSRF, so that what is refused is told;
compression; where the request came from; what caches are told. Then the layers: load, before anything costs; plugins;
and last the endpoint. What is off is not there, and costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from router.server.access.caller import Identity
from router.server.access.cross_origin import page_guards
from router.server.caching.answer_policy import AnswerPolicy, CacheControlling
from router.server.config import RouterConfig
from router.server.http.compressed_answers import CompressedAnswers
from router.server.http.compressed_requests import CompressedRequests
from router.server.http.endpoint import GraphQLEndpoint
from router.server.http.exchange import stepwise
from router.server.lasting import Lasting
from router.server.observation.assembly import observing
from router.server.plugins.hooks import Hooks
from router.server.plugins.request_hooks import RequestHooks
from router.server.rate_limits.limiter import RateLimiter, origin_reading
from router.server.service import GraphQLService
from router.server.shedding.overload import LoadShedder
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
    if hooks is not None:
        app = RequestHooks(app, hooks)
    if config.traffic.shedding.enabled:
        app = LoadShedder(app, lasting.overload)
    steps = observing(config, lasting.telemetry, spans)
    steps += page_guards(config, may_know_cookies=lasting.host is not None)
    if config.compression.answers:
        steps.append(CompressedAnswers(config.compression))
    if limiter is not None:
        steps.append(origin_reading(config))
    if policy is not None:
        steps.append(CacheControlling())
    return stepwise(app, steps)


def graphql_over_websocket(
    config: RouterConfig, identity: Identity | None, hooks: Hooks | None, lasting: Lasting
) -> ASGIApp:
    """The app of GraphQL over WebSocket. A connection may outlive ``config``, so it knows where it came from whether
    there are rate limits or not."""
    overload = lasting.overload if config.traffic.shedding.enabled else None
    app: ASGIApp = WebSocketEndpoint(config, lasting.current, identity, overload)
    if hooks is not None:
        app = RequestHooks(app, hooks)
    return stepwise(app, [origin_reading(config)])


def _answer_policy(config: RouterConfig, hooks: Hooks | None, lasting: Lasting) -> AnswerPolicy | None:
    if not config.cache_control.enabled:
        return None
    may_refuse = hooks is not None and bool(hooks.on_request or hooks.on_operation or hooks.on_plan)
    return AnswerPolicy(config, is_guarded=may_refuse or lasting.host is not None)
