"""The GraphQL endpoint: a plain ASGI app, because Starlette's routing and responses cost half of what a request costs.

One request: read HTTP -> compiled operation (cached) -> coerced variables -> execute -> project -> JSON.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from router.errors import OperationError
from router.execution.execute import ExecutionContext, execute
from router.operation.model import OperationKind
from router.operation.variables import coerce_variables
from router.server.answer import Answer, operation_refusal, our_fault, refusal, result_answer, send_answer
from router.server.body import read_body
from router.server.config import RouterConfig
from router.server.disconnect import unless_disconnected
from router.server.graph import Graph
from router.server.graphql_request import GraphQLRequest, read_get, read_post
from router.server.negotiation import JSON, choose_media_type
from router.server.operation_cache import CompiledOperation
from router.server.request_error import RequestError
from router.server.telemetry import Telemetry

Header = tuple[bytes, bytes]


@dataclass(slots=True)
class RequestHead:
    """What the endpoint reads of an HTTP request's head; ``propagated`` are the headers that subgraphs get."""

    method: str
    query_string: bytes
    content_type: bytes = b""
    accept: bytes = b""
    content_length: bytes = b""
    propagated: list[Header] = field(default_factory=list)


class GraphQLEndpoint:
    """Answers GraphQL over HTTP for ``graph``, which may be exchanged at any time; None while there is none yet."""

    def __init__(self, config: RouterConfig, telemetry: Telemetry, graph: Graph | None = None) -> None:
        self.graph = graph
        self._settings = config.graphql
        self._has_introspection = config.has_introspection
        self._telemetry = telemetry
        self._propagate = frozenset(name.lower().encode() for name in config.headers.propagate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; nothing that a client or a subgraph does raises."""
        clock = asyncio.get_running_loop().time
        started = clock()
        head = self._read_head(scope)
        media_type = choose_media_type(head.accept)
        answer: Answer | None
        try:
            answer = await self._answer(head, media_type, receive, started)
        except RequestError as error:
            answer = refusal(error)
        except OperationError as error:
            answer = operation_refusal(error, media_type or JSON)
        except asyncio.CancelledError:
            # The server gives up what is still under way at its end. This request ends here either way, told or not.
            answer = refusal(RequestError(503, "SHUTTING_DOWN", "The router is shutting down. Send the request again."))
        except Exception as error:  # noqa: BLE001 - the edge: the client gets an answer, and the log the reason
            answer = our_fault(error)
        if answer is not None:
            self._telemetry.answered(answer.status, clock() - started)
            await send_answer(send, answer, media_type or JSON)

    def served_graph(self) -> Graph:
        """The graph that is served now. RequestError: NOT_READY."""
        if self.graph is None:
            raise RequestError(503, "NOT_READY", "No supergraph is loaded yet. Try again.", {"retry-after": "1"})
        return self.graph

    def replace_graph(self, graph: Graph) -> None:
        """Serve ``graph`` from now on; requests under way end on the one that they began with."""
        self.graph = graph

    async def compiled_operation(self, request: GraphQLRequest) -> tuple[Graph, CompiledOperation]:
        """The graph that is served now, and the operation compiled for it.

        RequestError: NOT_READY. OperationError: INTROSPECTION_DISABLED, and where it cannot be compiled.
        """
        graph = self.served_graph()
        compiled = graph.operations.known(request.query, request.operation_name)
        if compiled is None:
            compiled = await graph.operations.compiled(request.query, request.operation_name)
            self._telemetry.compiled()
        if compiled.projection.introspection is not None and not self._has_introspection:
            message = "Introspection is disabled. Set graphql.introspection in router.yaml to allow it."
            raise OperationError("INTROSPECTION_DISABLED", message)
        return graph, compiled

    def _read_head(self, scope: Scope) -> RequestHead:
        head = RequestHead(scope["method"], scope["query_string"])
        for name, value in scope["headers"]:
            if name == b"content-type":
                head.content_type = value
            elif name == b"accept":
                head.accept = head.accept + b"," + value if head.accept else value
            elif name == b"content-length":
                head.content_length = value
            if name in self._propagate:
                head.propagated.append((name, value))
        return head

    async def _answer(
        self, head: RequestHead, media_type: str | None, receive: Receive, started: float
    ) -> Answer | None:
        """The answer; None where the client has gone away."""
        if media_type is None:
            message = "Accept application/graphql-response+json or application/json."
            raise RequestError(406, "NOT_ACCEPTABLE", message)
        request = await self._read_request(head, receive)
        if request is None:
            return None
        graph, compiled = await self.compiled_operation(request)
        if head.method == "GET" and compiled.operation.kind is not OperationKind.QUERY:
            message = "Send a mutation by POST: GET is for queries alone."
            raise RequestError(405, "METHOD_NOT_ALLOWED", message, {"allow": "POST"})
        variables = coerce_variables(graph.supergraph.api_schema, compiled.operation, request.variables)
        context = ExecutionContext(
            client=graph.client,
            headers=tuple(head.propagated),
            deadline=started + self._settings.timeout_s,
            timeouts_s=graph.timeouts_s,
            decode=graph.decode,
            observer=self._telemetry,
        )
        result = await unless_disconnected(receive, execute(compiled.executable, variables, context))
        if result is None:
            return None
        return result_answer(compiled.projection(result.data, result.errors, variables))

    async def _read_request(self, head: RequestHead, receive: Receive) -> GraphQLRequest | None:
        """The GraphQL request; None where the client has gone away. RequestError where it is none."""
        if head.method == "POST":
            body = await read_body(receive, head.content_length, self._settings.max_body_bytes)
            return read_post(head.content_type, body) if body is not None else None
        if head.method == "GET":
            return read_get(head.query_string)
        raise RequestError(405, "METHOD_NOT_ALLOWED", "Send queries by GET or POST.", {"allow": "GET, POST"})
