"""Subscriptions of a subgraph over graphql-transport-ws, or the protocol before it: one WebSocket for each.

The dialogue: we connect with the forwarded headers, send ``connection_init`` (with the same headers as its payload,
which is where many servers look), await ``connection_ack``, send ``subscribe``, and take ``next`` until ``complete`` or
``error``. Sockets that fall silent are found by pings.

A subgraph that chooses ``graphql-ws``, the name of the protocol of the npm package subscriptions-transport-ws, hears
other words in the same order. Ariadne speaks no other unless it is told to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from router.execution.answer import SubgraphAnswer, answer_in
from router.execution.errors import INVALID_RESPONSE, REQUEST_FAILED, SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.http.tls import Tls
from router.execution.json_numbers import encode
from router.execution.subscription.event_source import (
    CONNECT_TIMEOUT_S,
    MAX_EVENT_BYTES,
    EventRequest,
    SubscriptionRefused,
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a protocol calls the message that asks for events, each of them, and the one that wants no more."""

    subscribe: bytes
    event: str
    leave: bytes


_OLDER = Subprotocol("graphql-ws")
# The one that we would rather speak first.
_PROTOCOLS = {
    Subprotocol("graphql-transport-ws"): Words(b"subscribe", "next", b"complete"),
    _OLDER: Words(b"start", "data", b"stop"),
}
_CLOSE_TIMEOUT_S = 2.0
# Closed with one of these, the subgraph understood us and said no (graphql-transport-ws: 4400 to 4499).
_REFUSALS = range(4400, 4500)
_INIT_TIMEOUT = 4408


class WebSocketSource:
    """An EventSource over WebSocket; where the URL is wss or https, over ``tls``, or what the system trusts.

    The subgraph acknowledges the connection within ``connect_timeout_s``, with TLS and all that is said before.
    """

    def __init__(self, tls: Tls | None = None, connect_timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        self._tls = tls
        self._connect_timeout_s = connect_timeout_s

    @asynccontextmanager
    async def open(self, request: EventRequest) -> AsyncIterator[AsyncIterator[SubgraphAnswer]]:
        """As the protocol says."""
        try:
            socket = await _connect(request, self._tls, self._connect_timeout_s, list(_PROTOCOLS))
        except _OtherProtocol:
            socket = await _connect(request, self._tls, self._connect_timeout_s, [_OLDER])
        try:
            async with aclosing(_events(socket, request)) as events:
                yield events
        finally:
            with suppress(WebSocketException):
                await socket.send(b'{"id":"1","type":"%b"}' % _words(socket, request.subgraph).leave, text=True)
            await socket.close()


class _OtherProtocol(SubgraphFailure):
    """The subgraph took the first protocol that it was offered and does not speak it.

    subscriptions-transport-ws itself does so, and closes with code 1002.
    """


class _ConnectHere(connect):
    """Follows no redirect: a subgraph does not say whom the router asks next, with the headers of its clients."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Leave ``exc`` what it is."""
        return exc


async def _connect(
    request: EventRequest, tls: Tls | None, within_s: float, offered: list[Subprotocol]
) -> ClientConnection:
    """An acknowledged connection on which the subscription was asked for."""
    name, url = request.subgraph, websocket_url(request.url)
    is_secure = url.startswith("wss:")
    secured = tls if is_secure else None
    try:
        async with asyncio.timeout(within_s):
            socket = await _ConnectHere(
                url,
                ssl=secured.context if secured is not None else is_secure or None,
                server_hostname=secured.server_name if secured is not None else None,
                subprotocols=offered,
                additional_headers=[(key.decode("latin-1"), value.decode("latin-1")) for key, value in request.headers],
                max_size=MAX_EVENT_BYTES,
                open_timeout=None,
                close_timeout=_CLOSE_TIMEOUT_S,
                compression=None,
                proxy=None,
            )
            try:
                await _subscribe(socket, request)
            except BaseException:
                await socket.close()
                raise
    except TimeoutError:
        raise SubgraphFailure(
            SUBGRAPH_TIMEOUT, f"Subgraph '{name}' did not open a WebSocket within {within_s:.3g} seconds."
        ) from None
    except InvalidStatus as error:
        raise _refused_handshake(name, error.response.status_code) from None
    except InvalidHandshake as error:
        if isinstance(error.__cause__, EOFError):
            # It may be starting, or not accept our certificate, which may be renewed.
            message = f"Subgraph '{name}' closed the connection in place of opening a WebSocket."
            raise SubgraphFailure(REQUEST_FAILED, message) from None
        raise SubscriptionRefused(INVALID_RESPONSE, f"Subgraph '{name}' does not speak WebSocket.") from None
    except ConnectionClosed as error:
        raise _closed(name, error, may_be_other=_OLDER in offered[1:]) from None
    except (OSError, WebSocketException):
        message = f"Subgraph '{name}' could not be reached: no WebSocket connection."
        raise SubgraphFailure(REQUEST_FAILED, message) from None
    return socket


def _words(socket: ClientConnection, subgraph: str) -> Words:
    if socket.subprotocol is None:
        message = f"Subgraph '{subgraph}' speaks none of the WebSocket protocols {' and '.join(_PROTOCOLS)}."
        raise SubscriptionRefused(INVALID_RESPONSE, message)
    return _PROTOCOLS[socket.subprotocol]


async def _subscribe(socket: ClientConnection, request: EventRequest) -> None:
    words = _words(socket, request.subgraph)
    payload = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
    await socket.send(encode({"type": "connection_init", "payload": payload}), text=True)
    while (kind := (await _receive(socket, request)).get("type")) != "connection_ack":
        if kind == "connection_error":
            message = f"Subgraph '{request.subgraph}' refused the subscription: it answered with connection_error."
            raise SubscriptionRefused(REQUEST_FAILED, message)
    await socket.send(b'{"id":"1","type":"%b","payload":%b}' % (words.subscribe, request.body), text=True)


async def _events(socket: ClientConnection, request: EventRequest) -> AsyncGenerator[SubgraphAnswer, None]:
    event = _words(socket, request.subgraph).event
    while True:
        try:
            message = await _receive(socket, request)
        except ConnectionClosed as error:
            raise _closed(request.subgraph, error) from None
        kind, payload = message.get("type"), message.get("payload")
        if kind == event:
            yield answer_in(request.subgraph, payload)
        elif kind == "error":
            # One error by the older protocol, a list of them by the newer.
            yield answer_in(request.subgraph, {"errors": [payload] if type(payload) is dict else payload})
            return
        elif kind == "complete":
            return


async def _receive(socket: ClientConnection, request: EventRequest) -> dict[str, Any]:
    """The next message; a ping is answered on the way."""
    try:
        message = request.decode(await socket.recv(decode=False))
    except ValueError:
        message = None
    if type(message) is not dict:
        told = f"Subgraph '{request.subgraph}' sent something other than messages of {socket.subprotocol}."
        raise SubgraphFailure(INVALID_RESPONSE, told)
    if message.get("type") == "ping":
        await socket.send(b'{"type":"pong"}', text=True)
    return message


def websocket_url(url: str) -> str:
    """``url`` with the WebSocket scheme that belongs to its HTTP scheme."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, *parts[1:]))


def _refused_handshake(subgraph: str, status: int) -> SubgraphFailure:
    message = f"Subgraph '{subgraph}' answered the request for a WebSocket with HTTP status {status}."
    # A server that is starting or overloaded may take it later; one that says no says it again.
    return SubgraphFailure(REQUEST_FAILED, message) if status >= 500 else SubscriptionRefused(REQUEST_FAILED, message)


def _closed(subgraph: str, error: ConnectionClosed, *, may_be_other: bool = False) -> SubgraphFailure:
    code = error.rcvd.code if error.rcvd is not None else 1006
    if code in _REFUSALS and code != _INIT_TIMEOUT:
        message = f"Subgraph '{subgraph}' refused the subscription: it closed the WebSocket with code {code}."
        return SubscriptionRefused(REQUEST_FAILED, message)
    message = f"Subgraph '{subgraph}' closed the WebSocket of the subscription."
    if may_be_other and code == CloseCode.PROTOCOL_ERROR:
        return _OtherProtocol(REQUEST_FAILED, message)
    return SubgraphFailure(REQUEST_FAILED, message)
