"""The host's word, and plugins, hold for WebSockets too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.types import Message, Scope

import router
from tests.server.library.hosted import SETTINGS, hosted_router
from tests.server.shop import SUPERGRAPH

OPENING = [{"type": "websocket.connect"}, {"type": "connection_init"}]
QUESTION = {"type": "subscribe", "id": "1", "payload": {"query": "{ whoami }"}}


async def talk(graph: router.Router, *messages: Mapping[str, Any], **headers: str) -> list[Message]:
    """What is sent to a client that opens /shop/graphql, sends ``messages``, and leaves after ``complete``."""
    sent: list[Message] = []
    waiting = [dict(one) for one in messages]
    done = asyncio.Event()

    async def receive() -> Message:
        if not waiting:
            await done.wait()
            return {"type": "websocket.disconnect", "code": 1000}
        one = waiting.pop(0)
        return one if one["type"].startswith("websocket.") else {"type": "websocket.receive", "text": json.dumps(one)}

    async def send(message: Message) -> None:
        sent.append(message)
        if '"complete"' in str(message.get("text", "")) or message["type"] == "websocket.close":
            done.set()

    scope = {
        "type": "websocket",
        "path": "/shop/graphql",
        "root_path": "/shop",
        "subprotocols": ["graphql-transport-ws"],
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    async with graph.lifespan():
        await graph(scope, receive, send)
    return sent


async def identify(scope: Scope) -> router.Caller:
    key = dict(scope["headers"]).get(b"key")
    if key is None:
        raise router.RequestError(401, "SIGN_IN_FIRST", "Sign in first.")
    return router.Caller(((b"authorization", b"ada"),))


@pytest.mark.asyncio
async def test_the_host_says_who_opened_it() -> None:
    sent = await talk(hosted_router(identify), *OPENING, QUESTION, key="1")
    answers = [json.loads(one["text"]) for one in sent if one["type"] == "websocket.send"]
    assert {"id": "1", "type": "next", "payload": {"data": {"whoami": "ada"}}} in answers


@pytest.mark.asyncio
async def test_whom_the_host_refuses_is_closed_with_its_words() -> None:
    sent = await talk(hosted_router(identify), *OPENING, QUESTION)
    assert sent[-1] == {"type": "websocket.close", "code": 4403, "reason": "Sign in first."}


@pytest.mark.asyncio
async def test_whom_a_plugin_refuses_is_not_let_in() -> None:
    plugin = {"use": "examples.plugins.refused_clients:RefusedClients", "settings": {"header": "app", "names": ["old"]}}
    graph = router.Router(SUPERGRAPH, {**SETTINGS, "plugins": [plugin]})
    reason = "The client 'old' is not served any more. Update it."
    assert await talk(graph, *OPENING, app="old") == [{"type": "websocket.close", "code": 4403, "reason": reason}]
