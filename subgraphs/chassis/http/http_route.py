"""Routes beside GraphQL: what others send to a service (webhooks), and documents that are no GraphQL.

::

    HttpRoute("POST", "/webhooks/carrier", hear_carrier)
    async def hear_carrier(request: Request, context: RequestContext[Shipping, Loaders]) -> Response: ...
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from subgraphs.chassis.errors import CodedError, Unavailable
from subgraphs.chassis.graphql.request_context import RequestContext

A = TypeVar("A")
L = TypeVar("L")

STATUSES: Mapping[str, int] = {"UNAUTHENTICATED": 401, "SIGNATURE_INVALID": 401, "FORBIDDEN": 403, "NOT_FOUND": 404}
"""The HTTP status of a CodedError by its code; any other one is 400."""


@dataclass(frozen=True, slots=True)
class HttpRoute(Generic[A, L]):
    """``handle`` answers ``method`` at ``path``; it may raise CodedError, which the caller is told as JSON."""

    method: str
    path: str
    handle: Callable[[Request, RequestContext[A, L]], Awaitable[Response]]


def to_starlette(route: HttpRoute[A, L], context: Callable[[Request], Awaitable[RequestContext[A, L]]]) -> Route:
    """``route`` as Starlette routes it; ``context`` says who asks, and may raise CodedError or Unavailable."""

    async def endpoint(request: Request) -> Response:
        try:
            return await route.handle(request, await context(request))
        except CodedError as error:
            return _refusal(STATUSES.get(error.code, 400), error.code, error.message)
        except Unavailable as error:
            return _refusal(503, "SERVICE_UNAVAILABLE", str(error))

    return Route(route.path, endpoint, methods=[route.method])


def _refusal(status: int, code: str, message: str) -> Response:
    body = {"error": {"code": code, "message": message}}
    return Response(orjson.dumps(body), status, media_type="application/json")
