"""A hard limit for request bodies, before anything reads them into memory."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from subgraphs.chassis.graphql.endpoint import error_response

MAXIMUM_BODY = 1_000_000


class _TooLargeError(Exception):
    """The body grew beyond the limit while it was read."""


class BodyLimit:
    """Answers 413 REQUEST_TOO_LARGE to a body of more than ``maximum`` bytes."""

    def __init__(self, app: ASGIApp, maximum: int = MAXIMUM_BODY) -> None:
        self._app = app
        self._maximum = maximum

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on unless its body is too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, self._limited(scope, receive), send)
        except _TooLargeError:
            message = f"The request body is larger than {self._maximum} bytes."
            await error_response(413, "REQUEST_TOO_LARGE", message)(scope, receive, send)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """``receive`` itself where the size is declared, which the server holds the client to; else a counting one."""
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"")
        if b"transfer-encoding" in headers or not declared.isdigit():
            return self._counted(receive)
        if int(declared) > self._maximum:
            raise _TooLargeError
        return receive

    def _counted(self, receive: Receive) -> Receive:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._maximum:
                raise _TooLargeError
            return message

        return counted
