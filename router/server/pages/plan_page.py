"""The plan of an operation as JSON: for the explorer, and for whoever may inspect."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from router.errors import OperationError
from router.planning import plan_to_json, render_text
from router.server.access.caller import ANONYMOUS, Caller, Identity
from router.server.config import RouterConfig
from router.server.http.answer import failure_answer
from router.server.http.body import read_body
from router.server.http.graphql_request import read_post
from router.server.http.negotiation import GRAPHQL_RESPONSE
from router.server.request_error import RequestError
from router.server.service import GraphQLService

PLAN_PATH = "/plan"


def plan_route(config: RouterConfig, service: GraphQLService, identity: Identity | None) -> BaseRoute:
    """``POST /plan``: the plan that the sender's operation has; 403 FORBIDDEN for who may not inspect."""
    max_body_bytes = config.graphql.max_body_bytes
    is_open, scope = config.has_explorer, config.authorization.inspection_scope

    async def answer(request: Request) -> Response:
        requester = ANONYMOUS
        if identity is not None:
            requester = (await identity.caller(request.scope, (), request.headers.raw)).requester
        if not is_open and scope not in requester.scopes:
            raise RequestError(403, "FORBIDDEN", "Plans are shown to those who may inspect alone.")
        length = request.headers.get("content-length", "").encode()
        body = await read_body(request.receive, length, max_body_bytes)
        content_type = request.headers.get("content-type", "").encode()
        sent = read_post(content_type, body or b"", config.graphql.max_body_values, service.documents)
        graph, compiled = await service.compiled_operation(sent, Caller(requester=requester))
        plan = await service.plan(graph, compiled, sent)
        return JSONResponse({"text": render_text(plan), "json": plan_to_json(plan)})

    async def answer_or_refuse(request: Request) -> Response:
        try:
            return await answer(request)
        except (RequestError, OperationError) as error:
            failure = failure_answer(error, GRAPHQL_RESPONSE)
            return Response(failure.body, failure.status, media_type="application/json")

    return Route(PLAN_PATH, answer_or_refuse, methods=["POST"])
