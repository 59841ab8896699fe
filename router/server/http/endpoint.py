"""The GraphQL endpoint: a plain ASGI app, because Starlette's routing and responses cost half of what a request costs.

One request: read HTTP -> compiled operation (cached) -> coerced variables -> execute -> project -> JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import partial
from time import monotonic

from msgspec import Struct
from starlette.types import Receive, Scope, Send

from router.execution.subgraph_client import Headers
from router.operation.model import OperationKind
from router.server.access.caller import NOBODY, Caller, Identity
from router.server.caching.answer_policy import AnswerPolicy
from router.server.config import RouterConfig
from router.server.deferred.answer import DeferredAnswer
from router.server.deferred.formats import DeferredFormat, choose_deferred_format
from router.server.deferred.stream import DeferredStream, send_deferred, send_whole
from router.server.http.answer import Answer, failure_answer, result_answer, send_answer
from router.server.http.answer_sharing import AnswerSharing, sharing_key
from router.server.http.batch import Batch, read_batch, run_batch
from router.server.http.body import read_body, whole_body
from router.server.http.disconnect import DisconnectWatch
from router.server.http.graphql_request import GraphQLRequest, is_form, read_get, read_json, read_parameters
from router.server.http.header_section import OWN_HEADERS, HeaderSection, HeaderSections, section_in
from router.server.http.negotiation import JSON, choose_media_type
from router.server.http.uploads import UploadLimits, received_upload
from router.server.metrics.telemetry import Telemetry
from router.server.request_error import RequestError
from router.server.service import GraphQLService
from router.server.subscriptions.streams import EventStream, choose_stream, send_single, send_stream
from router.server.to_subgraphs.header_rules import forwarded_names

Header = tuple[bytes, bytes]

# A member looked up in its enum takes nine times as long as a name of the module (CPython 3.11).
_QUERY = OperationKind.QUERY
_SUBSCRIPTION = OperationKind.SUBSCRIPTION


class ClientHeaders(Struct):
    """What the endpoint reads of a request's headers, which its client sends again and again.

    ``media_type`` is that of a whole answer, None where it accepts none; ``propagated`` are the headers that subgraphs
    may get. ``caller`` is who sent the last request with them.
    """

    content_type: bytes
    accept: bytes
    media_type: str | None
    propagated: Headers
    caller: Caller


class RequestHead(Struct):
    """The head of an HTTP request, and what is ``said`` in it."""

    scope: Scope
    method: str
    query_string: bytes
    headers: Iterable[Header]
    said: ClientHeaders


class GraphQLEndpoint:
    """Answers GraphQL over HTTP for ``service``."""

    def __init__(
        self,
        config: RouterConfig,
        telemetry: Telemetry,
        service: GraphQLService,
        identity: Identity | None = None,
        policy: AnswerPolicy | None = None,
    ) -> None:
        self._policy = policy
        self._identity = identity
        self._service = service
        self._max_body_bytes = config.graphql.max_body_bytes
        self._max_body_values = config.graphql.max_body_values
        self._batching = config.batching
        self._uploads = config.uploads
        self._heartbeat_s = config.subscriptions.heartbeat_s
        self._telemetry = telemetry
        self._clients = DisconnectWatch()
        self._sharing = AnswerSharing() if config.graphql.share else None
        self._propagate = forwarded_names(config.headers)
        # Nothing is remembered of headers to which those belong that differ in each request; nor beside plugins, which
        # are told who asks when that is asked.
        read = self._propagate | {config.authentication.header.lower().encode()}
        self._sections = HeaderSections()
        self._remembers = not config.plugins and read.isdisjoint(OWN_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; nothing that a client or a subgraph does raises."""
        started = monotonic()
        head = self._read_head(scope)
        media_type = head.said.media_type
        answer: Answer | EventStream | DeferredStream | None
        try:
            answer = await self._answer(head, media_type, receive, started)
        except asyncio.CancelledError:
            # The server gives up what is still under way at its end. This request ends here either way, told or not.
            shutdown = RequestError(503, "SHUTTING_DOWN", "The router is shutting down. Send the request again.")
            answer = failure_answer(shutdown, JSON)
        except Exception as error:  # noqa: BLE001 - the edge: the client gets an answer, and the log what was our fault
            await self._service.tell(error)
            answer = failure_answer(error, media_type or JSON)
        if answer is None:
            return
        if isinstance(answer, EventStream):
            self._telemetry.answered(200, monotonic() - started)
            await self._stream(receive, send, answer)
            return
        if isinstance(answer, DeferredStream):
            self._telemetry.answered(200, monotonic() - started)
            await self._deliver(receive, send, answer)
            return
        self._telemetry.answered(answer.status, monotonic() - started)
        if media_type is None:
            await _send_as_stream(send, head.said.accept, answer)
        else:
            await send_answer(send, answer, media_type)

    async def _deliver(self, receive: Receive, send: Send, stream: DeferredStream) -> None:
        try:
            with suppress(TimeoutError, asyncio.CancelledError):
                await self._clients.unless_disconnected(receive, send_deferred(send, stream))
        finally:
            await stream.answer.close()

    async def _stream(self, receive: Receive, send: Send, stream: EventStream) -> None:
        with suppress(TimeoutError, asyncio.CancelledError):
            await self._clients.unless_disconnected(receive, send_stream(send, stream, self._heartbeat_s))
        ending = stream.subscriber.ending
        if ending is not None and ending.error is not None:
            await self._service.tell(ending.error)

    def _read_head(self, scope: Scope) -> RequestHead:
        section = self._section(scope) if self._remembers else None
        said: ClientHeaders | None = section.made.get(self) if section is not None else None
        if said is None:
            said = self._read_headers(scope["headers"])
            if section is not None:
                section.made[self] = said
        return RequestHead(scope, scope["method"], scope["query_string"], scope["headers"], said)

    def _section(self, scope: Scope) -> HeaderSection | None:
        """The section of a request, where a layer before this one has read it, or its head was parsed before."""
        section = section_in(scope)
        if section is None:
            known = self._sections.of_known(scope)
            section = known[0] if known is not None else None
        return section

    def _read_headers(self, sent: Collection[Header]) -> ClientHeaders:
        fields = dict(sent)
        if len(fields) == len(sent) and self._propagate.isdisjoint(fields):
            accept = fields.get(b"accept", b"")
            return ClientHeaders(fields.get(b"content-type", b""), accept, choose_media_type(accept), (), NOBODY)
        content_type = accept = b""
        propagated = []
        for header in sent:
            name, value = header
            if name == b"content-type":
                content_type = value
            elif name == b"accept":
                accept = accept + b"," + value if accept else value
            if name in self._propagate:
                propagated.append(header)
        told = tuple(propagated)
        return ClientHeaders(content_type, accept, choose_media_type(accept), told, Caller(told) if told else NOBODY)

    async def _answer(
        self, head: RequestHead, media_type: str | None, receive: Receive, started: float
    ) -> Answer | EventStream | DeferredStream | None:
        """The answer; None where the client has gone away."""
        said = head.said
        if media_type is None and not (choose_stream(said.accept) or choose_deferred_format(said.accept)):
            raise _not_acceptable()
        caller = said.caller
        if self._identity is not None and not caller.requester.holds():
            caller = said.caller = await self._identity.caller(head.scope, said.propagated, head.headers)
        if is_form(said.content_type) and head.method == "POST":
            return await self._answer_upload(head, caller, receive, started)
        if head.method == "POST":
            body = whole_body(receive, self._max_body_bytes)
            if body is None:
                body = await read_body(receive, _content_length(head.headers), self._max_body_bytes)
                if body is None:
                    return None
            request: GraphQLRequest | Batch = self._read_post(head, body)
        else:
            request = self._read_get(head)
        if not isinstance(request, GraphQLRequest):
            return await self._clients.unless_disconnected(receive, run_batch(self._service, request, caller, started))
        service = self._service
        found = service.known_operation(request, caller) or await service.compiled_operation(request, caller)
        graph, compiled = found
        kind = compiled.operation.kind
        if kind is _SUBSCRIPTION:
            events = choose_stream(said.accept)
            if events is not None:
                return EventStream(events, self._service.subscribe(graph, compiled, request, caller))
            if media_type is None:
                raise _not_acceptable()
        elif head.method == "GET" and kind is not _QUERY:
            message = "Send a mutation by POST: GET is for queries alone."
            raise RequestError(405, "METHOD_NOT_ALLOWED", message, {"allow": "POST"})
        if compiled.operation.deferral_variables is not None:
            form = choose_deferred_format(said.accept)
            if form is not None:
                parts = await self._service.run_in_parts(graph, compiled, request, caller, started)
                if parts is not None:
                    return await self._begin(receive, parts, form)
        answer_of = result_answer if self._policy is None else self._policy.answer_of(compiled)
        if self._sharing is not None and kind is _QUERY:
            run = partial(self._service.run, graph, compiled, request, caller, started)
            key = self._service.mutations, sharing_key(compiled, request, head.headers, caller)
            return await self._clients.unless_disconnected(receive, self._sharing.answer(key, run, answer_of))
        run_now = self._service.run(graph, compiled, request, caller, started)
        result = await self._clients.unless_disconnected(receive, run_now)
        return answer_of(result) if result is not None else None

    async def _begin(self, receive: Receive, parts: DeferredAnswer, form: DeferredFormat) -> DeferredStream | None:
        """The answer in parts with its first payload; None where the client has gone away."""
        first: bytes | None = None
        try:
            first = await self._clients.unless_disconnected(receive, parts.begin(form))
        finally:
            if first is None:
                await parts.close()
        return DeferredStream(form, parts, first) if first is not None else None

    async def _answer_upload(
        self, head: RequestHead, caller: Caller, receive: Receive, started: float
    ) -> Answer | None:
        """The answer to a request with files; None where the client has gone away."""
        settings = UploadLimits(self._uploads, self._max_body_bytes, self._max_body_values)
        async with received_upload(head.headers, receive, settings, self._service.documents) as request:
            if request is None:
                return None
            graph, compiled = await self._service.compiled_operation(request, caller)
            run = self._service.run(graph, compiled, request, caller, started)
            result = await self._clients.unless_disconnected(receive, run)
            return result_answer(result) if result is not None else None

    def _read_post(self, head: RequestHead, body: bytes) -> GraphQLRequest | Batch:
        """The GraphQL request in a POST, or an array of them. RequestError: no request."""
        sent = read_json(head.said.content_type, body, self._max_body_values)
        if type(sent) is list:
            return read_batch(sent, self._batching, self._service.documents)
        return read_parameters(sent, self._service.documents)

    def _read_get(self, head: RequestHead) -> GraphQLRequest:
        """The GraphQL request in a URL. RequestError: no request, METHOD_NOT_ALLOWED."""
        if head.method == "GET":
            return read_get(head.query_string, self._service.documents)
        # Whoever wrote a page at another origin meets this first: their browser asks before it sends anything.
        pages = " Pages of another origin may where cors.origins names it." if head.method == "OPTIONS" else ""
        raise RequestError(405, "METHOD_NOT_ALLOWED", f"Send queries by GET or POST.{pages}", {"allow": "GET, POST"})


def _content_length(headers: Iterable[Header]) -> bytes:
    return next((value for name, value in headers if name == b"content-length"), b"")


def _not_acceptable() -> RequestError:
    return RequestError(406, "NOT_ACCEPTABLE", "Accept application/graphql-response+json or application/json.")


async def _send_as_stream(send: Send, accept: bytes, answer: Answer) -> None:
    """Send ``answer`` to a client that accepts nothing but streams; one that accepts nothing of ours gets JSON."""
    form, deferred = choose_stream(accept), choose_deferred_format(accept)
    if form is not None:
        await send_single(send, form, answer.body)
    elif deferred is not None and answer.status == 200:
        await send_whole(send, deferred, answer.body)
    else:
        await send_answer(send, answer, JSON)
