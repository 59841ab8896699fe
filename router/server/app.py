"""The router as an ASGI app: the GraphQL endpoint, and beside it what Starlette serves: page, health and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from router.server.config import RouterConfig
from router.server.endpoint import GraphQLEndpoint
from router.server.explorer_page import explorer_routes
from router.server.graph import Graph
from router.server.startup import OpenGraph, keep_opening
from router.server.telemetry import Telemetry

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class RouterApp:
    """Sends requests for the GraphQL path to the endpoint, and all others to Starlette."""

    def __init__(self, graphql_path: str, endpoint: GraphQLEndpoint, others: ASGIApp) -> None:
        self._graphql_path = graphql_path
        self._endpoint = endpoint
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        if scope["type"] == "http" and scope["path"] == self._graphql_path:
            await self._endpoint(scope, receive, send)
        else:
            await self._others(scope, receive, send)


def create_app(config: RouterConfig, graph: Graph | None = None, open_later: OpenGraph | None = None) -> RouterApp:
    """The router's app. Raises InputError as the explorer does.

    Without ``graph`` it answers that it is not ready, and tries ``open_later`` until that gives one.
    """
    telemetry = Telemetry()
    endpoint = GraphQLEndpoint(config, telemetry, graph)
    telemetry.watch_cache(lambda: len(endpoint.graph.operations) if endpoint.graph is not None else 0)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        opening = None
        if endpoint.graph is None and open_later is not None:
            opening = asyncio.create_task(keep_opening(open_later, endpoint.replace_graph))
        yield
        if opening is not None:
            opening.cancel()
        if endpoint.graph is not None:
            await endpoint.graph.client.close()

    routes = [*_health_routes(endpoint), _metrics_route(telemetry)]
    if config.has_explorer:
        routes += explorer_routes(config, endpoint)
    others = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _not_found})
    return RouterApp(config.graphql.path, endpoint, others)


def _health_routes(endpoint: GraphQLEndpoint) -> list[BaseRoute]:
    async def live(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_: Request) -> Response:
        # A subgraph that is down is not asked after: the router answers what the others have.
        missing = [] if endpoint.graph is not None else ["supergraph"]
        status = "unavailable" if missing else "ready"
        return JSONResponse({"status": status, "missing": missing}, 503 if missing else 200)

    return [Route("/health/live", live), Route("/health/ready", ready)]


def _metrics_route(telemetry: Telemetry) -> BaseRoute:
    async def metrics(_: Request) -> Response:
        return Response(telemetry.exposition(), media_type=METRICS_TYPE)

    return Route("/metrics", metrics)


async def _not_found(request: Request, _: Exception) -> Response:
    error = {"message": f"There is nothing at {request.url.path}.", "extensions": {"code": "NOT_FOUND"}}
    return JSONResponse({"errors": [error]}, 404)
