"""Subgraphs of this process answer as those elsewhere do, and whatever they do costs their own request alone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import strawberry
from msgspec import structs

from router.execution.errors import SubgraphFailure
from router.execution.http.client import parse_address
from router.execution.in_process.asgi_client import AsgiSubgraphClient
from router.execution.in_process.lifespan import AsgiApp, StartFailed
from router.execution.in_process.schema_client import SchemaSubgraphClient
from router.execution.subgraph_client import SubgraphClient, SubgraphRequest, SubgraphResponse

REQUEST = SubgraphRequest("a", b'{"query":"{x}"}', ((b"Authorization", b"Bearer t"),), timeout_s=5)


def no_upload() -> SubgraphClient:
    raise AssertionError("no files here")


def asgi_client(app: AsgiApp) -> AsgiSubgraphClient:
    return AsgiSubgraphClient(app, parse_address("a", "http://a.test:4001/graphql?v=1"), 1000, no_upload)


class App:
    """Answers ``body`` with ``status``; ``calls`` are the scopes and bodies, ``lived`` the lifespan's messages."""

    def __init__(self, status: int = 200, body: bytes = b'{"data":{"x":1}}', failing: str | None = None) -> None:
        self.status, self.body, self.failing = status, body, failing
        self.calls: list[tuple[Any, bytes]] = []
        self.lived: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        self.calls.append((scope, (await receive())["body"]))
        headers = [[b"cache-control", b"max-age=60"]]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        half = len(self.body) // 2
        await send({"type": "http.response.body", "body": self.body[:half], "more_body": True})
        await send({"type": "http.response.body", "body": self.body[half:]})

    async def _live(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            self.lived.append(message["type"])
            if self.failing is not None:
                await send({"type": "lifespan.startup.failed", "message": self.failing})
                return
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


async def fail(client: SubgraphClient, request: SubgraphRequest = REQUEST) -> tuple[str, str]:
    with pytest.raises(SubgraphFailure) as caught:
        await client.send(request)
    await client.close()
    return caught.value.code, caught.value.message


@pytest.mark.asyncio
async def test_an_app_is_asked_as_a_server_would_ask_it() -> None:
    client = asgi_client(app := App(status=207))
    assert await client.send(REQUEST) == SubgraphResponse(
        207, b'{"data":{"x":1}}', ((b"cache-control", b"max-age=60"),)
    )
    await client.close()
    scope, body = app.calls[0]
    assert body == REQUEST.body
    assert (scope["method"], scope["path"], scope["query_string"]) == ("POST", "/graphql", b"v=1")
    assert dict(scope["headers"]) == {
        b"host": b"a.test:4001",
        b"content-type": b"application/json",
        b"accept": b"application/graphql-response+json, application/json",
        b"content-length": b"15",
        b"authorization": b"Bearer t",
    }


@pytest.mark.asyncio
async def test_an_app_lives_from_the_first_request_to_the_end() -> None:
    client = asgi_client(app := App())
    await asyncio.gather(client.send(REQUEST), client.send(REQUEST))
    assert app.lived == ["lifespan.startup"]
    await client.close()
    assert app.lived == ["lifespan.startup", "lifespan.shutdown"]


@pytest.mark.asyncio
async def test_an_app_that_cannot_start_says_why_and_fails_its_requests() -> None:
    client = asgi_client(App(failing="no database"))
    with pytest.raises(StartFailed, match=r"^no database$"):
        await client.start()
    assert await fail(client) == ("SUBGRAPH_REQUEST_FAILED", "Subgraph 'a' failed.")


@pytest.mark.asyncio
async def test_an_app_without_a_lifespan_just_runs() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    client = asgi_client(app)
    assert await client.send(REQUEST) == SubgraphResponse(200, b"{}")
    await client.close()


@pytest.mark.asyncio
async def test_an_answer_beyond_the_limit_is_refused() -> None:
    expected = ("SUBGRAPH_INVALID_RESPONSE", "Subgraph 'a' answered with more than the limit of 1000 bytes.")
    assert await fail(asgi_client(App(body=b"x" * 1001))) == expected


@pytest.mark.asyncio
async def test_an_app_that_raises_is_a_failed_request() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("a secret")

    assert await fail(asgi_client(app)) == ("SUBGRAPH_REQUEST_FAILED", "Subgraph 'a' failed.")


@pytest.mark.asyncio
async def test_an_app_that_stops_halfway_is_a_failed_request() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})

    assert await fail(asgi_client(app)) == ("SUBGRAPH_REQUEST_FAILED", "Subgraph 'a' did not end its answer.")


@pytest.mark.asyncio
async def test_silence_ends_with_the_time_limit() -> None:
    cancelled = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await receive()
            try:
                await receive()
            finally:
                cancelled.set()

    expected = ("SUBGRAPH_TIMEOUT", "Subgraph 'a' did not answer within 0.05 seconds.")
    assert await fail(asgi_client(app), structs.replace(REQUEST, timeout_s=0.05)) == expected
    assert cancelled.is_set()


@strawberry.type
class Query:
    @strawberry.field
    def who(self, info: strawberry.Info, greeting: str) -> str:
        if greeting == "":
            raise ValueError("say something")
        return f"{greeting} {info.context['headers'].get('authorization')}"


def asking(greeting: str) -> SubgraphRequest:
    sent = {"query": "query ($g: String!) { who(greeting: $g) }", "variables": {"g": greeting}}
    return structs.replace(REQUEST, body=json.dumps(sent).encode())


@pytest.mark.asyncio
async def test_a_schema_is_executed_with_variables_and_headers() -> None:
    client = SchemaSubgraphClient(strawberry.Schema(Query))
    response = await client.send(asking("hello"))
    assert json.loads(response.body) == {"data": {"who": "hello Bearer t"}}


@pytest.mark.asyncio
async def test_errors_of_a_schema_keep_their_paths() -> None:
    client = SchemaSubgraphClient(strawberry.Schema(Query))
    response = await client.send(asking(""))
    assert response.status == 200
    assert json.loads(response.body) == {
        "data": None,
        "errors": [{"message": "say something", "locations": [{"line": 1, "column": 23}], "path": ["who"]}],
    }


class Raising:
    async def execute(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("with a secret")


class Hanging:
    async def execute(self, *_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (Raising(), ("SUBGRAPH_REQUEST_FAILED", "Subgraph 'a' failed.")),
        (Hanging(), ("SUBGRAPH_TIMEOUT", "Subgraph 'a' did not answer within 0.05 seconds.")),
    ],
    ids=["raises", "hangs"],
)
async def test_a_schema_that_does_not_answer_is_a_failed_request(
    schema: Raising | Hanging, expected: tuple[str, str]
) -> None:
    request = structs.replace(asking("hello"), timeout_s=0.05)
    assert await fail(SchemaSubgraphClient(schema), request) == expected
