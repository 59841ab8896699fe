"""Everything of the router that is not GraphQL: health, metrics, pages to look into it, and dropping from its cache."""

from __future__ import annotations

from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from router.server.access.bearer_secret import says_secret
from router.server.access.caller import Identity
from router.server.caching.invalidation import invalidation_route
from router.server.config import RouterConfig
from router.server.graphs.graph import Graph
from router.server.lasting import Lasting
from router.server.metrics.kept_exposition import KeptExposition
from router.server.metrics.telemetry import Telemetry
from router.server.metrics.worker_metrics import ALONE_HEADER
from router.server.pages.explorer_page import explorer_routes
from router.server.pages.plan_page import plan_route
from router.server.service import GraphQLService
from router.server.status.reading import StatusSource
from router.server.status.routes import status_routes

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def other_paths(
    config: RouterConfig, graph: Graph | None, service: GraphQLService, identity: Identity | None, lasting: Lasting
) -> Starlette:
    """The app of all paths but that of GraphQL: what ``config`` opens, and NOT_FOUND."""
    routes = [*_health_routes(service, lasting), _metrics_route(config, lasting.telemetry)]
    if config.has_explorer:
        routes += explorer_routes(config)
    if config.has_explorer or config.authorization.inspection_scope is not None:
        routes.append(plan_route(config, service, identity))
    routes += status_routes(config, partial(_status_source, config, service, lasting), identity)
    cache = graph.traffic.caching if graph is not None and graph.traffic is not None else None
    if cache is not None and config.entity_cache.invalidation.is_open:
        routes.append(invalidation_route(config, cache, identity, lasting.telemetry))
    return Starlette(routes=routes, exception_handlers={404: _not_found})


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


def _metrics_route(config: RouterConfig, telemetry: Telemetry) -> BaseRoute:
    secret = config.telemetry.metrics.secret

    async def of_this_worker() -> bytes:
        return telemetry.exposition()

    async def of_all_workers() -> bytes:
        said = f"Bearer {secret.get_secret_value()}" if secret is not None else None
        own = telemetry.exposition()
        return own if telemetry.peers is None else await telemetry.peers.exposition(own, said)

    alone, together = KeptExposition(of_this_worker), KeptExposition(of_all_workers)

    async def metrics(request: Request) -> Response:
        if secret is not None and not says_secret(request.headers, secret):
            return Response("", 401, {"www-authenticate": "Bearer"})
        kept = alone if telemetry.peers is None or ALONE_HEADER in request.headers else together
        return Response(await kept.read(), media_type=METRICS_TYPE)

    return Route("/metrics", metrics)


async def _not_found(request: Request, _: Exception) -> Response:
    error = {"message": f"There is nothing at {request.url.path}.", "extensions": {"code": "NOT_FOUND"}}
    return JSONResponse({"errors": [error]}, 404)
