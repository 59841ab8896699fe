"""The router as an ASGI app: the GraphQL endpoint, and beside it what Starlette serves: page, health and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

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
from router.server.service import GraphQLService
from router.server.startup import keep_opening
from router.server.subscriptions.websocket import WebSocketEndpoint
from router.server.telemetry import Telemetry

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Transports:
    """The ASGI apps behind one address: GraphQL over HTTP and over WebSocket, and all other pages."""

    http: ASGIApp
    websocket: ASGIApp
    others: ASGIApp


class RouterApp:
    """Sends requests for the GraphQL path to the endpoint of their protocol, and all others to Starlette."""

    def __init__(
        self, graphql_path: str, transports: Transports, service: GraphQLService, reloader: Reloader | None
    ) -> None:
        self._graphql_path = graphql_path
        self._transports = transports
        self.service = service
        self._reloader = reloader

    def reload_soon(self) -> None:
        """Read the supergraph and the settings anew; nothing where they are not files."""
        if self._reloader is not None:
            self._reloader.reload_soon()

    def end_streams(self) -> None:
        """End what would never end by itself, before the server waits for the end of all else."""
        self.service.subscriptions.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        if scope["type"] == "http" and scope["path"] == self._graphql_path:
            await self._transports.http(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] == self._graphql_path:
            await self._transports.websocket(scope, receive, send)
        else:
            await self._transports.others(scope, receive, send)


def create_app(config: RouterConfig, graph: Graph | None = None, files: GraphFiles | None = None) -> RouterApp:
    """The router's app. Raises InputError as the explorer does.

    Without ``graph`` it answers that it is not ready, until ``files`` give one; a later change of them is taken over.
    """
    telemetry = Telemetry()
    service = GraphQLService(config, telemetry, graph)
    endpoint = GraphQLEndpoint(config, telemetry, service)
    sockets = WebSocketEndpoint(config, service)
    telemetry.watch_cache(lambda: len(service.graph.operations) if service.graph is not None else 0)
    reloader = Reloader(files, service.served_graph, service.replace_graph, telemetry) if files is not None else None

    async def follow(files: GraphFiles, reloader: Reloader) -> None:
        if service.graph is None:
            await keep_opening(files.open, service.replace_graph)
        await reloader.watch()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as resources:
            if files is not None and reloader is not None:
                following = asyncio.create_task(follow(files, reloader))
                resources.push_async_callback(reloader.close)
                resources.callback(following.cancel)
            resources.callback(service.subscriptions.close)
            yield
        if service.graph is not None:
            await service.graph.client.close()

    routes = [*_health_routes(service), _metrics_route(telemetry)]
    if config.has_explorer:
        routes += explorer_routes(config, service)
    others = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _not_found})
    return RouterApp(config.graphql.path, Transports(endpoint, sockets, others), service, reloader)


def _health_routes(service: GraphQLService) -> list[BaseRoute]:
    async def live(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_: Request) -> Response:
        # A subgraph that is down is not asked after: the router answers what the others have.
        missing = [] if service.graph is not None else ["supergraph"]
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
