"""The ASGI app of a service: GraphQL, health, metrics."""

from __future__ import annotations

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from subgraphs.chassis.clock import Clock, utc_now
from subgraphs.chassis.graphql.endpoint import GraphQLEndpoint
from subgraphs.chassis.http.body_limit import BodyLimit
from subgraphs.chassis.http.compressed_body import CompressedBody
from subgraphs.chassis.http.http_route import to_starlette
from subgraphs.chassis.identity.router_keys import read_keys
from subgraphs.chassis.identity.router_signature import RouterGate, Trust
from subgraphs.chassis.process import ServiceProcess
from subgraphs.chassis.service import A, L, S, Service


def create_app(service: Service[A, L, S], settings: S, clock: Clock = utc_now) -> Starlette:
    """The app of ``service``; its lifespan connects to all else. ``app.state.process`` is the running service."""
    process = ServiceProcess(service, settings, clock)

    async def ready(request: Request) -> Response:
        missing = process.readiness.missing
        body = {"status": "waiting" if missing else "ready", "missing": missing}
        return Response(orjson.dumps(body), 503 if missing else 200, media_type="application/json")

    async def metrics(request: Request) -> Response:
        return Response(process.metrics.render(), media_type="text/plain; version=0.0.4")

    graphql: ASGIApp = GraphQLEndpoint(
        service.schema, process.context, process.metrics, process.tracer, settings.mongodb_timeout_ms / 1000
    )
    graphql = CompressedBody(graphql)
    if settings.router_keys is not None:
        keys = read_keys(settings.router_keys)
        trust = Trust(service.name, keys, settings.router_signature_window_s, settings.router_only)
        graphql = RouterGate(graphql, trust, clock)
    app = Starlette(
        routes=[
            Route("/graphql", graphql),
            WebSocketRoute("/graphql", graphql),
            Route("/health/live", _live),
            Route("/health/ready", ready),
            Route("/metrics", metrics),
            *(to_starlette(route, process.context) for route in service.routes(settings)),
        ],
        middleware=[Middleware(BodyLimit)],
        lifespan=process.lifespan,
    )
    app.state.process = process
    return app


async def _live(request: Request) -> Response:
    return Response(b'{"status":"live"}', media_type="application/json")
