"""What answers requests: made as a whole of one set of settings and one graph, and exchanged as a whole.

A reload makes a new one beside the old and puts it in its place by one assignment. A request under way ends on the one
that it began with, so it never sees half of a change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from router.errors import InputError
from router.server.access.authentication import Authenticator, create_authenticator
from router.server.access.cross_origin import guarded_http
from router.server.access.host_identity import HostIdentity
from router.server.caching.answer_policy import AnswerPolicy, CacheControlled
from router.server.caching.invalidation import invalidation_route
from router.server.compressed_answers import CompressedAnswers
from router.server.compressed_requests import CompressedRequests
from router.server.config import INVALID_CONFIG, RouterConfig
from router.server.demand.control import demand_control
from router.server.demand.metered_service import metered
from router.server.endpoint import GraphQLEndpoint
from router.server.explorer_page import explorer_routes
from router.server.graph import Graph
from router.server.header_rules import check_claim_headers
from router.server.nats.connection import NatsConnection, open_connection
from router.server.observation.assembly import kind_of_service, observed_http, observed_websocket, span_export
from router.server.overload import LoadShedder, Overload
from router.server.persisted_documents.documents import PersistedDocuments, persisted_documents
from router.server.plan_page import plan_route
from router.server.plugins.hooks import Hooks, load_hooks
from router.server.plugins.request_hooks import RequestHooks
from router.server.rate_limits.limiter import RateLimiter, rate_limiter, with_origin
from router.server.service import GraphQLService
from router.server.status.reading import StatusSource
from router.server.status.routes import status_routes
from router.server.subscriptions.hub import SubscriptionHub
from router.server.subscriptions.websocket import WebSocketEndpoint
from router.server.telemetry import Telemetry
from router.server.worker_metrics import ALONE_HEADER

if TYPE_CHECKING:
    from router.server.observation.spans import SpanExport

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Lasting:
    """What outlives every reload; ``current`` is the service that is served now, for connections that last too.

    ``is_draining`` tells whether the process is about to end. The ``host``, where there is one, says who asks.
    """

    telemetry: Telemetry
    subscriptions: SubscriptionHub
    overload: Overload
    current: Callable[[], GraphQLService]
    is_draining: Callable[[], bool]
    host: HostIdentity | None = None


@dataclass(frozen=True, slots=True)
class Serving:
    """The ASGI apps behind one address: GraphQL over HTTP and over WebSocket at ``graphql_path``, and all others."""

    config: RouterConfig
    graphql_path: str
    service: GraphQLService
    http: ASGIApp
    websocket: ASGIApp
    others: ASGIApp
    authenticator: Authenticator | None
    hooks: Hooks | None
    nats: NatsConnection | None
    limiter: RateLimiter | None
    spans: SpanExport | None


def assemble(config: RouterConfig, graph: Graph | None, lasting: Lasting, previous: Serving | None = None) -> Serving:
    """All that ``config`` asks for over ``graph``; changes nothing.

    What the ``previous`` one has learned of tokens, keys and documents, what it has counted for rate limits, and its
    connection to NATS, are kept where the settings for them are the same. InputError (INVALID_CONFIG) where documents
    are to be shared by no server, and as the explorer, policies, manifest, authenticator, rate limits and headers of
    claims say.
    """
    check_claim_headers(config)
    _check_sharing(config)
    authenticator = _authenticator(config, previous)
    identity = lasting.host or authenticator
    hooks = _hooks(config, previous)
    nats = open_connection(config.nats, previous.nats if previous is not None else None)
    limiter = rate_limiter(config, nats, previous.limiter if previous is not None else None)
    demand = demand_control(config, lasting.telemetry.costs)
    kind = metered(kind_of_service(config, hooks is not None and hooks.has_operation_hooks), demand, limiter)
    documents = _documents(config, graph, previous)
    service = kind(config, lasting.telemetry, lasting.subscriptions, graph, documents)
    routes = [*_health_routes(service, lasting), _metrics_route(lasting.telemetry)]
    if config.has_explorer:
        routes += explorer_routes(config)
    if config.has_explorer or config.authorization.inspection_scope is not None:
        routes.append(plan_route(config, service, identity))
    routes += status_routes(config, partial(_status_source, config, service, lasting), identity)
    cache = graph.traffic.caching if graph is not None and graph.traffic is not None else None
    if cache is not None and config.entity_cache.invalidation.is_open:
        routes.append(invalidation_route(config, cache, identity, lasting.telemetry))
    policy = _answer_policy(config, hooks, lasting)
    endpoint: ASGIApp = GraphQLEndpoint(config, lasting.telemetry, service, identity, policy)
    if config.compression.requests:
        endpoint = CompressedRequests(endpoint, config.graphql.max_body_bytes)
    if policy is not None:
        endpoint = CacheControlled(endpoint)
    overload = lasting.overload if config.traffic.shedding.enabled else None
    websocket: ASGIApp = WebSocketEndpoint(config, lasting.current, identity, overload)
    if hooks is not None:
        endpoint, websocket = RequestHooks(endpoint, hooks), RequestHooks(websocket, hooks)
    others: ASGIApp = Starlette(routes=routes, exception_handlers={404: _not_found})
    if limiter is not None:
        endpoint, others = with_origin(endpoint, config), with_origin(others, config)
    if config.compression.answers:
        endpoint = CompressedAnswers(endpoint, config.compression)
    spans = span_export(config, previous.config if previous else None, previous.spans if previous else None)
    if overload is not None:
        endpoint = LoadShedder(endpoint, overload)
    guarded = guarded_http(endpoint, config, may_know_cookies=lasting.host is not None)
    return Serving(
        config=config,
        graphql_path=config.graphql.path,
        service=service,
        http=observed_http(guarded, config, lasting.telemetry, spans),
        # Whether there are rules or not: a connection may outlive that.
        websocket=observed_websocket(with_origin(websocket, config), config, lasting.telemetry),
        others=others,
        authenticator=authenticator,
        hooks=hooks,
        nats=nats,
        limiter=limiter,
        spans=spans,
    )


def _hooks(config: RouterConfig, previous: Serving | None) -> Hooks | None:
    if previous is not None and config.plugins == previous.config.plugins:
        return previous.hooks
    return load_hooks(config.plugins)


def _answer_policy(config: RouterConfig, hooks: Hooks | None, lasting: Lasting) -> AnswerPolicy | None:
    if not config.cache_control.enabled:
        return None
    may_refuse = hooks is not None and bool(hooks.on_request or hooks.on_operation or hooks.on_plan)
    return AnswerPolicy(config, is_guarded=may_refuse or lasting.host is not None)


def _check_sharing(config: RouterConfig) -> None:
    if config.persisted_documents.apq_shared and config.nats.url is None:
        message = "persisted_documents.apq_shared: replicas share by the server in nats.url, so set that."
        raise InputError(INVALID_CONFIG, message)


def _documents(config: RouterConfig, graph: Graph | None, previous: Serving | None) -> PersistedDocuments | None:
    manifest = graph.made_from.manifest if graph is not None and graph.made_from is not None else None
    return persisted_documents(config.persisted_documents, manifest, previous.service.documents if previous else None)


def _authenticator(config: RouterConfig, previous: Serving | None) -> Authenticator | None:
    wanted = (config.authentication, config.environment)
    if previous is not None and wanted == (previous.config.authentication, previous.config.environment):
        return previous.authenticator
    return create_authenticator(config)


def _status_source(config: RouterConfig, service: GraphQLService, lasting: Lasting) -> StatusSource:
    return StatusSource(config, service, lasting.telemetry, lasting.overload, lasting.is_draining())


def _health_routes(service: GraphQLService, lasting: Lasting) -> list[BaseRoute]:
    async def live(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_: Request) -> Response:
        # A subgraph that is down is not asked after: the router answers what the others have.
        missing = [] if service.graph is not None else ["supergraph"]
        status = "draining" if lasting.is_draining() else "unavailable" if missing else "ready"
        return JSONResponse({"status": status, "missing": missing}, 200 if status == "ready" else 503)

    return [Route("/health/live", live), Route("/health/ready", ready)]


def _metrics_route(telemetry: Telemetry) -> BaseRoute:
    async def metrics(request: Request) -> Response:
        exposition = telemetry.exposition()
        if telemetry.peers is not None and ALONE_HEADER not in request.headers:
            exposition = await telemetry.peers.exposition(exposition)
        return Response(exposition, media_type=METRICS_TYPE)

    return Route("/metrics", metrics)


async def _not_found(request: Request, _: Exception) -> Response:
    error = {"message": f"There is nothing at {request.url.path}.", "extensions": {"code": "NOT_FOUND"}}
    return JSONResponse({"errors": [error]}, 404)
