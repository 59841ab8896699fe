"""Plugins that a test needs: one that notes every hook, one that fails in a hook, and one that has none."""

from __future__ import annotations

from typing import Any

import router
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.field_error import FieldError
from router.operation.model import Operation
from router.planning.query_plan import QueryPlan
from router.server.http.graphql_request import GraphQLRequest
from router.server.plugins.plugin import RequestContext, ResponseHead

noted: list[str] = []


class Noting(router.Plugin):
    async def on_request(self, context: RequestContext) -> None:
        noted.append("request " + context.path)

    async def on_operation(self, context: RequestContext, request: GraphQLRequest) -> None:
        noted.append("operation " + request.query)

    async def on_plan(self, context: RequestContext, operation: Operation, plan: QueryPlan) -> None:
        noted.append(f"plan {len(plan.fetches)}")

    async def on_subgraph_request(self, context: RequestContext, request: SubgraphRequest) -> SubgraphRequest:
        noted.append("to " + request.subgraph)
        return request

    async def on_subgraph_response(
        self, context: RequestContext, request: SubgraphRequest, response: SubgraphResponse
    ) -> SubgraphResponse:
        noted.append(f"from {request.subgraph} {response.status}")
        return response

    async def on_response(self, context: RequestContext, head: ResponseHead) -> None:
        noted.append(f"response {head.status}")
        head.headers.append((b"x-noted", b"yes"))

    async def on_error(self, context: RequestContext, error: Exception | FieldError) -> None:
        noted.append("error " + (error.message if isinstance(error, FieldError) else str(error)))


class NotingWhoAsks(router.Plugin):
    async def on_request(self, context: RequestContext) -> None:
        _note_who("request", context)

    async def on_subgraph_request(self, context: RequestContext, request: SubgraphRequest) -> SubgraphRequest:
        _note_who("to " + request.subgraph, context)
        return request

    async def on_response(self, context: RequestContext, head: ResponseHead) -> None:
        _note_who("response", context)


class _Failing(router.Plugin):
    def __init__(self, settings: Any) -> None:
        self.secret = "the secret of the plugin"


class FailsOnRequest(_Failing):
    async def on_request(self, context: RequestContext) -> None:
        raise ValueError(self.secret)


class FailsOnOperation(_Failing):
    async def on_operation(self, context: RequestContext, request: GraphQLRequest) -> None:
        raise ValueError(self.secret)


class FailsOnPlan(_Failing):
    async def on_plan(self, context: RequestContext, operation: Operation, plan: QueryPlan) -> None:
        raise ValueError(self.secret)


class FailsOnSubgraphRequest(_Failing):
    async def on_subgraph_request(self, context: RequestContext, request: SubgraphRequest) -> SubgraphRequest:
        raise ValueError(self.secret)


class FailsOnResponse(_Failing):
    async def on_response(self, context: RequestContext, head: ResponseHead) -> None:
        raise ValueError(self.secret)


class HasNone(router.Plugin):
    pass


def _note_who(hook: str, context: RequestContext) -> None:
    claims = context.requester.claims
    noted.append(f"{hook} by {claims['sub'] if claims is not None else 'nobody'}")
