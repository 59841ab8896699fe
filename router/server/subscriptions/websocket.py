"""GraphQL over WebSocket: the server's side of graphql-transport-ws, which the npm package graphql-ws speaks.

A connection's states: connected -> (``connection_init``) -> acknowledged -> closed. Acknowledged, it takes
``subscribe`` with an id of the client's choice, for queries and mutations too, and answers with ``next`` for each
result (several for an operation with ``@defer``), then ``complete``, or ``error`` where there is no result. Whoever
breaks the protocol is closed with the code that it defines for that:

====== ====================================================================
1012    the router ends, or its settings have changed so that the client must say anew who it is; clients come again
1013    the router has more to do than it can, or holds as much of messages as it may
4400    not a message of the protocol, one with more values than a request may hold, or with headers larger than a head
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
from contextlib import suppress

from starlette.types import Message, Receive, Scope, Send

from router.errors import OperationError
from router.execution.json_numbers import encode
from router.execution.subgraph_client import Headers
from router.operation.model import OperationKind
from router.server.access.caller import NOBODY, UNAUTHENTICATED, Caller, Identity
from router.server.access.cross_origin import OriginGuard
from router.server.config import AuthenticationSettings, RouterConfig
from router.server.connections.close_reason import close_reason
from router.server.deferred.answer import DeferredAnswer
from router.server.deferred.formats import DeferredFormat, choose_deferred_format
from router.server.http.answer import errors_of, in_trace, result_answer
from router.server.http.graphql_request import read_parameters
from router.server.request_error import RequestError
from router.server.service import GraphQLService
from router.server.shedding.overload import Overload
from router.server.subscriptions.message import ClientMessage, ProtocolViolation, held, receive_message
from router.server.subscriptions.operation import SocketOperation
from router.server.subscriptions.streams import STALLED_AFTER_S
from router.server.subscriptions.subscriber import COMPLETED, Subscriber
from router.server.to_subgraphs.header_rules import forwarded_names

SUBPROTOCOL = "graphql-transport-ws"
SERVICE_RESTART = 1012
MAX_UNREAD_ENDINGS = 100
Header = tuple[bytes, bytes]


class _ClientGone(Exception):  # noqa: N818 - what the client did
    """It has closed the connection, or takes nothing any more."""


class WebSocketEndpoint:
    """Takes the WebSocket connections; each operation runs on the service that is the ``current`` one then.

    Where there is an ``overload``, operations count there as requests do, their messages as bodies do, and they are
    refused as they are.
    """

    def __init__(
        self,
        config: RouterConfig,
        current: Callable[[], GraphQLService],
        identity: Identity | None = None,
        overload: Overload | None = None,
    ) -> None:
        self._identity = identity
        self._origins = OriginGuard(config.cors)
        self._token_headers = _token_headers(config.authentication)
        telemetry = config.telemetry
        self._client_headers = {telemetry.client_name_header.encode(), telemetry.client_version_header.encode()}
        self._current = current
        self._init_timeout_s = config.subscriptions.connection_init_timeout_s
        self._max_operations = config.subscriptions.max_per_connection
        self._max_values = config.graphql.max_body_values
        self._max_header_bytes = config.server.max_header_bytes
        self._overload = overload
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
        connection = _Connection(self._current, send, self._max_operations, self._overload)
        try:
            await self._talk(connection, receive, scope, headers)
        except ProtocolViolation as violation:
            await self._current().tell(violation.error)
            with suppress(_ClientGone):
                await connection.close(violation.code, violation.reason)
        except _ClientGone:
            pass
        finally:
            await connection.end()

    async def _talk(self, connection: _Connection, receive: Receive, scope: Scope, headers: dict[bytes, bytes]) -> None:
        # No message outlives what is done for it: this lasts as long as the connection.
        if await self._begin(connection, receive, scope, headers):
            while await self._take_next(connection, receive):
                pass

    async def _begin(
        self, connection: _Connection, receive: Receive, scope: Scope, headers: dict[bytes, bytes]
    ) -> bool:
        """Take ``connection_init``; whether the client has sent it and may go on."""
        try:
            async with asyncio.timeout(self._init_timeout_s):
                message = await receive_message(receive, self._max_values)
                while message is not None and message.type in ("ping", "pong"):
                    await connection.take(message)
                    message = await receive_message(receive, self._max_values)
        except TimeoutError:
            raise ProtocolViolation(4408, "Connection initialisation timeout") from None
        if message is None:
            return False
        if message.type != "connection_init":
            raise ProtocolViolation(4401, "Unauthorized")
        with held(message, self._overload):
            await self._acknowledge(connection, scope, headers, message.payload)
        return True

    async def _acknowledge(
        self, connection: _Connection, scope: Scope, headers: dict[bytes, bytes], payload: object
    ) -> None:
        headers |= self._headers_in(payload, self._propagate)
        caller = await self._caller(scope, tuple(sorted(headers.items())), payload)
        named = {**scope, "headers": [*scope["headers"], *self._headers_in(payload, self._client_headers).items()]}
        await connection.acknowledge(caller, named, frozenset(headers), _deferred_format(payload))

    async def _take_next(self, connection: _Connection, receive: Receive) -> bool:
        """Take one message; whether there was one."""
        message = await receive_message(receive, self._max_values)
        if message is not None:
            await connection.take(message)
        return message is not None

    async def _caller(self, scope: Scope, propagated: Headers, payload: object) -> Caller:
        """Who opened the connection; a token in the payload goes before one in a header. ProtocolViolation (4403)."""
        if self._identity is None:
            return Caller(propagated)
        sent = self._headers_in(payload, self._token_headers)
        opened_with = [(name, value) for name, value in scope["headers"] if name not in sent]
        try:
            return await self._identity.caller(scope, propagated, [*sent.items(), *opened_with])
        except RequestError as error:
            raise ProtocolViolation(4403, error.message, error) from None

    def _headers_in(self, payload: object, wanted: Set[bytes]) -> dict[bytes, bytes]:
        """Headers that are ``wanted`` in the payload of ``connection_init``: browsers can set no others.

        They are kept while the connection lasts, so they may be no larger than a head. ProtocolViolation (4400).
        """
        found: dict[bytes, bytes] = {}
        for values in (payload, payload.get("headers") if isinstance(payload, Mapping) else None):
            for name, value in values.items() if isinstance(values, Mapping) else ():
                key = name.lower().encode()
                if key in wanted and _is_header_value(value):
                    found[key] = value.encode("latin-1")
        if sum(map(len, found.values())) > self._max_header_bytes:
            raise ProtocolViolation(4400, f"The payload holds headers of more than {self._max_header_bytes} bytes")
        return found


class _Connection:
    """One client: its operations under way, by their ids."""

    def __init__(
        self, current: Callable[[], GraphQLService], send: Send, max_operations: int, overload: Overload | None
    ) -> None:
        self._current = current
        self._send = send
        # What is sent is made when it is its turn: a client that reads nothing makes nobody write twice.
        self._sending = asyncio.Lock()
        self._max_operations = max_operations
        self._overload = overload
        self._caller = NOBODY
        self._scope: Scope = {}
        self._said: frozenset[bytes] = frozenset()
        self._deferred_format: DeferredFormat | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        # Those too whose id is free again, and whose last message waits for the client to read.
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def acknowledge(
        self, caller: Caller, scope: Scope, said: frozenset[bytes], form: DeferredFormat | None
    ) -> None:
        """Take operations from now on, of a client that ``said`` these headers itself; the ``scope`` has all."""
        self._caller = caller
        self._scope = scope
        self._said = said
        self._deferred_format = form
        await self._send_text(b'{"type":"connection_ack"}')

    async def take(self, message: ClientMessage) -> None:
        """Do what a message says. ProtocolViolation."""
        match message.type:
            case "subscribe":
                await self._until_read(message)
                self._subscribe(message.id, message)
            case "complete":
                operation = self._operations.pop(message.id, None)
                if operation is not None:
                    operation.cancel()
            case "ping":
                await self._send_text(b'{"type":"pong"}')
            case "pong":
                pass
            case "connection_init":
                raise ProtocolViolation(4429, "Too many initialisation requests")
            case other:
                raise ProtocolViolation(4400, f"There is no message of type '{other}'")

    async def end(self) -> None:
        """Give up all operations."""
        tasks = list(self._tasks)
        self._operations.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self, code: int, reason: str) -> None:
        """Close the connection; nothing is sent after it."""
        message = {"type": "websocket.close", "code": code, "reason": close_reason(reason)}
        await self._send_in_turn(lambda: message)

    async def _until_read(self, message: ClientMessage) -> None:
        """Take no more of a client that leaves so many last messages unread: each waits in a task, and holds memory."""
        most = self._max_operations + MAX_UNREAD_ENDINGS
        if len(self._tasks) >= most:
            with held(message, self._overload):
                while len(self._tasks) >= most:
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    def _subscribe(self, id_: str, message: ClientMessage) -> None:
        payload = message.payload
        if id_ in self._operations:
            raise ProtocolViolation(4409, f"Subscriber for {id_} already exists")
        if not isinstance(payload, dict):
            raise ProtocolViolation(4400, "The payload of 'subscribe' is not an object")
        task = asyncio.create_task(self._operate(SocketOperation(id_, payload, message.size, self._overload)))
        self._operations[id_] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _operate(self, operation: SocketOperation) -> None:
        observed = self._current().observed
        if observed is not None:
            operation.exchange = observed.begin(self._scope, operation.payload)
        try:
            await self._answer_or_fail(operation)
        except _ClientGone:
            pass  # Its connection ends, or pings will find out about it.
        finally:
            if self._operations.get(operation.id) is asyncio.current_task():
                del self._operations[operation.id]
            if observed is not None and operation.exchange is not None:
                observed.end(operation.exchange)

    async def _answer_or_fail(self, operation: SocketOperation) -> None:
        try:
            await self._answer(operation)
            return
        except _ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: the client gets an answer, and the log what was our fault
            operation.fail(error)
            await self._current().tell(error)
            errors = encode(errors_of(error))
        finally:
            operation.leave()
        # Without the error, which knows by its traceback what the message brought.
        await self._finish(operation, b'{"id":%b,"type":"error","payload":%b}', errors)

    async def _answer(self, operation: SocketOperation) -> None:
        started = asyncio.get_running_loop().time()
        service = self._current()
        if not self._said.isdisjoint(service.claim_headers):
            # What the client said of itself would be taken for what its token says.
            await self.close(SERVICE_RESTART, "The router's settings have changed. Connect again.")
            return
        self._refuse_if_need_be()
        operation.enter()
        request = read_parameters(operation.payload, service.documents)
        graph, compiled = await service.compiled_operation(request, self._caller)
        if compiled.operation.kind is OperationKind.SUBSCRIPTION:
            subscriber = service.subscribe(graph, compiled, request, self._caller)
            operation.leave()
            del request
            await self._pass_on(operation, subscriber)
            return
        if compiled.operation.deferral_variables is not None and self._deferred_format is not None:
            parts = await service.run_in_parts(graph, compiled, request, self._caller, started)
            if parts is not None:
                await self._deliver(operation, parts, self._deferred_format)
                return
        result = await service.run(graph, compiled, request, self._caller, started)
        # From here on it waits for its client, takes nobody else's place, and needs nothing of its message.
        operation.leave()
        del request
        await self._next(operation, result_answer(result).body)
        await self._finish(operation, b'{"id":%b,"type":"complete"}')

    def _refuse_if_need_be(self) -> None:
        if len(self._operations) > self._max_operations:
            message = (
                f"There are {self._max_operations} operations under way on this connection, as many as it may have."
            )
            raise OperationError("SUBSCRIPTION_LIMIT", message)
        if self._caller.requester.has_expired():
            raise OperationError(UNAUTHENTICATED, "The token has expired. Connect again with a new one.")

    async def _deliver(self, operation: SocketOperation, answer: DeferredAnswer, form: DeferredFormat) -> None:
        try:
            payload: bytes | None = await answer.begin(form)
            while payload is not None:
                await self._next(operation, payload)
                payload = await answer.next()
        finally:
            await answer.close()
        await self._finish(operation, b'{"id":%b,"type":"complete"}')

    async def _pass_on(self, operation: SocketOperation, subscriber: Subscriber) -> None:
        try:
            while (result := await subscriber.next()) is not None:
                await self._next(operation, result)
            ending = subscriber.ending or COMPLETED
            if ending.error is not None:
                operation.fail(ending.error)
                await self._current().tell(ending.error)
            if ending.is_ours:
                # Clients come again after this code; an error would end the subscription for good.
                await self.close(SERVICE_RESTART, str(ending.errors[0]["message"]))
            elif ending.errors:
                await self._finish(operation, b'{"id":%b,"type":"error","payload":%b}', encode(in_trace(ending.errors)))
            else:
                await self._finish(operation, b'{"id":%b,"type":"complete"}')
        finally:
            subscriber.close()

    async def _next(self, operation: SocketOperation, result: bytes) -> None:
        operation.answer(len(result))
        await self._send_text(b'{"id":%b,"type":"next","payload":%b}', encode(operation.id), result)

    async def _finish(self, operation: SocketOperation, form: bytes, *values: bytes) -> None:
        # The id is free before the client hears so: it may use it again at once.
        if self._operations.get(operation.id) is asyncio.current_task():
            del self._operations[operation.id]
        await self._send_text(form, encode(operation.id), *values)

    async def _send_text(self, form: bytes, *values: bytes) -> None:
        await self._send_in_turn(lambda: {"type": "websocket.send", "text": (form % values).decode()})

    async def _send_in_turn(self, made: Callable[[], Message]) -> None:
        try:
            async with asyncio.timeout(STALLED_AFTER_S), self._sending:
                if self._is_closed:
                    raise _ClientGone
                message = made()
                self._is_closed = message["type"] == "websocket.close"
                await self._send(message)
        except (OSError, RuntimeError):
            # RuntimeError: the server has closed it by itself, as it does at its end.
            raise _ClientGone from None


def _token_headers(settings: AuthenticationSettings) -> frozenset[bytes]:
    return frozenset({settings.header.lower().encode()})


def _deferred_format(payload: object) -> DeferredFormat | None:
    """The form of answers in parts that ``accept`` in the payload of ``connection_init`` asks for."""
    accept = payload.get("accept") if isinstance(payload, Mapping) else None
    return (
        choose_deferred_format(accept.encode("latin-1", "ignore"))
        if isinstance(accept, str)
        else DeferredFormat.CURRENT
    )


def _is_header_value(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()
