"""GraphQL over WebSocket (``graphql-transport-ws``): who asks is said at the handshake or in ``connection_init``.

A browser cannot send headers with a handshake, so its token is ``{"authorization": "Bearer ..."}`` in the payload.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.websockets import WebSocket
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected

from subgraphs.chassis.errors import Unavailable
from subgraphs.chassis.graphql.request_context import RequestContext


class TextSocket(ASGIWebSocketAdapter):
    """Sends text frames, as the protocol wants them; our JSON is bytes."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send ``message``."""
        encoded = self.view.encode_json(message)
        try:
            await self.ws.send_text(encoded.decode() if isinstance(encoded, bytes) else encoded)
        except RuntimeError as error:  # Starlette's word for a socket that is closed already
            raise WebSocketDisconnected from error


class SocketContext:
    """The context of one connection; each operation on it gets one of its own."""

    __slots__ = ("_context", "_socket", "connection_params")

    def __init__(self, socket: WebSocket) -> None:
        self.connection_params: Mapping[str, Any] = {}
        self._socket = socket
        self._context: RequestContext[Any, Any] | None = None

    def request(self) -> Request:
        """The handshake as a request, with the token of the ``connection_init`` payload where it has one."""
        scope = {**self._socket.scope, "type": "http", "method": "POST"}
        token = _token(self.connection_params)
        if token is not None:
            others = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
            scope["headers"] = [*others, (b"authorization", token.encode())]
        return Request(scope)

    def accept(self, context: RequestContext[Any, Any]) -> None:
        """Who asks is known."""
        self._context = context

    def for_operation(self) -> RequestContext[Any, Any]:
        """A context for one operation; raises Unavailable before the connection is accepted."""
        if self._context is None:
            raise Unavailable("The connection is not initialised.")
        return self._context.for_operation()


def _token(params: Mapping[str, Any]) -> str | None:
    headers = params.get("headers")
    for values in (params, headers if isinstance(headers, dict) else {}):
        for name, value in values.items():
            if name.lower() == "authorization" and isinstance(value, str):
                return value
    return None
