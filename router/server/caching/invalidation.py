"""The endpoint that drops what is cached: for whoever knows the secret, or whose token has the scope."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from router.server.access.bearer_secret import says_secret
from router.server.access.caller import Identity
from router.server.caching.client import CachingClient
from router.server.caching.selectors import tags_selected
from router.server.config import RouterConfig
from router.server.http.answer import failure_answer
from router.server.http.body import read_body
from router.server.http.graphql_request import read_json
from router.server.http.negotiation import GRAPHQL_RESPONSE
from router.server.metrics.telemetry import Telemetry
from router.server.metrics.worker_metrics import ALONE_HEADER
from router.server.request_error import RequestError


def invalidation_route(
    config: RouterConfig, cache: CachingClient, identity: Identity | None, telemetry: Telemetry
) -> BaseRoute:
    """``POST`` of what to drop (``selectors.py``), as JSON: 200 ``{"dropped": true}`` when it is gone from all workers.

    401 UNAUTHENTICATED, 403 FORBIDDEN, 400 INVALID_REQUEST, 503 WORKER_UNREACHABLE.
    """
    settings = config.entity_cache.invalidation
    secret = settings.secret
    told = frozenset({"authorization", "content-type", "cookie", config.authentication.header.lower()})

    async def check(request: Request) -> None:
        if secret is not None and says_secret(request.headers, secret):
            return
        if settings.scope is None or identity is None:
            raise RequestError(401, "UNAUTHENTICATED", "Say the secret of the settings: 'authorization: Bearer ...'.")
        requester = (await identity.caller(request.scope, (), request.headers.raw)).requester
        if not requester.is_authenticated:
            raise RequestError(401, "UNAUTHENTICATED", "A token is needed.", {"www-authenticate": "Bearer"})
        if settings.scope not in requester.scopes:
            raise RequestError(403, "FORBIDDEN", f"The scope '{settings.scope}' is needed.")

    async def drop(request: Request) -> Response:
        await check(request)
        length = request.headers.get("content-length", "").encode()
        body = await read_body(request.receive, length, config.graphql.max_body_bytes) or b""
        # Of its type, which no form of a web page has, where a cookie may say who asks.
        content_type = request.headers.get("content-type", "").encode()
        sent = read_json(content_type, body, config.graphql.max_body_values)
        await cache.drop(tags_selected(sent, cache.facts))
        if telemetry.peers is not None and ALONE_HEADER not in request.headers:
            headers = {name: value for name, value in request.headers.items() if name in told}
            if not await telemetry.peers.tell(settings.path, headers, body):
                message = "A worker could not be told. Send it again."
                raise RequestError(503, "WORKER_UNREACHABLE", message, {"retry-after": "1"})
        return JSONResponse({"dropped": True}, headers={"cache-control": "no-store"})

    async def drop_or_refuse(request: Request) -> Response:
        try:
            return await drop(request)
        except RequestError as error:
            failure = failure_answer(error, GRAPHQL_RESPONSE)
            headers = {name.decode(): value.decode() for name, value in failure.headers}
            return Response(failure.body, failure.status, headers, media_type="application/json")

    return Route(settings.path, drop_or_refuse, methods=["POST"])
