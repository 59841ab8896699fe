"""The router as an ASGI app: the GraphQL endpoint, and beside it what Starlette serves: page, health and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from router.server.config import RouterConfig
from router.server.endpoint import GraphQLEndpoint
from router.server.explorer_page import explorer_routes
from router.server.graph import Graph
from router.server.graph_files import GraphFiles
from router.server.reload import Reloader
from router.server.startup import keep_opening
from router.server.telemetry import Telemetry

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class RouterApp:
    """Sends requests for the GraphQL path to the endpoint, and all others to Starlette."""

    def __init__(
        self, graphql_path: str, endpoint: GraphQLEndpoint, others: ASGIApp, reloader: Reloader | None
    ) -> None:
        self._graphql_path = graphql_path
        self._endpoint = endpoint
        self._others = others
        self._reloader = reloader

    def reload_soon(self) -> None:
        """Read the supergraph and the settings anew; nothing where they are not files."""
        if self._reloader is not None:
            self._reloader.reload_soon()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        if scope["type"] == "http" and scope["path"] == self._graphql_path:
            await self._endpoint(scope, receive, send)
        else:
            await self._others(scope, receive, send)


def create_app(config: RouterConfig, graph: Graph | None = None, files: GraphFiles | None = None) -> RouterApp:
    """The router's app. Raises InputError as the explorer does.

    Without ``graph`` it answers that it is not ready, until ``files`` give one; a later change of them is taken over.
    """
    telemetry = Telemetry()
    endpoint = GraphQLEndpoint(config, telemetry, graph)
    telemetry.watch_cache(lambda: len(endpoint.graph.operations) if endpoint.graph is not None else 0)
    reloader = Reloader(files, endpoint.served_graph, endpoint.replace_graph, telemetry) if files is not None else None

    async def follow(files: GraphFiles, reloader: Reloader) -> None:
        if endpoint.graph is None:
            await keep_opening(files.open, endpoint.replace_graph)
        await reloader.watch()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as resources:
            if files is not None and reloader is not None:
                following = asyncio.create_task(follow(files, reloader))
                resources.push_async_callback(reloader.close)
                resources.callback(following.cancel)
            yield
        if endpoint.graph is not None:
            await endpoint.graph.client.close()

    routes = [*_health_routes(endpoint), _metrics_route(telemetry)]
    if config.has_explorer:
        routes += explorer_routes(config, endpoint)
    others = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _not_found})
    return RouterApp(config.graphql.path, endpoint, others, reloader)


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
