"""What a plugin is: a class with some of these hooks. docs/plugins.md tells when each is called."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.field_error import FieldError
from router.operation.model import Operation
from router.planning.query_plan import QueryPlan
from router.server.access.caller import ANONYMOUS, Requester
from router.server.config.section import Section
from router.server.http.graphql_request import GraphQLRequest

if TYPE_CHECKING:
    from router.server.plugins.hooks import Hooks

Header = tuple[bytes, bytes]


@dataclass(slots=True)
class RequestContext:
    """One HTTP request, or one WebSocket connection with all its operations, as its plugins see it.

    ``headers`` have names in lower case; ``received_at`` is a time of the event loop's clock. ``state`` is for the
    plugins: each finds there what others, or its own earlier hooks, have left. ``requester`` is who asks, with the
    claims and scopes of a verified token: known after ``on_request``, which comes before anything is verified.
    """

    path: str
    headers: Mapping[str, str]
    received_at: float
    hooks: Hooks
    state: dict[str, Any] = field(default_factory=dict)
    requester: Requester = ANONYMOUS


@dataclass(slots=True)
class ResponseHead:
    """Status and headers of an answer that is about to be sent; both may be changed. Names are in lower case."""

    status: int
    headers: list[Header]


class Plugin:
    """A plugin overrides the hooks that it wants, and ``Settings`` where it has any.

    RequestError raised in a hook refuses with the plugin's own words, from a hook of subgraphs the fields of that fetch
    alone; anything else is masked as PLUGIN_FAILED. Nothing limits the time of a hook, and the request waits for it.
    """

    Settings: ClassVar[type[BaseModel]] = Section

    def __init__(self, settings: Any) -> None:
        """``settings`` are a ``Settings``, already validated."""

    async def on_request(self, context: RequestContext) -> None:
        """A request has come, and nothing of it is read but its head."""

    async def on_operation(self, context: RequestContext, request: GraphQLRequest) -> None:
        """The GraphQL request is read, and neither parsed nor planned; once for each member of a batch."""

    async def on_plan(self, context: RequestContext, operation: Operation, plan: QueryPlan) -> None:
        """The operation is valid and planned, and nothing is fetched."""

    async def on_subgraph_request(self, context: RequestContext, request: SubgraphRequest) -> SubgraphRequest:
        """A request is about to be sent to a subgraph: give it, or another in its place (``router.with_headers``)."""
        return request

    async def on_subgraph_response(
        self, context: RequestContext, request: SubgraphRequest, response: SubgraphResponse
    ) -> SubgraphResponse:
        """A subgraph has answered, with any status: give its answer, or another in its place."""
        return response

    async def on_response(self, context: RequestContext, head: ResponseHead) -> None:
        """The head of the answer over HTTP is about to be sent, and may be changed; one that is a stream has one."""

    async def on_error(self, context: RequestContext, error: Exception | FieldError) -> None:
        """An operation was refused or failed, or a field of its answer did. What this hook raises is logged alone."""


CURRENT: ContextVar[RequestContext] = ContextVar("galleria_request")
