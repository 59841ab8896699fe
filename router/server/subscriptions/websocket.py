"""GraphQL over WebSocket: the server's side of graphql-transport-ws, which the npm package graphql-ws speaks.

A connection's states: connected -> (``connection_init``) -> acknowledged -> closed. Acknowledged, it takes
``subscribe`` with an id of the client's choice, for queries and mutations too, and answers with ``next`` for each
result (several for an operation with ``@defer``), then ``complete``, or ``error`` where there is no result. Whoever
breaks the protocol is closed with the code that it defines for that:

====== ====================================================================
4400    not a message of the protocol
4401    ``subscribe`` before the connection is acknowledged
4403    the token is not accepted, or there is none where one is required
4406    none of the subprotocols that the client offers is ours
4408    no ``connection_init`` in time
4409    the id of ``subscribe`` is in use
4429    a second ``connection_init``
====== ====================================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Set
from typing import Any

from starlette.types import Receive, Scope, Send

from router.errors import OperationError
from router.execution.json_numbers import decode_exact, encode
from router.execution.subgraph_client import Headers
from router.operation.model import OperationKind
from router.server.access.authentication import UNAUTHENTICATED
from router.server.access.caller import NOBODY, Caller, Identity
from router.server.access.cross_origin import OriginGuard
from router.server.answer import errors_of, result_answer
from router.server.config import AuthenticationSettings, RouterConfig
from router.server.deferred.answer import DeferredAnswer
from router.server.deferred.formats import DeferredFormat, choose_deferred_format
from router.server.graphql_request import read_parameters
from router.server.header_rules import forwarded_names
from router.server.request_error import RequestError
from router.server.service import GraphQLService
from router.server.subscriptions.streams import STALLED_AFTER_S
from router.server.subscriptions.subscriber import COMPLETED, Subscriber

SUBPROTOCOL = "graphql-transport-ws"
Header = tuple[bytes, bytes]


class ProtocolViolation(Exception):  # noqa: N818 - what the client did
    """The connection is closed with ``code`` and ``reason``."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class WebSocketEndpoint:
    """Takes the WebSocket connections; each operation runs on the service that is the ``current`` one then."""

    def __init__(
        self, config: RouterConfig, current: Callable[[], GraphQLService], identity: Identity | None = None
    ) -> None:
        self._identity = identity
        self._origins = OriginGuard(config.cors)
        self._token_headers = _token_headers(config.authentication)
        self._current = current
        self._init_timeout_s = config.subscriptions.connection_init_timeout_s
        self._max_operations = config.subscriptions.max_per_connection
        self._propagate = forwarded_names(config.headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Talk with one client until either side closes."""
        await receive()
        if not self._origins.allows(scope["headers"]):
            await send({"type": "websocket.close", "code": 1008, "reason": "Origin not allowed"})
            return
        if SUBPROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": "Subprotocol not acceptable"})
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        headers = {name: value for name, value in scope["headers"] if name in self._propagate}
        connection = _Connection(self._current, send, self._max_operations)
        try:
            await self._talk(connection, receive, scope, headers)
        except ProtocolViolation as violation:
            await send({"type": "websocket.close", "code": violation.code, "reason": violation.reason})
        finally:
            await connection.end()

    async def _talk(self, connection: _Connection, receive: Receive, scope: Scope, headers: dict[bytes, bytes]) -> None:
        try:
            async with asyncio.timeout(self._init_timeout_s):
                message = await _receive(receive)
                while message is not None and message["type"] in ("ping", "pong"):
                    await connection.take(message)
                    message = await _receive(receive)
        except TimeoutError:
            raise ProtocolViolation(4408, "Connection initialisation timeout") from None
        if message is None:
            return
        if message["type"] != "connection_init":
            raise ProtocolViolation(4401, "Unauthorized")
        payload = message.get("payload")
        headers |= self._headers_in(payload, self._propagate)
        caller = await self._caller(scope, tuple(sorted(headers.items())), payload)
        await connection.acknowledge(caller, _deferred_format(payload))
        while (message := await _receive(receive)) is not None:
            await connection.take(message)

    async def _caller(self, scope: Scope, propagated: Headers, payload: object) -> Caller:
        """Who opened the connection; a token in the payload goes before one in a header. ProtocolViolation (4403)."""
        if self._identity is None:
            return Caller(propagated)
        sent = self._headers_in(payload, self._token_headers)
        try:
            return await self._identity.caller(scope, propagated, [*sent.items(), *scope["headers"]])
        except RequestError as error:
            raise ProtocolViolation(4403, error.message[:120]) from None

    def _headers_in(self, payload: object, wanted: Set[bytes]) -> dict[bytes, bytes]:
        """Headers that are ``wanted`` in the payload of ``connection_init``: browsers can set no others."""
        found: dict[bytes, bytes] = {}
        for values in (payload, payload.get("headers") if isinstance(payload, Mapping) else None):
            for name, value in values.items() if isinstance(values, Mapping) else ():
                key = name.lower().encode()
                if key in wanted and _is_header_value(value):
                    found[key] = value.encode("latin-1")
        return found


class _Connection:
    """One client: its operations under way, by their ids."""

    def __init__(self, current: Callable[[], GraphQLService], send: Send, max_operations: int) -> None:
        self._current = current
        self._send = send
        self._max_operations = max_operations
        self._caller = NOBODY
        self._deferred_format: DeferredFormat | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def acknowledge(self, caller: Caller, form: DeferredFormat | None) -> None:
        self._caller = caller
        self._deferred_format = form
        await self._send_text(b'{"type":"connection_ack"}')

    async def take(self, message: Mapping[str, Any]) -> None:
        """Do what a message says. ProtocolViolation."""
        match message["type"]:
            case "subscribe":
                self._subscribe(_id_of(message), message.get("payload"))
            case "complete":
                operation = self._operations.pop(_id_of(message), None)
                if operation is not None:
                    operation.cancel()
            case "ping":
                await self._send_text(b'{"type":"pong"}')
            case "pong":
                pass
            case "connection_init":
                raise ProtocolViolation(4429, "Too many initialisation requests")
            case other:
                raise ProtocolViolation(4400, f"There is no message of type '{other}'"[:120])

    async def end(self) -> None:
        """Give up all operations."""
        operations = list(self._operations.values())
        self._operations.clear()
        for operation in operations:
            operation.cancel()
        await asyncio.gather(*operations, return_exceptions=True)

    def _subscribe(self, id_: str, payload: object) -> None:
        if id_ in self._operations:
            raise ProtocolViolation(4409, f"Subscriber for {id_} already exists"[:120])
        if not isinstance(payload, dict):
            raise ProtocolViolation(4400, "The payload of 'subscribe' is not an object")
        task = asyncio.create_task(self._operate(id_, payload))
        self._operations[id_] = task

    async def _operate(self, id_: str, payload: dict[str, Any]) -> None:
        try:
            await self._answer(id_, payload)
        except TimeoutError:
            pass  # The client takes nothing any more; pings will find out about its connection.
        except Exception as error:  # noqa: BLE001 - the edge: the client gets an answer, and the log what was our fault
            await self._finish(id_, b'{"id":%b,"type":"error","payload":%b}', encode(errors_of(error)))
        finally:
            if self._operations.get(id_) is asyncio.current_task():
                del self._operations[id_]

    async def _answer(self, id_: str, payload: dict[str, Any]) -> None:
        started = asyncio.get_running_loop().time()
        if len(self._operations) > self._max_operations:
            message = (
                f"There are {self._max_operations} operations under way on this connection, as many as it may have."
            )
            raise OperationError("SUBSCRIPTION_LIMIT", message)
        if self._caller.requester.has_expired():
            raise OperationError(UNAUTHENTICATED, "The token has expired. Connect again with a new one.")
        service = self._current()
        request = read_parameters(payload, service.documents)
        graph, compiled = await service.compiled_operation(request, self._caller)
        if compiled.operation.kind is OperationKind.SUBSCRIPTION:
            await self._pass_on(id_, service.subscribe(graph, compiled, request, self._caller))
            return
        if compiled.operation.deferral_variables is not None and self._deferred_format is not None:
            parts = await service.run_in_parts(graph, compiled, request, self._caller, started)
            if parts is not None:
                await self._deliver(id_, parts, self._deferred_format)
                return
        result = await service.run(graph, compiled, request, self._caller, started)
        await self._next(id_, result_answer(result).body)
        await self._finish(id_, b'{"id":%b,"type":"complete"}')

    async def _deliver(self, id_: str, answer: DeferredAnswer, form: DeferredFormat) -> None:
        try:
            payload: bytes | None = await answer.begin(form)
            while payload is not None:
                await self._next(id_, payload)
                payload = await answer.next()
        finally:
            await answer.close()
        await self._finish(id_, b'{"id":%b,"type":"complete"}')

    async def _pass_on(self, id_: str, subscriber: Subscriber) -> None:
        try:
            while (result := await subscriber.next()) is not None:
                await self._next(id_, result)
            ending = subscriber.ending or COMPLETED
            if ending.is_ours:
                return  # The server closes the connection, after which clients come again; an error would end it.
            if ending.errors:
                await self._finish(id_, b'{"id":%b,"type":"error","payload":%b}', encode(ending.errors))
            else:
                await self._finish(id_, b'{"id":%b,"type":"complete"}')
        finally:
            subscriber.close()

    async def _next(self, id_: str, result: bytes) -> None:
        await self._send_text(b'{"id":%b,"type":"next","payload":%b}' % (encode(id_), result))

    async def _finish(self, id_: str, form: bytes, *values: bytes) -> None:
        # The id is free before the client hears so: it may use it again at once.
        if self._operations.get(id_) is asyncio.current_task():
            del self._operations[id_]
        await self._send_text(form % (encode(id_), *values))

    async def _send_text(self, text: bytes) -> None:
        async with asyncio.timeout(STALLED_AFTER_S):
            await self._send({"type": "websocket.send", "text": text.decode()})


def _token_headers(settings: AuthenticationSettings) -> frozenset[bytes]:
    return frozenset({settings.header.lower().encode()})


async def _receive(receive: Receive) -> dict[str, Any] | None:
    """The next message; None where the connection is closed. ProtocolViolation (4400) for what is none."""
    event = await receive()
    if event["type"] == "websocket.disconnect":
        return None
    try:
        message = decode_exact((event.get("text") or "").encode())
    except ValueError:
        message = None
    if type(message) is not dict or type(message.get("type")) is not str:
        raise ProtocolViolation(4400, "Not a message of graphql-transport-ws")
    return message


def _deferred_format(payload: object) -> DeferredFormat | None:
    """The form of answers in parts that ``accept`` in the payload of ``connection_init`` asks for."""
    accept = payload.get("accept") if isinstance(payload, Mapping) else None
    return (
        choose_deferred_format(accept.encode("latin-1", "ignore"))
        if isinstance(accept, str)
        else DeferredFormat.CURRENT
    )


def _id_of(message: Mapping[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise ProtocolViolation(4400, "The message has no id")
    return id_


def _is_header_value(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()
