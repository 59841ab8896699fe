"""``POST /graphql``: Strawberry's ASGI view, with JSON for every refusal and this chassis' error policy."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog
from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.unset import UnsetType

from subgraphs.chassis.errors import CodedError, Unavailable
from subgraphs.chassis.graphql.error_policy import present_error
from subgraphs.chassis.graphql.graphql_schema import ServiceSchema
from subgraphs.chassis.graphql.socket import SocketContext, TextSocket
from subgraphs.chassis.http.deadline import DeadlineExceeded, seconds_left, within
from subgraphs.chassis.observation.metrics import Metrics
from subgraphs.chassis.observation.tracing import IdTracer, Tracer, parse_traceparent

ContextFactory = Callable[[Request | WebSocket], Awaitable[Any]]

SUBSCRIPTION_PROTOCOLS = (GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL)
LOG = structlog.get_logger()
REQUEST_ID = "x-request-id"
ID_SHAPE = re.compile(r"[A-Za-z0-9._-]{1,64}")
DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
HTTP_CODES = {405: "METHOD_NOT_ALLOWED", 415: "UNSUPPORTED_MEDIA_TYPE"}


class GraphQLEndpoint(GraphQL[Any, None]):
    """The endpoint of one service; ``make_context`` says who asks, and may raise CodedError or Unavailable.

    ``operation_limit_s`` is how long one operation of the database may take.
    """

    websocket_adapter_class = TextSocket

    def __init__(
        self,
        schema: ServiceSchema,
        make_context: ContextFactory,
        metrics: Metrics,
        tracer: Tracer | None = None,
        operation_limit_s: float = 5.0,
    ) -> None:
        super().__init__(
            schema, graphql_ide=None, allow_queries_via_get=False, subscription_protocols=SUBSCRIPTION_PROTOCOLS
        )
        self._make_context = make_context
        self._metrics = metrics
        self._tracer = tracer or IdTracer()
        self._operation_limit_s = operation_limit_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever is wrong with it is told as a GraphQL error in JSON."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request, began = Request(scope, receive), time.perf_counter()
        request_id, parent = _request_id(request), parse_traceparent(request.headers.get("traceparent"))
        with (
            structlog.contextvars.bound_contextvars(request=request_id),
            self._tracer.span("POST /graphql", "server", parent, {"request.id": request_id}),
        ):
            response = await self._respond(request)
            response.headers[REQUEST_ID] = request_id
            await response(scope, receive, send)
            elapsed_s = time.perf_counter() - began
            LOG.debug("answered", status=response.status_code, ms=round(elapsed_s * 1000, 2))
        self._metrics.requested(response.status_code, elapsed_s)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        """See :class:`RequestContext`, and :class:`SocketContext`, which learns at ``connection_init`` who asks."""
        return SocketContext(request) if isinstance(request, WebSocket) else await self._make_context(request)

    async def on_ws_connect(self, context: SocketContext) -> UnsetType | dict[str, object] | None:
        """Accept a connection with a token that is good, or with none; close any other with 4403."""
        try:
            context.accept(await self._make_context(context.request()))
        except (CodedError, Unavailable) as error:
            LOG.info("socket_refused", reason=str(error))
            raise ConnectionRejectionError from None
        return await super().on_ws_connect(context)

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """The response body of ``result``, with errors as the client may see them."""
        body: GraphQLHTTPResponse = {"data": result.data}
        if result.errors:
            executed = not isinstance(result, PreExecutionError)
            presented = [present_error(error, executed=executed) for error in result.errors]
            for error in presented:
                self._metrics.failed(str((error.extensions or {})["code"]))
            body["errors"] = [error.formatted for error in presented]
        return body

    def decode_json(self, data: str | bytes) -> object:
        """orjson, for speed."""
        decoded = orjson.loads(data)
        if not isinstance(decoded, dict):
            raise json.JSONDecodeError("not an object", "", 0)
        return decoded

    def encode_json(self, data: object) -> bytes:
        """orjson, for speed."""
        return orjson.dumps(data)

    async def _respond(self, request: Request) -> Response:
        try:
            _check_request(request)
            async with within(seconds_left(request), self._operation_limit_s):
                return await self.run(request)
        except DeadlineExceeded:
            self._metrics.failed(DEADLINE_EXCEEDED)
            return error_response(504, DEADLINE_EXCEEDED, "The time that the request had is over.")
        except HTTPException as error:
            code = HTTP_CODES.get(error.status_code, "BAD_REQUEST")
            if isinstance(error.__cause__, CannotGetOperationTypeError):
                code = "OPERATION_RESOLUTION_FAILURE"
            return error_response(error.status_code, code, error.reason)
        except CodedError as error:
            self._metrics.failed(error.code)
            return error_response(200, error.code, error.message)
        except Unavailable as error:
            self._metrics.failed("SERVICE_UNAVAILABLE")
            return error_response(200, "SERVICE_UNAVAILABLE", str(error))


def _request_id(request: Request) -> str:
    """The id that the router gave the request, or a new one; what does not look like an id never reaches a log."""
    given = request.headers.get(REQUEST_ID, "")
    return given if ID_SHAPE.fullmatch(given) else secrets.token_hex(8)


def error_response(status: int, code: str, message: str) -> Response:
    """A GraphQL response that consists of one error."""
    body = {"data": None, "errors": [{"message": message, "extensions": {"code": code}}]}
    return Response(orjson.dumps(body), status, media_type="application/json")


def _check_request(request: Request) -> None:
    if request.method != "POST":
        raise HTTPException(405, "Send operations by POST.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send operations as application/json.")
