"""``on_request`` and ``on_response``: an ASGI app around that which answers, there where there is a plugin at all."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.server.connections.close_reason import close_reason
from router.server.http.answer import failure_answer, send_answer
from router.server.http.negotiation import JSON
from router.server.plugins.hooks import Hooks, failure_of
from router.server.plugins.plugin import CURRENT, RequestContext, ResponseHead
from router.server.request_error import RequestError


class RequestHooks:
    """Lets ``app`` answer what no plugin refuses; the other hooks find the request's context in CURRENT."""

    def __init__(self, app: ASGIApp, hooks: Hooks) -> None:
        self._app = app
        self._hooks = hooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        context = _context_of(scope, self._hooks)
        token = CURRENT.set(context)
        try:
            await self._ask(context)
            if scope["type"] == "http" and self._hooks.on_response:
                await self._app(scope, receive, _Answering(send, context))
            else:
                await self._app(scope, receive, send)
        except RequestError as refusal:
            await _refuse(scope, receive, send, refusal)
        finally:
            CURRENT.reset(token)

    async def _ask(self, context: RequestContext) -> None:
        for plugin in self._hooks.on_request:
            try:
                await plugin.on_request(context)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a refusal, or masked
                raise failure_of(plugin, "on_request", error) from None


class _Answering:
    """``send`` of one answer, whose head the plugins see first. RequestError where one of them refuses it."""

    def __init__(self, send: Send, context: RequestContext) -> None:
        self._send = send
        self._context = context

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            head = ResponseHead(message["status"], list(message["headers"]))
            for plugin in self._context.hooks.on_response:
                try:
                    await plugin.on_response(self._context, head)
                except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a refusal, or masked
                    raise failure_of(plugin, "on_response", error) from None
            message = {**message, "status": head.status, "headers": head.headers}
        await self._send(message)


def _context_of(scope: Scope, hooks: Hooks) -> RequestContext:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return RequestContext(scope["path"], headers, asyncio.get_running_loop().time(), hooks)


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: RequestError) -> None:
    if scope["type"] == "http":
        await send_answer(send, failure_answer(refusal, JSON), JSON)
        return
    await receive()
    await send({"type": "websocket.close", "code": 4403, "reason": close_reason(refusal.message)})
